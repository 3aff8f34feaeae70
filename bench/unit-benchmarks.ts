import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { WARM_UP_MS } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import { outranLac } from "./traffic-report.ts";
import { type Terminator, UnitStage } from "./unit-stage.ts";
import { WidestWindow } from "./widest-window.ts";

const DIRECTIONS = ["up", "down"] as const;
const OCTETS = 128;
const WARM_UP_WINDOW = 256;
/** What an LNS must reach of Debian's l2tpns, in times. */
const OF_L2TPNS = { goal: 1.5 };

/** Frames through an LNS and its device, ours and Debian's l2tpns. */
export function unitScene({ closedLoopMs }: Extent): Scene<UnitStage> {
  const pairs = DIRECTIONS.map((direction) => ({
    own: `loop/lns/${direction}/${OCTETS}B/beside-l2tpns`,
    other: `peer/l2tpns/lns/${direction}/${OCTETS}B`,
    load: { direction, sizes: `${OCTETS}`, milliseconds: closedLoopMs },
  }));
  return {
    name: "LNS beside l2tpns",
    benchmarks: pairs.flatMap(({ own, other, load }) => [
      benchmark(own, "lacewing", load),
      benchmark(other, "l2tpns", load),
    ]),
    comparisons: pairs.map(({ own, other }) => ({ own, other, ...OF_L2TPNS })),
    open: () => UnitStage.open(),
  };
}

function benchmark(name: string, terminator: Terminator, load: Load): Benchmark<UnitStage> {
  const widest = new WidestWindow();
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }],
    warmUp: async (stage) =>
      void (await stage.send(terminator, { ...load, milliseconds: WARM_UP_MS, window: WARM_UP_WINDOW })),
    async run(stage) {
      const { framesPerSecond, report, remark } = await widest.measure((window) =>
        stage.send(terminator, { ...load, window }),
      );
      return { values: [framesPerSecond], limitedByGenerator: !outranLac(report), remark };
    },
  };
}
