import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { WARM_UP_MS } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import { outranLac } from "./traffic-report.ts";
import { type Terminator, type TerminatorRole, UnitStage } from "./unit-stage.ts";
import { WidestWindow } from "./widest-window.ts";

const ROLES = ["lns", "pta"] as const;
const DIRECTIONS = ["up", "down"] as const;
const OCTETS = 128;
const WARM_UP_WINDOW = 256;
/** What who terminates must reach of Debian's l2tpns, in times. */
const OF_L2TPNS = { goal: 1.5 };

/** Frames through an LNS or a PTA and its device, ours and Debian's l2tpns. */
export function unitScene({ closedLoopMs }: Extent): Scene<UnitStage> {
  const pairs = ROLES.flatMap((role) =>
    DIRECTIONS.map((direction) => ({
      role,
      own: `loop/${role}/${direction}/${OCTETS}B/beside-l2tpns`,
      other: `peer/l2tpns/${role}/${direction}/${OCTETS}B`,
      load: { direction, sizes: `${OCTETS}`, milliseconds: closedLoopMs },
    })),
  );
  return {
    name: "LNS and PTA beside l2tpns",
    benchmarks: pairs.flatMap(({ role, own, other, load }) => [
      benchmark(own, "lacewing", role, load),
      benchmark(other, "l2tpns", role, load),
    ]),
    comparisons: pairs.map(({ own, other }) => ({ own, other, ...OF_L2TPNS })),
    open: () => UnitStage.open(),
  };
}

function benchmark(
  name: string,
  terminator: Terminator,
  role: TerminatorRole,
  load: Load,
): Benchmark<UnitStage> {
  const widest = new WidestWindow();
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }],
    async warmUp(stage) {
      const short = { ...load, milliseconds: WARM_UP_MS, window: WARM_UP_WINDOW };
      await stage.send(terminator, role, short);
    },
    async run(stage) {
      const { framesPerSecond, report, remark } = await widest.measure((window) =>
        stage.send(terminator, role, { ...load, window }),
      );
      return { values: [framesPerSecond], limitedByGenerator: !outranLac(report), remark };
    },
  };
}
