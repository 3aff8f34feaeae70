import { Agreement, disagreements } from "./agreement.ts";
import type { Cpe } from "./cpe.ts";
import { heal, planFaults, setWallClocks } from "./faults.ts";
import type { FirstIds } from "./first-ids.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Violation } from "./invariants.ts";
import { leasedAddresses, openLeaseBook } from "./lease-book.ts";
import { leftovers } from "./leftovers.ts";
import { drawScenario, type Scenario } from "./scenario.ts";
import { watchSilence } from "./silence.ts";
import { World, type WorldOptions } from "./world.ts";

/** RFC 2661 §5.8: five retransmissions at 1 s, doubling to 8 s. A closed tunnel is kept as long (§5.7). */
const RETRANSMISSION_CYCLE_MS = 31_000;
/** LCP echo: one interval of 30 s of silence, and three that go unanswered. */
const ECHO_MS = 120_000;
/** From when a call can succeed: a host whose logins failed is held back for up to 60 s; redialling; a restart timer. */
const CALL_MS = 120_000;
/** Datagrams that are under way when the links heal, and our own sampling. */
const SLACK_MS = 5_000;
/** One StopCCN a tunnel, and its acknowledgement. */
const STOP_MS = 3_000;

export interface Outcome {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** Of everything that was sent and came of it. */
  readonly hash: number;
  readonly lastLines: readonly string[];
  readonly steps: number;
  /** Virtual. */
  readonly ms: number;
  /** How many machines gave way to ones made from their snapshots, by kind. */
  readonly replaced: ReadonlyMap<string, number>;
  readonly firstIds: Pick<FirstIds, "compared" | "repeated">;
}

/** For tests of the invariants themselves: breaks something of a world before it begins. */
export type Saboteur = (scenario: Scenario, world: World) => void;

/** One seed, from the first call to the last tunnel's end: a storm, a calm, everyone's farewell. */
export async function simulate(options: WorldOptions, sabotage: Saboteur = () => {}): Promise<Outcome> {
  openLeaseBook();
  const world = new World(options);
  const scenario = drawScenario(world);
  sabotage(scenario, world);
  await live(world, scenario);
  return {
    seed: options.seed,
    violation: world.referee.first,
    hash: world.trace.hash,
    lastLines: world.trace.lastLines(),
    steps: world.steps,
    ms: world.timeline.now,
    replaced: world.replaced,
    firstIds: world.firstIds,
  };
}

async function live(world: World, scenario: Scenario): Promise<void> {
  const { chance, trace, referee } = world;
  const { gateways, lacs, switches, lnses, cpes, helloIntervalMs } = scenario;
  const settleMs = helloIntervalMs + RETRANSMISSION_CYCLE_MS + ECHO_MS + SLACK_MS;

  for (const gateway of gateways) gateway.start();
  const stormMs = chance.between(10_000, 90_000);
  watchSilence(world, gateways, helloIntervalMs);
  planFaults(world, scenario, stormMs);
  setWallClocks(world, scenario, stormMs);
  await world.pass(stormMs);

  trace.add("the links are good from now on");
  heal(scenario);
  for (const gateway of gateways) if (gateway.life === undefined) gateway.start();
  for (const cpe of cpes) cpe.calmDown();
  new Agreement(world, scenario, settleMs).watch();
  const served = (): boolean => cpes.every(isServed);
  if (!(await world.until(served, settleMs + CALL_MS)))
    referee.report(
      "everyone gets a working session or a definite no",
      cpes.flatMap((cpe) => (isServed(cpe) ? [] : [`${cpe.name} (${cpe.config.user})`])).join(),
    );
  // mostly the farewell comes at once, so that it meets what is still being taken apart
  if (chance.is(0.25)) {
    if (!(await world.untilSampled(() => disagreements(scenario).length === 0, settleMs)))
      referee.report("both ends agree on who is up", disagreements(scenario).join("; "));
  }

  trace.add("everyone hangs up");
  for (const cpe of cpes) cpe.hangUp();
  const left = (): readonly string[] => [
    ...leftovers(gateways),
    ...leasedAddresses().map((address) => `${address} is leased`),
  ];
  const everyoneIsGone = (): boolean => cpes.every(({ isIdle }) => isIdle) && left().length === 0;
  if (!(await world.untilSampled(everyoneIsGone, settleMs + SLACK_MS)))
    referee.report("nothing is left when all have hung up", left().join("; "));

  await shutDown(world, lacs);
  await shutDown(world, switches);
  if (chance.is(0.1)) {
    await world.untilSampled(() => lnses.every(({ life }) => tunnelsOf(life) === 0), settleMs);
    for (const { name, life } of lnses)
      if (tunnelsOf(life) > 0) referee.report("nothing is left when all have hung up", `${name}: a tunnel`);
  }
  await shutDown(world, lnses);
}

async function shutDown(world: World, gateways: readonly GatewayProcess[]): Promise<void> {
  if (gateways.length === 0) return;
  for (const gateway of gateways) gateway.stop();
  await world.pass(STOP_MS);
  for (const { name, life } of gateways)
    if (life !== undefined) world.referee.report("a gateway stops within 3 s", name);
}

function isServed(cpe: Cpe): boolean {
  if (cpe.config.expects === "no") return cpe.refusedAt !== undefined;
  return cpe.address !== undefined && cpe.provenAt !== undefined;
}

function tunnelsOf(life: GatewayProcess["life"]): number {
  return life?.gateway.tunnels?.views().length ?? 0;
}
