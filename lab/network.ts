import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * The lab's network: five namespaces in a row, joined by veth pairs.
 *
 *     subscriber ──access── lac ──── core ──── lns ──── internet
 *         sub0  acc0    net0  c0   c1  net0   out0  host0
 *
 * A namespace's name carries the process id of its lab, so that two labs do not collide and a killed one's
 * leftovers can be told from a running one's.
 */
const PLACES = ["subscriber", "lac", "core", "lns", "internet"] as const;
export type Place = (typeof PLACES)[number];

export const ADDRESSES = {
  lac: "10.0.1.2",
  lns: "10.0.2.2",
  /** The far host that the subscriber reaches, and the LNS's side of that link. */
  farHost: "203.0.113.10",
  lnsOutside: "203.0.113.1",
  /** Subscribers' addresses, and the LNS's address inside their PPP. */
  pool: "100.64.0.0/24",
  lnsInside: "100.64.0.1",
} as const;

/** Before the lab's process id, in names of namespaces and directories. */
export const LAB_PREFIX = "lacewing-lab-";

/** The namespace's name in `ip netns`. */
export function namespaceOf(place: Place, labId = process.pid): string {
  return `${LAB_PREFIX}${labId}-${place}`;
}

function ip(...words: string[]): string {
  return execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function sysctl(place: Place, setting: string): void {
  execFileSync("ip", ["netns", "exec", namespaceOf(place), "sysctl", "-qw", setting], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

function link(a: Place, aName: string, b: Place, bName: string): void {
  ip("link", "add", aName, "netns", namespaceOf(a), "type", "veth", "peer", bName, "netns", namespaceOf(b));
}

function up(place: Place, device: string, address?: string): void {
  if (address !== undefined) ip("-n", namespaceOf(place), "address", "add", address, "dev", device);
  ip("-n", namespaceOf(place), "link", "set", device, "up");
}

function route(place: Place, prefix: string, via: string): void {
  ip("-n", namespaceOf(place), "route", "add", prefix, "via", via);
}

/** Creates namespaces, links, addresses and routes. Everything is up when this returns. */
export function createNetwork(): void {
  for (const place of PLACES) ip("netns", "add", namespaceOf(place));
  for (const place of PLACES) {
    // no router solicitations or duplicate address detection: the lab is IPv4
    sysctl(place, "net.ipv6.conf.default.disable_ipv6=1");
    up(place, "lo");
  }
  link("subscriber", "sub0", "lac", "acc0");
  link("lac", "net0", "core", "c0");
  link("core", "c1", "lns", "net0");
  link("lns", "out0", "internet", "host0");
  up("subscriber", "sub0");
  up("lac", "acc0");
  up("lac", "net0", `${ADDRESSES.lac}/24`);
  up("core", "c0", "10.0.1.1/24");
  up("core", "c1", "10.0.2.1/24");
  up("lns", "net0", `${ADDRESSES.lns}/24`);
  up("lns", "out0", `${ADDRESSES.lnsOutside}/24`);
  up("internet", "host0", `${ADDRESSES.farHost}/24`);
  for (const place of ["core", "lns"] as const) sysctl(place, "net.ipv4.ip_forward=1");
  route("lac", "default", "10.0.1.1");
  route("lns", "10.0.1.0/24", "10.0.2.1");
  route("internet", ADDRESSES.pool, ADDRESSES.lnsOutside);
}

/** Ends what still runs in a lab's namespaces, and deletes them with every device in them. */
export function destroyNetwork(labId = process.pid): void {
  for (const place of PLACES) {
    const name = namespaceOf(place, labId);
    if (namespaces().includes(name)) destroyNamespace(name);
  }
}

/** The ids of labs that have namespaces and do not run: they were killed. */
export function deadLabs(): readonly number[] {
  const dead = new Set<number>();
  for (const name of namespaces()) {
    const labId = Number(/^lacewing-lab-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
    // we have made none yet: one with our process id is of a predecessor
    if (Number.isInteger(labId) && (labId === process.pid || !isAlive(labId))) dead.add(labId);
  }
  return [...dead];
}

function destroyNamespace(name: string): void {
  try {
    for (const pid of ip("netns", "pids", name).split("\n").filter(Boolean)) kill(Number(pid));
    ip("netns", "delete", name);
  } catch (error) {
    // another lab that starts at this moment may clean up as well
    if (namespaces().includes(name)) throw error;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function namespaces(): readonly string[] {
  try {
    return readdirSync("/run/netns");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []; // no namespace was ever made here
    throw error;
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
