/** Network namespaces for tests: named after the process that made them, and gone when it is. Needs root. */

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { isAlive } from "./processes.ts";

const DIRECTORY = "/run/netns";
/** lw-PREFIX-PID-NUMBER: PID tells whether its maker still lives. */
const OURS = /^lw-.+-(\d+)-\d+$/;

let created = 0;
const open = new Set<Netns>();

export class Netns {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** A new namespace with its loopback up. It is deleted by delete(), at the latest when this process exits. */
  static create(prefix: string): Netns {
    if (created === 0) {
      deleteLeftovers();
      process.once("exit", deleteAll);
    }
    created += 1;
    const netns = new Netns(`lw-${prefix}-${process.pid}-${created}`);
    ip("netns", "add", netns.name);
    open.add(netns);
    netns.ip("link", "set", "lo", "up");
    return netns;
  }

  get path(): string {
    return `${DIRECTORY}/${this.name}`;
  }

  /** `ip -n NAME ARGS…`; returns its standard output, throws with its standard error. */
  ip(...args: readonly string[]): string {
    return ip("-n", this.name, ...args);
  }

  /** Runs a short command inside and waits for it; throws when it fails. */
  run(...command: readonly string[]): string {
    return execFileSync("ip", ["netns", "exec", this.name, ...command], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Starts a process inside. It is killed with this one, however this one ends. */
  spawn(command: readonly string[], options: SpawnOptions = {}): ChildProcess {
    return spawn("setpriv", ["--pdeathsig", "KILL", "ip", "netns", "exec", this.name, ...command], options);
  }

  /** Brings `device` up with `addresses` ("10.0.0.1/24"). */
  configure(device: string, ...addresses: readonly string[]): void {
    for (const address of addresses) this.ip("address", "add", address, "dev", device, "nodad");
    this.ip("link", "set", device, "up");
  }

  /** The device's MAC address, six octets. */
  macOf(device: string): Uint8Array {
    const [link] = JSON.parse(this.ip("-json", "link", "show", device)) as [{ address: string }];
    return Uint8Array.from(link.address.split(":"), (octet) => Number.parseInt(octet, 16));
  }

  delete(): void {
    if (!open.delete(this)) return;
    deleteByName(this.name);
  }
}

/** A cable between two namespaces: `aDevice` in `a`, `bDevice` in `b`; both still down. */
export function connect(a: Netns, aDevice: string, b: Netns, bDevice: string): void {
  ip("link", "add", aDevice, "netns", a.name, "type", "veth", "peer", "name", bDevice, "netns", b.name);
}

function ip(...args: readonly string[]): string {
  return execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Ends what still runs inside, then removes the name: a namespace with a process in it would live on. */
function deleteByName(name: string): void {
  for (const pid of ip("netns", "pids", name).split("\n").filter(Boolean)) kill(Number(pid));
  ip("netns", "delete", name);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function deleteAll(): void {
  for (const netns of open) netns.delete();
}

/** What runs that were killed have left behind. */
function deleteLeftovers(): void {
  for (const name of readdirSyncOrNone(DIRECTORY)) {
    const pid = OURS.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) deleteByNameIfThere(name);
  }
}

/** Another process may be clearing up at the same time. */
function deleteByNameIfThere(name: string): void {
  try {
    deleteByName(name);
  } catch (error) {
    if (readdirSyncOrNone(DIRECTORY).includes(name)) throw error;
  }
}

function readdirSyncOrNone(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
