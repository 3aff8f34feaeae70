/**
 * The places that gateways are tested in:
 *
 *     subscriber           lac                        lns
 *       sub0 ----access---- acc0    core0 ----core---- core0     lo
 *                                10.8.0.1         10.8.0.2     203.0.113.10
 */

import { connect, Netns } from "./netns.ts";

export const LAC_ADDRESS = "10.8.0.1";
export const LNS_ADDRESS = "10.8.0.2";
/** Where subscribers of the LNS want to go. */
export const FAR_HOST = "203.0.113.10";

export interface Site {
  readonly subscriber: Netns;
  readonly lac: Netns;
  readonly lns: Netns;
  close(): void;
}

/** A namespace in which nobody speaks IPv6 unasked: no router solicitation, no duplicate address detection. */
export function quietNetns(name: string): Netns {
  const netns = Netns.create(name);
  netns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
  return netns;
}

/** Joins sub0 and acc0 and brings both up. */
export function connectAccess(subscriber: Netns, gateway: Netns): void {
  connect(subscriber, "sub0", gateway, "acc0");
  subscriber.configure("sub0");
  gateway.configure("acc0");
}

export function createSite(): Site {
  const subscriber = quietNetns("sub");
  const lac = quietNetns("lac");
  const lns = quietNetns("lns");
  connectAccess(subscriber, lac);
  connect(lac, "core0", lns, "core0");
  lac.configure("core0", `${LAC_ADDRESS}/24`);
  lns.configure("core0", `${LNS_ADDRESS}/24`);
  lns.ip("address", "add", `${FAR_HOST}/32`, "dev", "lo");
  return {
    subscriber,
    lac,
    lns,
    close() {
      for (const netns of [subscriber, lac, lns]) netns.delete();
    },
  };
}

export const TUNNEL_SECRET = "the-tunnel-secret-9d41";
export const PASSWORD = "the-password-of-all-7c20";

/** The files beside a configuration: the tunnel secret and the users, all with one password. */
export function secretFiles(
  ...users: readonly (string | { name: string; address: string })[]
): Record<string, string> {
  const entries = users.map((user) => {
    const { name, address } = typeof user === "string" ? { name: user, address: undefined } : user;
    const fixed = address === undefined ? "" : `\n  address: ${address}`;
    return `- name: ${name}\n  password: ${PASSWORD}${fixed}\n`;
  });
  return { "tunnel.secret": `${TUNNEL_SECRET}\n`, "users.yaml": entries.join("") };
}

/** What differs between tests is given as lines of YAML. */
export interface ConfigParts {
  /** Further keys of the access interface or of the L2TP peer. */
  readonly access?: readonly string[];
  readonly peer?: readonly string[];
  readonly units?: readonly string[];
  /** Further keys at the top. */
  readonly more?: readonly string[];
}

const indented = (lines: readonly string[] | undefined, indent: number): string =>
  (lines ?? []).map((line) => `${" ".repeat(indent)}${line}\n`).join("");

/** Carries isp.example to the LNS. */
export function lacConfig({ access, peer, more }: ConfigParts = {}): string {
  return `name: lac
access:
  - interface: acc0
${indented(access, 4)}l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - name: lns
      address: ${LNS_ADDRESS}
      secret-file: tunnel.secret
${indented(peer, 6)}realms:
  isp.example: { lns: lns }
${indented(more, 0)}`;
}

/** Terminates isp.example. */
export function lnsConfig({ peer, units, more }: ConfigParts = {}): string {
  return `name: lns
l2tp:
  listen: [{ address: ${LNS_ADDRESS} }]
  peers:
    - name: lac
      role: lac
      host-name: lac
      secret-file: tunnel.secret
${indented(peer, 6)}realms:
  isp.example: { terminate: subscribers }
users-file: users.yaml
units:
  subscribers:
    address: 100.64.0.1
    pool: 100.64.0.0/20
${indented(units ?? ["name: ppp%d"], 4)}${indented(more, 0)}`;
}

/** Terminates everyone who calls on acc0. */
export function ptaConfig({ access, units, more }: ConfigParts = {}): string {
  return `name: pta
access:
  - interface: acc0
${indented(access, 4)}default: { terminate: subscribers }
users-file: users.yaml
units:
  subscribers:
    address: 100.64.0.1
    pool: 100.64.0.0/20
${indented(units ?? ["name: ppp%d"], 4)}${indented(more, 0)}`;
}
