import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { DialSummary, Stage } from "./stage.ts";

const STEADY_PER_SECOND = 500;

/** Sessions through a LAC: PADI to an open IPCP, by way of LCP, CHAP, ICRQ and proxy AVPs. */
export function setupScene(extent: Extent): Scene {
  return {
    benchmarks: [rush(extent.rushSetups), steady(extent.steadySetups)],
    prepare: () => Promise.resolve(),
  };
}

/** All at once, as after a power cut: from the first PADI until the last is online. */
function rush(count: number): Benchmark {
  const name = "loop/lac/setup/rush";
  return {
    figures: [
      { name: `${name}/rate`, unit: "sessions/s", better: "higher", floor: 1000 },
      { name: `${name}/p50`, unit: "ms", better: "lower" },
      { name: `${name}/p99`, unit: "ms", better: "lower" },
      { name: `${name}/processor`, unit: "ms/session", better: "lower" },
    ],
    warmUp: async (stage) => void (await setUp(stage, count)),
    async run(stage) {
      const { summary, processorMs } = await setUp(stage, count);
      const { sessionsPerSecond, setupMs } = summary;
      return { values: [sessionsPerSecond, setupMs.p50, setupMs.p99, processorMs] };
    },
  };
}

/** At a rate that leaves the LAC time: how long one subscriber waits. */
function steady(count: number): Benchmark {
  const name = `loop/lac/setup/${STEADY_PER_SECOND}-per-second`;
  return {
    figures: [
      { name: `${name}/p50`, unit: "ms", better: "lower" },
      { name: `${name}/p99`, unit: "ms", better: "lower" },
    ],
    warmUp: () => Promise.resolve(),
    async run(stage) {
      const { setupMs } = (await setUp(stage, count, STEADY_PER_SECOND)).summary;
      return { values: [setupMs.p50, setupMs.p99] };
    },
  };
}

interface SetUp {
  readonly summary: DialSummary;
  /** The LAC's processor time for a session. */
  readonly processorMs: number;
}

/** Sets `count` sessions up and hangs up again. Rejects when one of them fails. */
async function setUp(stage: Stage, count: number, ratePerSecond?: number): Promise<SetUp> {
  const before = stage.lacProcessorSeconds();
  const { child, summary } = await stage.dial(count, ratePerSecond);
  const processorMs = ((stage.lacProcessorSeconds() - before) * 1000) / count;
  await child.stop();
  await stage.untilNoSession();
  if (summary.failed > 0) throw new Error(`${summary.failed} of ${count} sessions did not come up`);
  return { summary, processorMs };
}
