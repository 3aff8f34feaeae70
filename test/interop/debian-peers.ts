/** Debian's pppd in the VM as PPPoE client, and what is common to all that run a pppd there. */

import type { Netns } from "../support/netns.ts";
import type { PeerJob } from "../support/peer-job.ts";
import type { PeerVm } from "../support/peer-vm.ts";

type Authentication = "pap" | "chap" | "ms-chap-v2";

/** The guest's namespaces (peer-network.ts). */
export type GuestNetns = "cpe" | "isp" | "client" | "far-isp" | "far-client";

/** pppd's exit statuses (pppd(8)). */
export const PPPD_TERMINATED_BY_SIGNAL = 5;
export const PPPD_PEER_ENDED = 16;
export const PPPD_WE_FAILED_TO_AUTHENTICATE = 19;

/** Writes the secrets that every pppd of the VM shares, for all ways of authentication. */
export async function giveSecrets(vm: PeerVm, passwords: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries(passwords).map(([user, password]) => `"${user}" * "${password}" *\n`);
  const path = vm.write("ppp-secrets", lines.join(""));
  await vm.mustRun(["bash", "-ec", `for kind in pap chap; do cp ${path} /etc/ppp/$kind-secrets; done`]);
}

export interface PppoeCall {
  /** What the client agrees to; "any" of them is the server's choice. */
  readonly method?: Authentication | "any";
  /** Device in the guest's namespace cpe. */
  readonly device?: string;
  readonly mtuBytes?: number;
  readonly ipv6?: boolean;
  /** Further options of pppd. */
  readonly options?: readonly string[];
}

const REFUSALS: Readonly<Record<Authentication, string>> = {
  pap: "refuse-pap",
  chap: "refuse-chap",
  "ms-chap-v2": "refuse-mschap-v2",
};

/** Options by which pppd agrees to that method only. */
function onlyBy(method: Authentication | "any"): string[] {
  const refused = ([name]: [string, string]) => method !== "any" && method !== name;
  const others = Object.entries(REFUSALS)
    .filter(refused)
    .map(([, option]) => option);
  return ["refuse-eap", "refuse-mschap", ...others];
}

/** Calls by PPPoE as `user`. */
export function callByPppoe(vm: PeerVm, user: string, call: PppoeCall = {}): PeerJob {
  const { method = "chap", device = "eth0", mtuBytes = 1492, ipv6 = false, options = [] } = call;
  return vm.spawn([
    ...["ip", "netns", "exec", "cpe", "pppd", "plugin", "rp-pppoe.so", `nic-${device}`, "user", user],
    ...["mtu", `${mtuBytes}`, "mru", `${mtuBytes}`, "linkname", "cpe", ipv6 ? "+ipv6" : "noipv6"],
    ...["lcp-echo-interval", "10", "lcp-echo-failure", "3", "maxfail", "1"],
    ...["noauth", "noipdefault", "usepeerdns", "nodetach", "debug", ...onlyBy(method), ...options],
  ]);
}

/** The addresses of a link once pppd has them: its own and the other end's. */
export async function addresses(
  pppd: PeerJob,
  options?: { timeoutMs: number },
): Promise<{ local: string; remote: string }> {
  const pattern = /local +IP address (\S+)\n(?:.*\n)*?remote IP address (\S+)/;
  const match = await pppd.waitFor(pattern, options);
  return { local: match[1]!, remote: match[2]! };
}

/** Its link-local IPv6 addresses, likewise, and its device. */
export async function ipv6Addresses(
  pppd: PeerJob,
): Promise<{ local: string; remote: string; device: string }> {
  const match = await pppd.waitFor(/local +LL address (\S+)\n(?:.*\n)*?remote LL address (\S+)/);
  const [, device] = await pppd.waitFor(/Using interface (ppp\d+)/);
  return { local: match[1]!, remote: match[2]!, device: device! };
}

/** Packets of `bytes` octets, IP header included, that must not be fragmented on the way: all must come back. */
export async function pingFromGuest(
  vm: PeerVm,
  netns: GuestNetns,
  address: string,
  bytes: number,
): Promise<void> {
  await vm.mustRun(["ip", "netns", "exec", netns, ...pingCommand(address, bytes)]);
}

export function pingFrom(netns: Netns, address: string, bytes: number): void {
  netns.run(...pingCommand(address, bytes));
}

function pingCommand(address: string, bytes: number): string[] {
  const payload = bytes - (address.includes(":") ? 48 : 28); // headers of IP and ICMP
  return ["ping", "-q", "-c", "3", "-i", "0.2", "-w", "10", "-M", "do", "-s", `${payload}`, address];
}

/** Ends the pppd of that link name politely. */
export async function endPppd(vm: PeerVm, linkname: GuestNetns): Promise<void> {
  await vm.mustRun(["bash", "-ec", `kill "$(head -n 1 /run/ppp-${linkname}.pid)"`]);
}
