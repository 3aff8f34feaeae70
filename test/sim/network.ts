import type { Chance } from "./chance.ts";
import {
  configOf,
  lacYaml,
  lnsYaml,
  type Neighbour,
  type Policies,
  switchYaml,
  type UnitMode,
  USERS,
  withPolicies,
} from "./configurations.ts";
import { GatewayProcess } from "./gateway-process.ts";
import type { SimConfig, World } from "./world.ts";

/** The gateways of a world, and who speaks with whom. */
export interface Network {
  readonly lacs: readonly GatewayProcess[];
  /** One at most, between LACs and LNSes. */
  readonly switches: readonly GatewayProcess[];
  readonly lnses: readonly GatewayProcess[];
  readonly neighbours: readonly (readonly [GatewayProcess, GatewayProcess])[];
  /** Of all tunnels. */
  readonly helloIntervalMs: number;
}

/** Among the LNSes of some configurations; nobody is there. */
const GHOST: Neighbour = { name: "ghost", address: "10.0.0.99" };

/** `users`: the user name that each CPE has, by his number. */
export function drawNetwork(world: World, users: ReadonlyMap<number, string>): Network {
  const { chance } = world;
  const mode: UnitMode = chance.of(["device", "shared"] as const);
  const lacs = neighbours("lac", chance.is(0.25) ? 2 : 1, 1);
  const lnses = neighbours("lns", chance.is(0.4) ? 2 : 1, 11);
  const switches = neighbours("lts", chance.is(0.25) ? 1 : 0, 21);
  // who has a switch may go past it, too
  const direct = switches.length === 0 || chance.is(0.3) ? lnses : [];
  const ghosts = chance.is(0.2) ? [GHOST] : [];
  const common = drawCommonPolicies(chance);
  const changeMs = chance.of([0, 0, 1.5, 25]);

  const made = new Map<string, GatewayProcess>();
  const make = (neighbour: Neighbour, config: SimConfig, sequencing: Sequencings): GatewayProcess => {
    const policies = drawPolicies(chance, common, sequencing);
    const { name, address } = neighbour;
    const gateway = new GatewayProcess(name, address, withPolicies(config, policies), changeMs, users, world);
    made.set(name, gateway);
    return gateway;
  };
  const callable = [...switches, ...direct, ...ghosts];
  const processes = {
    lacs: lacs.map((lac) => make(lac, configOf(lacYaml(lac, callable, mode), USERS), LAC_SEQUENCING)),
    switches: switches.map((lts) =>
      make(lts, configOf(switchYaml(lts, lacs, [...lnses, ...ghosts]), USERS), LAC_SEQUENCING),
    ),
    lnses: lnses.map((lns) =>
      make(lns, configOf(lnsYaml(lns, [...lacs, ...switches], mode), USERS), LNS_SEQUENCING),
    ),
  };
  world.gateways.push(...made.values());
  const joined = [
    ...lacs.flatMap((lac) => [...switches, ...direct].map((to) => [lac, to] as const)),
    ...switches.flatMap((lts) => lnses.map((to) => [lts, to] as const)),
  ].map(([a, b]) => [made.get(a.name)!, made.get(b.name)!] as const);
  return { ...processes, neighbours: joined, helloIntervalMs: common.helloIntervalMs };
}

function neighbours(prefix: string, count: number, host: number): readonly Neighbour[] {
  return Array.from({ length: count }, (_, i) => ({ name: `${prefix}${i}`, address: `10.0.0.${host + i}` }));
}

type Sequencings = readonly Policies["peers"]["sequencing"][];

const LAC_SEQUENCING: Sequencings = ["follow", "follow", "follow", "required", "never"];
const LNS_SEQUENCING: Sequencings = ["follow", "follow", "follow", "always"];

interface CommonPolicies {
  readonly helloIntervalMs: number;
  readonly hideAvps: boolean;
  readonly receiveWindow: number;
  readonly limits: Policies["limits"];
}

function drawCommonPolicies(chance: Chance): CommonPolicies {
  return {
    helloIntervalMs: chance.of([5_000, 20_000, 60_000]),
    hideAvps: chance.is(0.3),
    receiveWindow: chance.of([1, 4, 128]),
    limits: chance.of([{}, {}, {}, {}, { sessionTimeoutMs: 40_000 }, { idleTimeoutMs: 20_000 }]),
  };
}

const METHODS = ["chap", "chap", "pap", "ms-chap-v2"] as const;

function drawPolicies(chance: Chance, common: CommonPolicies, sequencing: Sequencings): Policies {
  const { limits, ...peers } = common;
  return {
    access: chance.of(METHODS),
    peers: {
      ...peers,
      proxy: chance.of(["accept", "accept", "renegotiate"] as const),
      authentication: [chance.of(METHODS)],
      replayAuthentication: chance.of(["never", "never", "always"] as const),
      sequencing: chance.of(sequencing),
    },
    group: {
      strategy: chance.of(["weight", "sessions"] as const),
      lockoutMs: chance.of([5_000, 300_000]),
      lockoutOnCdn: chance.is(0.3),
    },
    preferences: [chance.integer(0, 1), chance.integer(0, 1), chance.integer(0, 1)],
    weights: [chance.integer(1, 5), chance.integer(1, 5)],
    limits: chance.is(0.5) ? limits : {},
    byPeer: chance.is(0.5),
  };
}
