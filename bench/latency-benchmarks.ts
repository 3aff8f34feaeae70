import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { measured, WARM_UP_MS, WINDOW, withoutLoss } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import { deliveredPerSecond, streamsOf } from "./traffic-report.ts";
import { type Carrier, TrafficStage } from "./traffic-stage.ts";

const SESSIONS = 100;
const OCTETS = 128;
const LOAD = 0.5;
/** What a frame may wait longer in the gateway than in a program that only does its system calls, in times. */
const OF_CEILING = { goal: 1.5 };
/** Where nobody else wants the processors. */
const P99_GOAL_US = 100;
/** V8 still compiles for some time. */
const WARM_UP_PACED_MS = 1000;

/**
 * How long a frame is on its way at half of the load that the LAC carries, and in the bare system calls at the same: among
 * the other processes of the machine, and ahead of them.
 */
export function latencyScene({ closedLoopMs }: Extent): Scene<TrafficStage> {
  const pairs = (["up", "down"] as const).flatMap((direction) => {
    const load: Load = { direction, sizes: `${OCTETS}`, milliseconds: closedLoopMs };
    const half = new HalfLoad(load);
    return [false, true].map((freeCore) => {
      const path = `${direction}/${OCTETS}B${freeCore ? "/free-core" : ""}`;
      const goalUs = freeCore ? P99_GOAL_US : undefined;
      return {
        own: latency(`latency/loop/lac/${path}`, "lac", half, freeCore, goalUs),
        other: latency(`latency/ceiling/loop-io/${path}`, "loop-io", half, freeCore),
      };
    });
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
      const closed = { ...this.#load, milliseconds: WARM_UP_MS, window: WINDOW, freeCore: true };
      const report = await stage.send("lac", stage.all, closed);
      this.#framesPerSecond = Math.round(LOAD * deliveredPerSecond(report));
    }
    return { ...this.#load, framesPerSecond: this.#framesPerSecond };
  }
}

function latency(
  name: string,
  carrier: Carrier,
  half: HalfLoad,
  freeCore: boolean,
  goalUs?: number,
): Benchmark<TrafficStage> {
  return {
    figures: [
      { name: `${name}/p50`, unit: "µs", better: "lower" },
      { name: `${name}/p99`, unit: "µs", better: "lower", ...(goalUs !== undefined && { goal: goalUs }) },
    ],
    async warmUp(stage) {
      const load = await half.of(stage);
      if (carrier === "lac" && !freeCore)
        await stage.send(carrier, stage.all, {
          ...load,
          milliseconds: WARM_UP_PACED_MS,
          freeCore: true,
        });
    },
    async run(stage) {
      const load = { ...(await half.of(stage)), freeCore };
      // what was lost has no latency
      const { report, remark } = await withoutLoss(() => measured(stage, carrier, stage.all, load));
      const [stream] = streamsOf(report);
      return {
        values: [stream!.latencyUs.p50, stream!.latencyUs.p99],
        remark: remark ?? `at ${load.framesPerSecond} frames/s`,
      };
    },
  };
}
