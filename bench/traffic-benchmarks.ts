import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { Load, Stage } from "./stage.ts";
import { deliveredPerSecond, faultOf, lossPercent, streamsOf, type TrafficReport } from "./traffic-report.ts";

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
export function trafficScene(extent: Extent): Scene {
  const closed = DIRECTIONS.flatMap((direction) =>
    SIZES.map((octets) =>
      closedLoop({ direction, octets, milliseconds: extent.closedLoopMs, window: WINDOW }),
    ),
  );
  return {
    benchmarks: [...closed, paced(extent.pacedMs)],
    prepare: (stage) => stage.prepareSessions(SESSIONS),
  };
}

/** As many frames as the LAC carries without loss, and its processor time for each. */
function closedLoop(load: Load): Benchmark {
  const name = `loop/lac/${load.direction}/${load.octets}B`;
  return {
    figures: [
      { name, unit: "frames/s", better: "higher" },
      { name: `${name}/processor`, unit: "ns/frame", better: "lower" },
    ],
    warmUp: (stage) => warmUp(stage, load),
    async run(stage) {
      const before = stage.lacProcessorSeconds();
      const report = await stage.traffic(load);
      const processorSeconds = stage.lacProcessorSeconds() - before;
      mustBeSound(name, report);
      const loss = lossPercent(report);
      if (loss > MOST_LOSS_PERCENT) throw new Error(`${name}: ${loss} % lost of what was never too much`);
      const frames = streamsOf(report).reduce((sum, { received }) => sum + received, 0);
      return [deliveredPerSecond(report), (processorSeconds * 1e9) / frames];
    },
  };
}

/** Loss at a fixed rate in both directions at once. */
function paced(milliseconds: number): Benchmark {
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
    async run(stage) {
      const before = stage.lacProcessorSeconds();
      const report = await stage.traffic(load);
      const processorSeconds = stage.lacProcessorSeconds() - before;
      mustBeSound(name, report, PACED_FRAMES_PER_SECOND);
      const frames = streamsOf(report).reduce((sum, { received }) => sum + received, 0);
      return [lossPercent(report), (processorSeconds * 1e9) / frames];
    },
  };
}

async function warmUp(stage: Stage, load: Load): Promise<void> {
  await stage.traffic({ ...load, milliseconds: WARM_UP_MS });
}

function mustBeSound(name: string, report: TrafficReport, offeredPerSecond?: number): void {
  const fault = faultOf(report, offeredPerSecond);
  if (fault !== undefined) throw new Error(`${name}: ${fault}: ${JSON.stringify(report)}`);
}
