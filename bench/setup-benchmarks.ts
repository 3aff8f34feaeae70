import { type Benchmark, type Extent, Faulty, type Scene } from "./benchmark.ts";
import type { DialSummary } from "./dial.ts";
import { LnsStage } from "./lns-stage.ts";
import type { Run } from "./results.ts";
import { type DialPace, Stage } from "./stage.ts";

const STEADY_PER_SECOND = 500;
/** Calls that are coming up at one time when the rate is measured that a gateway sustains. */
const AT_ONCE = 256;
/** What two processors must sustain that are shared with both ends of every call. */
const SETUPS_FLOOR = 2000;
/** What a storm may take, in times of what as many calls take one after the other. */
const STORM_FLOOR = 2;

/** Sessions through a LAC: PADI to an open IPCP, by way of LCP, CHAP, ICRQ and proxy AVPs. */
export function lacSetupScene({ setups, steadySetups, deadLns }: Extent): Scene<Stage> {
  return {
    name: "set-ups, LAC",
    benchmarks: [lacSetups(setups), steady(steadySetups), ...(deadLns ? [deadLnsStorm(setups)] : [])],
    open: () => Stage.open(),
  };
}

/** Sessions in an LNS: ICRQ to an open IPCP, by way of LCP and CHAP. */
export function lnsSetupScene(extent: Extent): Scene<LnsStage> {
  const name = "setup/lns";
  return {
    name: "set-ups, LNS",
    benchmarks: [
      {
        figures: setupFigures(name),
        warmUp: async (stage) => void (await lnsSetups(stage, extent.setups)),
        run: (stage) => lnsSetups(stage, extent.setups),
      },
    ],
    open: () => LnsStage.open(),
  };
}

function setupFigures(name: string): Benchmark<never>["figures"] {
  return [
    { name: `${name}/rate`, unit: "sessions/s", better: "higher", floor: SETUPS_FLOOR },
    { name: `${name}/p99`, unit: "ms", better: "lower" },
    { name: `${name}/processor`, unit: "ms/session", better: "lower" },
  ];
}

/**
 * A bounded number at a time: as fast as the LAC takes them, without a queue before it. Then as many all at once, as after a
 * power cut, with the retries of PPPoE and LCP. Rejects when somebody does not get in.
 */
function lacSetups(count: number): Benchmark<Stage> {
  return {
    figures: [...setupFigures("setup/lac"), ...stormFigures("storm/lac")],
    async warmUp(stage) {
      // the rate that is sustained: V8 still compiles during the second ten thousand
      for (const pace of [{ atOnce: AT_ONCE }, {}]) await setUp(stage, count, pace);
    },
    async run(stage) {
      const sustained = await setUp(stage, count, { atOnce: AT_ONCE });
      const { sessionsPerSecond, setupMs } = sustained.summary;
      const storm = await stormed(stage, count, {}, sustained);
      return {
        values: [sessionsPerSecond, setupMs.p99, sustained.processorMs, ...storm.values],
        remark: storm.remark,
      };
    },
  };
}

/** At a rate that leaves the LAC time: how long one subscriber waits. */
function steady(count: number): Benchmark<Stage> {
  const name = `setup/lac/${STEADY_PER_SECOND}-per-second`;
  return {
    figures: [
      { name: `${name}/p50`, unit: "ms", better: "lower" },
      { name: `${name}/p99`, unit: "ms", better: "lower" },
    ],
    warmUp: () => Promise.resolve(),
    async run(stage) {
      const { setupMs } = (await setUp(stage, count, { perSecond: STEADY_PER_SECOND })).summary;
      return { values: [setupMs.p50, setupMs.p99] };
    },
  };
}

/** A storm that goes to two LNSes of which one is dead, which the LAC knows only once: it then locks it out. */
function deadLnsStorm(count: number): Benchmark<Stage> {
  return {
    figures: stormFigures("storm/lac/dead-lns"),
    runs: 1,
    warmUp: () => Promise.resolve(),
    async run(stage) {
      const sustained = await setUp(stage, count, { atOnce: AT_ONCE });
      return stormed(stage, count, { realm: "group" }, sustained);
    },
  };
}

function stormFigures(name: string): Benchmark<never>["figures"] {
  return [
    { name: `${name}/time`, unit: "s", better: "lower" },
    { name: `${name}/versus-sustained`, unit: "times", better: "lower", floor: STORM_FLOOR },
    { name: `${name}/p99`, unit: "ms", better: "lower" },
  ];
}

/** All at once, against as many at the rate that the LAC sustains, just before: what stormFigures() names. */
async function stormed(
  stage: Stage,
  count: number,
  pace: DialPace,
  sustained: SetUp,
): Promise<Run & { readonly remark: string }> {
  const { elapsedMs, setupMs } = (await setUp(stage, count, pace)).summary;
  const ratio = elapsedMs / sustained.summary.elapsedMs;
  const remark = `all at once: ${ratio.toFixed(2)} times what as many take one after the other; at most ${STORM_FLOOR} may be`;
  return { values: [elapsedMs / 1000, ratio, setupMs.p99], remark };
}

interface SetUp {
  readonly summary: DialSummary;
  /** The LAC's processor time for a session. */
  readonly processorMs: number;
}

/** Sets `count` sessions up and hangs up again. Rejects with Faulty when one of them fails. */
async function setUp(stage: Stage, count: number, pace: DialPace): Promise<SetUp> {
  const before = stage.lac.processorSeconds();
  const { child, summary } = await stage.dial(count, pace);
  const processorMs = ((stage.lac.processorSeconds() - before) * 1000) / count;
  await child.stop();
  await stage.lac.untilSessions(0, 0);
  if (summary.failed > 0)
    throw new Faulty(`${summary.failed} of ${count} sessions did not come up`, { cause: summary });
  return { summary, processorMs };
}

async function lnsSetups(stage: LnsStage, count: number): Promise<Run> {
  const before = stage.lns.processorSeconds();
  const { elapsedMs, setupMs } = await stage.call(count);
  const processorMs = ((stage.lns.processorSeconds() - before) * 1000) / count;
  await stage.hangUp();
  return { values: [(count * 1000) / elapsedMs, setupMs.p99, processorMs] };
}
