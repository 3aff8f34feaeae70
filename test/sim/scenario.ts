import { NEVER } from "../../src/base/time.ts";
import { TPID_8021Q, type VlanTag } from "../../src/wire/ethernet.ts";
import type { Chance } from "./chance.ts";
import { passwordOf, userName } from "./configurations.ts";
import { Cpe, type CpeConfig, type Temperament } from "./cpe.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { Link, type Weather } from "./links.ts";
import { drawNetwork, type Network } from "./network.ts";
import type { World } from "./world.ts";

/** IEEE 802.1ad. */
const TPID_8021AD = 0x88a8;

/** Who is there, and what lies between them. */
export interface Scenario extends Network {
  /** LACs first, LNSes last: the order in which they are shut down. */
  readonly gateways: readonly GatewayProcess[];
  readonly cpes: readonly Cpe[];
  readonly links: readonly Link[];
  /** Which LAC a CPE calls. */
  readonly lacOf: ReadonlyMap<Cpe, GatewayProcess>;
}

/** All from the world's chance: gateways, and CPEs of all tempers, on links of their own. */
export function drawScenario(world: World): Scenario {
  const { chance } = world;
  const users = new Map<number, string>();
  const network = drawNetwork(world, users);
  const { lacs, switches, lnses } = network;

  const links: Link[] = [];
  const weather = drawWeather(chance);
  const link = (name: string, deliver: (bytes: Uint8Array) => void): Link => {
    const made = new Link(name, weather, world, deliver);
    links.push(made);
    return made;
  };
  joinGateways(network, link);

  const lacOf = new Map<Cpe, GatewayProcess>();
  for (let number = 1, count = chance.integer(1, 4); number <= count; number++) {
    const cpe = new Cpe(drawCpe(number, chance), world);
    const lac = chance.of(lacs);
    lacOf.set(cpe, lac);
    users.set(number, cpe.config.user);
    const up = link(`${cpe.name} → ${lac.name}`, (frame) => lac.receiveEthernet(frame));
    cpe.onEthernet = (frame) => up.send(frame);
  }
  for (const lac of lacs) {
    const lines = [...lacOf]
      .filter(([, its]) => its === lac)
      .map(([cpe]) => ({
        mac: cpe.mac.join(),
        down: link(`${lac.name} → ${cpe.name}`, (frame) => cpe.receiveEthernet(frame)),
      }));
    // a switch that has learnt everyone's address
    lac.onEthernet = (frame) =>
      lines.find(({ mac }) => mac === frame.subarray(0, 6).join())?.down.send(frame);
  }
  const cpes = [...lacOf.keys()];
  world.cpes.push(...cpes);
  return { ...network, gateways: [...lacs, ...switches, ...lnses], cpes, links, lacOf };
}

function joinGateways(
  { neighbours }: Network,
  link: (name: string, deliver: (bytes: Uint8Array) => void) => Link,
): void {
  const paths = new Map<GatewayProcess, Map<string, Link>>();
  for (const [a, b] of neighbours)
    for (const [from, to] of [[a, b] as const, [b, a] as const]) {
      const its = paths.get(from) ?? new Map<string, Link>();
      paths.set(from, its);
      its.set(
        to.address,
        link(`${from.name} → ${to.name}`, (datagram) => to.receiveDatagram(from.address, datagram)),
      );
      from.onDatagram = (address, datagram) => its.get(address)?.send(datagram);
    }
}

/** How bad a link may be for a while. */
export function drawWeather(chance: Chance): Weather {
  const latencyMs = chance.of([0.5, 5, 40]);
  return {
    latencyMs,
    jitterMs: chance.of([0, latencyMs, 4 * latencyMs, 1500]),
    loss: chance.of([0, 0.02, 0.1, 0.3]),
    duplication: chance.of([0, 0.05, 0.3]),
  };
}

function drawCpe(number: number, chance: Chance): CpeConfig {
  const wrong = chance.is(0.2);
  const realm =
    wrong && chance.is(0.3) ? "nowhere.example" : chance.of(["a.example", "b.example", "here.example"]);
  return {
    number,
    user: userName(number, realm),
    password: wrong && realm !== "nowhere.example" ? "a guess" : passwordOf(number),
    tags: drawTags(number, chance),
    expects: wrong ? "no" : "service",
    temperament: drawTemperament(chance),
  };
}

/** None, one or two. */
function drawTags(number: number, chance: Chance): readonly VlanTag[] {
  const inner = { tpid: TPID_8021Q, tci: 100 + number };
  return chance.of([[], [], [], [inner], [{ tpid: TPID_8021AD, tci: 7 }, inner]]);
}

function drawTemperament(chance: Chance): Temperament {
  return {
    redialMs: chance.of([
      [1_000, 5_000],
      [100, 500],
      [5_000, 10_000],
    ] as const),
    patienceMs: chance.of([60_000, 60_000, 6_000]),
    vanishes: chance.is(0.3),
    renegotiateEveryMs: chance.is(0.25) ? 15_000 : NEVER,
    probeEveryMs: chance.of([2_000, 10_000, NEVER]),
  };
}
