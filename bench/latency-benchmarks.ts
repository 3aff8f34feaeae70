import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { measured, WARM_UP_MS, WINDOW } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import { deliveredPerSecond, streamsOf } from "./traffic-report.ts";
import { type Carrier, TrafficStage } from "./traffic-stage.ts";

const SESSIONS = 100;
const OCTETS = 128;
const LOAD = 0.5;
/** What a frame may wait longer in the gateway than in a program that only does its system calls, in times. */
const OF_CEILING = { goal: 1.5 };
const P99_GOAL_US = 100;

/** How long a frame is on its way at half of the load that the LAC carries, and in the bare system calls at the same. */
export function latencyScene({ closedLoopMs }: Extent): Scene<TrafficStage> {
  const pairs = (["up", "down"] as const).map((direction) => {
    const load: Load = { direction, sizes: `${OCTETS}`, milliseconds: closedLoopMs };
    const half = new HalfLoad(load);
    return {
      own: latency(`latency/loop/lac/${direction}/${OCTETS}B`, "lac", half, P99_GOAL_US),
      other: latency(`latency/ceiling/loop-io/${direction}/${OCTETS}B`, "loop-io", half),
    };
  });
  return {
    name: "latency",
    benchmarks: pairs.flatMap(({ own, other }) => [own, other]),
    comparisons: pairs.map(({ own, other }) => ({
      own: own.figures[1]!.name,
      other: other.figures[1]!.name,
      ...OF_CEILING,
    })),
    open: () => TrafficStage.open({ sessions: SESSIONS, beside: ["ceiling"] }),
  };
}

/** Half of what the LAC has carried in a closed loop. */
class HalfLoad {
  readonly #load: Load;
  #framesPerSecond: number | undefined;

  constructor(load: Load) {
    this.#load = load;
  }

  async of(stage: TrafficStage): Promise<Load> {
    if (this.#framesPerSecond === undefined) {
      const closed = { ...this.#load, milliseconds: WARM_UP_MS, window: WINDOW };
      const report = await stage.send("lac", stage.all, closed);
      this.#framesPerSecond = Math.round(LOAD * deliveredPerSecond(report));
    }
    return { ...this.#load, framesPerSecond: this.#framesPerSecond };
  }
}

function latency(name: string, carrier: Carrier, half: HalfLoad, goalUs?: number): Benchmark<TrafficStage> {
  return {
    figures: [
      { name: `${name}/p50`, unit: "µs", better: "lower" },
      { name: `${name}/p99`, unit: "µs", better: "lower", ...(goalUs !== undefined && { goal: goalUs }) },
    ],
    warmUp: async (stage) => void (await half.of(stage)),
    async run(stage) {
      const load = await half.of(stage);
      const { report, remark } = await measured(stage, carrier, stage.all, load);
      const [stream] = streamsOf(report);
      return {
        values: [stream!.latencyUs.p50, stream!.latencyUs.p99],
        remark: remark ?? `at ${load.framesPerSecond} frames/s`,
      };
    },
  };
}
