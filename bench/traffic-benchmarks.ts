import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { Run } from "./results.ts";
import { type Load, Stage } from "./stage.ts";
import {
  deliveredPerSecond,
  faultOf,
  lossPercent,
  outranLac,
  streamsOf,
  type TrafficReport,
} from "./traffic-report.ts";

const SESSIONS = 100;
const DIRECTIONS = ["up", "down", "both"] as const;
const SIZES = [64, 512, 1400] as const;
/** Frames on the way in each direction: enough to keep the LAC busy, and less than any of its queues holds. */
const WINDOW = 1024;
const WARM_UP_MS = 1000;
/** A closed loop that loses more has not measured what the LAC can carry. */
const MOST_LOSS_PERCENT = 0.1;

const PACED_OCTETS = 128;
const PACED_FRAMES_PER_SECOND = 100_000;

/** Frames through a LAC, over several sessions of one tunnel. */
export function trafficScene(extent: Extent): Scene<Stage> {
  const closed = DIRECTIONS.flatMap((direction) =>
    SIZES.map((octets) =>
      closedLoop({ direction, octets, milliseconds: extent.closedLoopMs, window: WINDOW }),
    ),
  );
  return {
    benchmarks: [...closed, paced(extent.pacedMs)],
    open: async () => {
      const stage = await Stage.open();
      await stage.prepareSessions(SESSIONS);
      return stage;
    },
  };
}

/** As many frames as the LAC carries without loss, and its processor time for each. */
function closedLoop(load: Load): Benchmark<Stage> {
  const name = `loop/lac/${load.direction}/${load.octets}B`;
  return {
    figures: [
      { name, unit: "frames/s", better: "higher" },
      { name: `${name}/processor`, unit: "ns/frame", better: "lower" },
    ],
    warmUp: (stage) => warmUp(stage, load),
    async run(stage) {
      const { report, processorNs, remark } = await measured(stage, name, load);
      const loss = lossPercent(report);
      if (loss > MOST_LOSS_PERCENT) throw new Error(`${name}: ${remark}, of what was never too much`);
      return {
        values: [deliveredPerSecond(report), processorNs],
        limitedByGenerator: !outranLac(report),
        ...(remark !== undefined && { remark }),
      };
    },
  };
}

/** Loss at a fixed rate in both directions at once. */
function paced(milliseconds: number): Benchmark<Stage> {
  const load: Load = {
    direction: "both",
    octets: PACED_OCTETS,
    milliseconds,
    framesPerSecond: PACED_FRAMES_PER_SECOND,
  };
  const name = `loop/lac/both/${PACED_OCTETS}B/paced-${PACED_FRAMES_PER_SECOND / 1000}k`;
  return {
    figures: [
      { name: `${name}/loss`, unit: "%", better: "lower", floor: 0.1 },
      { name: `${name}/processor`, unit: "ns/frame", better: "lower" },
    ],
    warmUp: (stage) => warmUp(stage, load),
    async run(stage): Promise<Run> {
      const { report, processorNs, remark } = await measured(stage, name, load);
      return { values: [lossPercent(report), processorNs], ...(remark !== undefined && { remark }) };
    },
  };
}

async function warmUp(stage: Stage, load: Load): Promise<void> {
  await stage.traffic({ ...load, milliseconds: WARM_UP_MS });
}

interface Measured {
  readonly report: TrafficReport;
  /** The LAC's processor time for a frame. */
  readonly processorNs: number;
  /** What was lost, and what the LAC says about it. */
  readonly remark: string | undefined;
}

/** Rejects when what came out cannot be what went in, or when the generator did not keep its rate. */
async function measured(stage: Stage, name: string, load: Load): Promise<Measured> {
  const dropsBefore = await stage.drops();
  const before = stage.lac.processorSeconds();
  const report = await stage.traffic(load);
  const processorSeconds = stage.lac.processorSeconds() - before;
  const fault = faultOf(report, load.framesPerSecond);
  if (fault !== undefined) throw new Error(`${name}: ${fault}: ${JSON.stringify(report)}`);
  const frames = streamsOf(report).reduce((sum, { received }) => sum + received, 0);
  const lost = streamsOf(report).reduce((sum, stream) => sum + stream.lost, 0);
  return {
    report,
    processorNs: (processorSeconds * 1e9) / frames,
    remark: lost === 0 ? undefined : lossRemark(lost, report, dropsBefore, await stage.drops()),
  };
}

type Drops = Readonly<Record<string, number>>;

function lossRemark(lost: number, report: TrafficReport, before: Drops, after: Drops): string {
  const reasons = Object.entries(after)
    .map(([reason, count]) => ({ reason, count: count - (before[reason] ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ reason, count }) => `${reason} ${count}`);
  const known = reasons.length === 0 ? "counts no drop" : `counts ${reasons.join(", ")}`;
  return `${lost} frames lost (${lossPercent(report).toFixed(3)} %); the LAC ${known}; the generator paused for up to ${report.longestPauseMs} ms`;
}
