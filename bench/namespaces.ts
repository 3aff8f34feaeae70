import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * The benchmark's network: three namespaces, joined by veth pairs.
 *
 *     subscribers ──access── lac ──core── lns
 *            sub0  acc0      net0  net0
 *
 * A namespace's name carries the process id of its benchmark, so that leftovers of a killed one can be told from
 * those of a running one.
 */
const PLACES = ["subscribers", "lac", "lns"] as const;
export type Place = (typeof PLACES)[number];

export const SUBSCRIBER_DEVICE = "sub0";
export const ACCESS_DEVICE = "acc0";
const CORE_DEVICE = "net0";
export const LAC_ADDRESS = "10.0.0.1";
export const LNS_ADDRESS = "10.0.0.2";
/** On the LNS's network, where nobody answers. */
export const DEAD_ADDRESS = "10.0.0.3";

const DIRECTORY = "/run/netns";
const OURS = /^lacewing-bench-(\d+)-/;

export function namespaceOf(place: Place, pid = process.pid): string {
  return `lacewing-bench-${pid}-${place}`;
}

/** The file that setns(2) takes. */
export function namespacePath(place: Place): string {
  return `${DIRECTORY}/${namespaceOf(place)}`;
}

function ip(...words: readonly string[]): string {
  return execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function cable(a: Place, aDevice: string, b: Place, bDevice: string): void {
  const words = ["netns", namespaceOf(a), "type", "veth", "peer", "name", bDevice, "netns", namespaceOf(b)];
  ip("link", "add", aDevice, ...words);
}

function bringUp(place: Place, device: string, address?: string): void {
  if (address !== undefined) ip("-n", namespaceOf(place), "address", "add", `${address}/24`, "dev", device);
  ip("-n", namespaceOf(place), "link", "set", device, "up");
}

/** Everything is up when this returns. */
export function createNetwork(): void {
  for (const place of PLACES) {
    ip("netns", "add", namespaceOf(place));
    // no router solicitations or duplicate address detection between the measured frames
    const quiet = ["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"];
    ip("netns", "exec", namespaceOf(place), ...quiet);
    bringUp(place, "lo");
  }
  cable("subscribers", SUBSCRIBER_DEVICE, "lac", ACCESS_DEVICE);
  cable("lac", CORE_DEVICE, "lns", CORE_DEVICE);
  bringUp("subscribers", SUBSCRIBER_DEVICE);
  bringUp("lac", ACCESS_DEVICE);
  bringUp("lac", CORE_DEVICE, LAC_ADDRESS);
  bringUp("lns", CORE_DEVICE, LNS_ADDRESS);
}

/** The MAC address that subscribers see. */
export function concentratorMac(): string {
  const [link] = JSON.parse(ip("-json", "-n", namespaceOf("lac"), "link", "show", ACCESS_DEVICE)) as [
    { readonly address: string },
  ];
  return link.address;
}

/** Removes the namespaces of this benchmark, and with them every device in them. */
export function destroyNetwork(): void {
  deleteOf(process.pid);
}

/** Removes what benchmarks that were killed have left behind. */
export function sweepDeadBenchmarks(): void {
  const pids = new Set(namespaces().flatMap((name) => OURS.exec(name)?.[1] ?? []));
  for (const pid of pids) if (!isAlive(Number(pid))) deleteOf(Number(pid));
}

function deleteOf(pid: number): void {
  const existing = namespaces();
  for (const place of PLACES) {
    const name = namespaceOf(place, pid);
    if (!existing.includes(name)) continue;
    // a namespace with a process in it would live on
    for (const inside of ip("netns", "pids", name).split("\n").filter(Boolean)) kill(Number(inside));
    ip("netns", "delete", name);
  }
}

function namespaces(): readonly string[] {
  try {
    return readdirSync(DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // none was ever made here
    throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
