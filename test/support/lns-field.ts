/** A LAC with several LNSes, any of which can be switched off: whole gateways in virtual time. */

import { LNS_YAML, USERS_YAML } from "./configurations.ts";
import { type LogLine, Node, SubscriberSide, type World, wireEthernet } from "./world.ts";

const LAC_ADDRESS = "10.0.0.2";

/** "a" is at 10.0.0.11, "b" at 10.0.0.12 and so on. */
export type LnsName = "a" | "b" | "c";

const ADDRESSES: Readonly<Record<LnsName, string>> = { a: "10.0.0.11", b: "10.0.0.12", c: "10.0.0.13" };

export interface Field {
  readonly lac: Node;
  readonly lns: Readonly<Record<LnsName, Node>>;
  readonly side: SubscriberSide;
  /** LNSes whose line is cut. */
  readonly dead: Set<LnsName>;
  /** An LNS is killed, and starts again without knowing anything of what was. */
  restart(name: LnsName): Promise<void>;
}

export interface FieldOptions {
  /** Of the group "wholesale"; by default a and b with the same preference. */
  readonly members?: string;
  /** More keys of the group: "lockout-on-cdn: true". */
  readonly group?: string;
  /** More keys of each peer in the LAC's configuration. */
  readonly peer?: string;
  /** More of the LAC's configuration. */
  readonly lac?: string;
  /** What is different about an LNS's configuration. */
  readonly lnsYaml?: Partial<Readonly<Record<LnsName, (yaml: string) => string>>>;
}

function lacYaml({ members, group = "", peer = "", lac = "" }: FieldOptions): string {
  const peers = Object.entries(ADDRESSES).map(
    ([name, address]) => `    - { name: ${name}, address: ${address}, secret: tunnel-secret, ${peer} }`,
  );
  return `
name: lac
access: [{ interface: acc0 }]
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
${peers.join("\n")}
lns-groups:
  wholesale: { members: [${members ?? "{ peer: a }, { peer: b }"}], ${group} }
realms: { isp.example: { lns: wholesale } }
${lac}
`;
}

/** Starts the LAC and all three LNSes; those that are `dead` hear and say nothing. */
export async function startField(
  world: World,
  options: FieldOptions = {},
  dead: readonly LnsName[] = [],
): Promise<Field> {
  const lac = new Node(world, LAC_ADDRESS, lacYaml(options), USERS_YAML);
  const make = (name: LnsName): Node => {
    const yaml = LNS_YAML.replaceAll("10.0.0.11", ADDRESSES[name])
      .replace("name: lns", `name: lns-${name}`)
      .replace("pool: 100.64.0.0/24", "pool: 100.64.0.0/16");
    const change = options.lnsYaml?.[name] ?? ((text) => text);
    return new Node(world, ADDRESSES[name], change(yaml), USERS_YAML);
  };
  const lns = { a: make("a"), b: make("b"), c: make("c") };
  const side = new SubscriberSide(world);
  const off = new Set(dead);
  const names = Object.keys(ADDRESSES) as LnsName[];
  lac.onDatagram = (to, _udpPort, datagram) => {
    const name = names.find((each) => ADDRESSES[each] === to);
    if (name === undefined || off.has(name)) return;
    world.carry(() => lns[name].receiveDatagram(LAC_ADDRESS, datagram));
  };
  const wire = (name: LnsName): void => {
    const node = lns[name];
    node.onDatagram = (_to, _udpPort, datagram) => {
      if (node === lns[name] && !off.has(name))
        world.carry(() => lac.receiveDatagram(ADDRESSES[name], datagram));
    };
  };
  for (const name of names) wire(name);
  const restart = async (name: LnsName): Promise<void> => {
    lns[name] = make(name);
    wire(name);
    await lns[name].gateway.start();
  };
  wireEthernet(side, lac);
  await side.open();
  for (const name of names) await lns[name].gateway.start();
  await lac.gateway.start();
  return { lac, lns, side, dead: off, restart };
}

/** How many sessions each LNS has. */
export function sessionsOf({ lns }: Field): Readonly<Record<LnsName, number>> {
  const count = (node: Node): number => node.views.sessions().length;
  return { a: count(lns.a), b: count(lns.b), c: count(lns.c) };
}

/** What the LAC shows of an LNS in the group. */
export function lnsView({ lac }: Field, peer: LnsName) {
  return lac.views.lns().find((view) => view.peer === peer);
}

export function logged({ lac }: Field, message: string): readonly LogLine[] {
  return lac.log.filter((line) => line.message.includes(message));
}
