import { NEVER } from "../../src/base/time.ts";
import type { Chance } from "./chance.ts";
import {
  configOf,
  lacAddress,
  lacYaml,
  lnsAddress,
  lnsYaml,
  passwordOf,
  SWITCH_ADDRESS,
  SWITCH_NAME,
  switchYaml,
  USERS,
  userName,
  withPolicies,
} from "./configurations.ts";
import { Cpe, type CpeConfig, type Temperament } from "./cpe.ts";
import { GatewayProcess } from "./gateway-process.ts";
import { Link, type Weather } from "./links.ts";
import type { World } from "./world.ts";

/** Who is there, and what lies between them. */
export interface Scenario {
  readonly lacs: readonly GatewayProcess[];
  /** The tunnel switch between LACs and LNSes, if there is one. */
  readonly switches: readonly GatewayProcess[];
  readonly lnses: readonly GatewayProcess[];
  readonly cpes: readonly Cpe[];
  readonly links: readonly Link[];
  /** Which LAC a CPE calls. */
  readonly lacOf: ReadonlyMap<Cpe, GatewayProcess>;
  readonly helloIntervalMs: number;
}

/** All from the world's chance: a few LACs, LNSes and CPEs of all tempers, on links of their own. */
export function drawScenario(world: World): Scenario {
  const { chance } = world;
  const policies = {
    helloIntervalMs: chance.of([5_000, 20_000, 60_000]),
    hideAvps: chance.is(0.3),
    receiveWindow: chance.of([1, 4, 128]),
    proxy: chance.of(["accept", "accept", "renegotiate"] as const),
    authentication: [chance.of(["chap", "chap", "pap"] as const)],
    replayAuthentication: chance.of(["never", "never", "always"] as const),
  };
  const mode = chance.of(["device", "shared"] as const);
  const lacCount = chance.is(0.25) ? 2 : 1;
  const lnsCount = chance.is(0.3) ? 2 : 1;
  const isSwitched = chance.is(0.3);
  const users = new Map<number, string>();
  const changeMs = chance.of([0, 0, 1.5, 25]);
  const lacs = range(lacCount).map((i) => {
    const config = withPolicies(configOf(lacYaml(i, lnsCount, isSwitched, mode), USERS), policies);
    return new GatewayProcess(`lac${i}`, lacAddress(i), config, changeMs, users, world);
  });
  const lacNames = lacs.map(({ name }) => name);
  const switches = range(isSwitched ? 1 : 0).map(() => {
    const config = withPolicies(configOf(switchYaml(lacNames, lnsCount), USERS), policies);
    return new GatewayProcess(SWITCH_NAME, SWITCH_ADDRESS, config, changeMs, users, world);
  });
  const callers = isSwitched ? [SWITCH_NAME] : lacNames;
  const lnses = range(lnsCount).map((i) => {
    const config = withPolicies(configOf(lnsYaml(i, callers, mode), USERS), policies);
    return new GatewayProcess(`lns${i}`, lnsAddress(i), config, changeMs, users, world);
  });
  world.gateways.push(...lacs, ...switches, ...lnses);

  const links: Link[] = [];
  const weather = drawWeather(chance);
  const link = (name: string, deliver: (bytes: Uint8Array) => void): Link => {
    const made = new Link(name, weather, world, deliver);
    links.push(made);
    return made;
  };
  const neighbours = (of: GatewayProcess): readonly GatewayProcess[] => {
    if (switches.includes(of)) return [...lacs, ...lnses];
    if (isSwitched) return switches;
    return lacs.includes(of) ? lnses : lacs;
  };
  for (const from of world.gateways) {
    const paths = new Map<string, Link>();
    for (const to of neighbours(from))
      paths.set(
        to.address,
        link(`${from.name} → ${to.name}`, (datagram) => to.receiveDatagram(from.address, datagram)),
      );
    from.onDatagram = (to, datagram) => paths.get(to)?.send(datagram);
  }

  const lacOf = new Map<Cpe, GatewayProcess>();
  for (const i of range(chance.integer(1, 4))) {
    const cpe = new Cpe(drawCpe(i + 1, chance), world);
    const lac = chance.of(lacs);
    lacOf.set(cpe, lac);
    users.set(i + 1, cpe.config.user);
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
  return { lacs, switches, lnses, cpes, links, lacOf, helloIntervalMs: policies.helloIntervalMs };
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
    expects: wrong ? "no" : "service",
    temperament: drawTemperament(chance),
  };
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

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}
