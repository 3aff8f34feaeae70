/** A LAC, a tunnel switch behind it and two LNSes behind that: whole gateways in virtual time. */

import { LAC_YAML, LNS_YAML, USERS_YAML } from "./configurations.ts";
import { wireHosts } from "./l2tp-peer.ts";
import { Node, SubscriberSide, type World, wireEthernet } from "./world.ts";

export const SWITCH_ADDRESS = "10.0.0.5";
export const LNS_ADDRESS = { a: "10.0.0.11", b: "10.0.0.12" } as const;

/** More keys of the switch's peers, and more of the configurations. */
export interface SwitchOptions {
  readonly lacPeer?: string;
  readonly lnsPeer?: string;
  /** The switch's destination for isp.example. */
  readonly to?: string;
  readonly more?: string;
  /** Another peer of the switch's, and what is before the others in its group. */
  readonly otherPeer?: string;
  readonly firstMembers?: string;
  /** Of the LAC's access interface, and of its peer. */
  readonly access?: string;
  readonly peer?: string;
  /** What is different about the LNSes. */
  readonly lns?: (yaml: string) => string;
}

export function switchYaml(options: SwitchOptions): string {
  const { lacPeer = "", lnsPeer = "", to = "lns: isp", more = "", otherPeer, firstMembers = "" } = options;
  return `
name: switch
l2tp:
  listen: [{ address: ${SWITCH_ADDRESS} }]
  peers:
    - { name: lac, role: lac, host-name: lac, secret: lac-secret, ${lacPeer} }
    - { name: a, address: ${LNS_ADDRESS.a}, secret: tunnel-secret, ${lnsPeer} }
    - { name: b, address: ${LNS_ADDRESS.b}, secret: tunnel-secret, ${lnsPeer} }
${otherPeer === undefined ? "" : `    - { ${otherPeer} }`}
lns-groups:
  isp: { members: [${firstMembers} { peer: a, preference: 1 }, { peer: b, preference: 2 }] }
realms: { isp.example: { ${to} } }
${more}
`;
}

export interface SwitchField {
  readonly lac: Node;
  readonly lts: Node;
  readonly lns: { readonly a: Node; readonly b: Node };
  readonly side: SubscriberSide;
  /** Addresses of whose line is cut. */
  readonly dead: Set<string>;
}

export async function startSwitchField(world: World, options: SwitchOptions = {}): Promise<SwitchField> {
  const { access = "", peer = "", lns: change = (yaml) => yaml } = options;
  const lacYaml = LAC_YAML.replace("interface: acc0", `interface: acc0, ${access}`)
    .replace("10.0.0.11", SWITCH_ADDRESS)
    .replace("secret: tunnel-secret", `secret: lac-secret, ${peer}`);
  const lac = new Node(world, "10.0.0.2", lacYaml, USERS_YAML);
  const lts = new Node(world, SWITCH_ADDRESS, switchYaml(options), USERS_YAML);
  const make = (name: "a" | "b"): Node => {
    const yaml = LNS_YAML.replaceAll("10.0.0.11", LNS_ADDRESS[name])
      .replace("name: lns", `name: lns-${name}`)
      .replace("name: lac, role: lac, host-name: lac", "name: switch, role: lac, host-name: switch");
    return new Node(world, LNS_ADDRESS[name], change(yaml), USERS_YAML);
  };
  const lns = { a: make("a"), b: make("b") };
  const side = new SubscriberSide(world);
  const dead = new Set<string>();
  wireHosts(world, [lac, lts, lns.a, lns.b], dead);
  wireEthernet(side, lac);
  await side.open();
  for (const node of [lns.a, lns.b, lts, lac]) await node.gateway.start();
  return { lac, lts, lns, side, dead };
}
