import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";

/**
 * A network of the benchmark: three namespaces, joined by veth pairs.
 *
 *     subscribers ──access── lac ──core── lns
 *            sub0  acc0      net0  net0
 *            sub1  acc1
 *
 * Who is compared with the gateway has the same network again: "ceiling" and "rival". A namespace's name carries the
 * process id of its benchmark, so that leftovers of a killed one can be told from those of a running one.
 */
const SITES = ["own", "ceiling", "rival"] as const;
export type Network = (typeof SITES)[number];
const PLACES = ["subscribers", "lac", "lns"] as const;
type Role = (typeof PLACES)[number];
export type Place = Role | `${Network}-${Role}`;

export const SUBSCRIBER_DEVICE = "sub0";
export const ACCESS_DEVICE = "acc0";
/** Of all access interfaces; more sessions than one has ids for go over two. */
export const SUBSCRIBER_DEVICES = [SUBSCRIBER_DEVICE, "sub1"] as const;
export const ACCESS_DEVICES = [ACCESS_DEVICE, "acc1"] as const;
export const CORE_DEVICE = "net0";
/** So that packets of 1492 octets leave whole, as they do in a provider's network: they need 1532. */
const CORE_MTU = "1600";
export const LAC_ADDRESS = "10.0.0.1";
export const LNS_ADDRESS = "10.0.0.2";
/** Of the eight LNSes of the mixed load, of which the first is the one above. */
export const LNS_ADDRESSES = [LNS_ADDRESS, ...[11, 12, 13, 14, 15, 16, 17].map((last) => `10.0.0.${last}`)];
/** What LAC and LNSes have outside of L2TP. */
export interface Outside {
  readonly family: "ipv4" | "ipv6";
  readonly lac: string;
  /** Of the LNSes, by their places. */
  readonly lnses: readonly string[];
}

export const OVER_IPV4: Outside = { family: "ipv4", lac: LAC_ADDRESS, lnses: LNS_ADDRESSES };
/** Once addIpv6() was called. */
export const OVER_IPV6: Outside = {
  family: "ipv6",
  lac: "fd00::1",
  lnses: LNS_ADDRESSES.map((address) => `fd00::${address.split(".").at(-1)}`),
};

/** Of every tunnel: l2tpns does without only for who calls it. */
export const TUNNEL_SECRET = "bench";
/** On the LNS's network, where nobody answers. */
export const DEAD_ADDRESS = "10.0.0.3";

const DIRECTORY = "/run/netns";
const OURS = /^lacewing-bench-(\d+)-/;

export function namespaceOf(place: Place): string {
  return `lacewing-bench-${process.pid}-${place}`;
}

export function placeIn(network: Network, role: Role): Place {
  return network === "own" ? role : `${network}-${role}`;
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

function bringUp(place: Place, device: string, ...addresses: readonly string[]): void {
  for (const address of addresses)
    ip("-n", namespaceOf(place), "address", "add", `${address}/24`, "dev", device);
  ip("-n", namespaceOf(place), "link", "set", device, "up");
}

/** Everything is up when this returns. */
export function createNetwork(network: Network = "own"): void {
  const [subscribers, lac, lns] = PLACES.map((role) => placeIn(network, role)) as [Place, Place, Place];
  for (const place of [subscribers, lac, lns]) {
    ip("netns", "add", namespaceOf(place));
    // no router solicitations or duplicate address detection between the measured frames
    const quiet = ["sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1"];
    ip("netns", "exec", namespaceOf(place), ...quiet);
    bringUp(place, "lo");
  }
  SUBSCRIBER_DEVICES.forEach((device, i) => {
    cable(subscribers, device, lac, ACCESS_DEVICES[i]!);
    bringUp(subscribers, device);
    bringUp(lac, ACCESS_DEVICES[i]!);
  });
  cable(lac, CORE_DEVICE, lns, CORE_DEVICE);
  for (const place of [lac, lns]) ip("-n", namespaceOf(place), "link", "set", CORE_DEVICE, "mtu", CORE_MTU);
  bringUp(lac, CORE_DEVICE, LAC_ADDRESS);
  bringUp(lns, CORE_DEVICE, ...LNS_ADDRESSES);
}

/** Gives LAC and LNSes of a network IPv6 addresses, which are valid at once. */
export function addIpv6(network: Network): void {
  for (const [role, addresses] of [
    ["lac", [OVER_IPV6.lac]],
    ["lns", OVER_IPV6.lnses],
  ] as const) {
    const name = namespaceOf(placeIn(network, role));
    for (const setting of ["router_solicitations=0", "accept_dad=0", "disable_ipv6=0"])
      ip("netns", "exec", name, "sysctl", "-qw", `net.ipv6.conf.${CORE_DEVICE}.${setting}`);
    for (const address of addresses)
      ip("-n", name, "address", "add", `${address}/64`, "dev", CORE_DEVICE, "nodad");
  }
}

/** A second way from the LAC to the LNSes, without addresses. */
export function addCoreDevice(device: string): void {
  cable("lac", device, "lns", device);
  for (const place of ["lac", "lns"] as const) {
    ip("-n", namespaceOf(place), "link", "set", device, "mtu", CORE_MTU);
    bringUp(place, device);
  }
}

/** Of a device: "02:00:00:00:00:01". */
export function macOf(place: Place, device: string): string {
  const [link] = JSON.parse(ip("-n", namespaceOf(place), "-json", "link", "show", "dev", device)) as [
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
  for (const name of namespaces().filter((each) => OURS.exec(each)?.[1] === `${pid}`)) {
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
