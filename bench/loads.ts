import type { Extent } from "./benchmark.ts";
import type { Load } from "./frames-tool.ts";
import type { TrafficStage } from "./traffic-stage.ts";

/** The sizes of a mix, with their shares of twelve. */
const MIX = "64:7,594:4,1492:1";

/** One size to one LNS, or the mix to all of them. */
export interface NamedLoad {
  /** "up/64B", "both/mix". */
  readonly path: string;
  /** "64B", "mix". */
  readonly size: string;
  readonly load: Load;
  readonly sessions: (stage: TrafficStage) => string;
}

export function loadsOf(
  { sizes, closedLoopMs }: Extent,
  directions: readonly Load["direction"][],
): readonly NamedLoad[] {
  return directions.flatMap((direction) => [
    ...sizes.map((octets) => ({
      path: `${direction}/${octets}B`,
      size: `${octets}B`,
      load: { direction, sizes: `${octets}`, milliseconds: closedLoopMs },
      sessions: (stage: TrafficStage) => stage.one,
    })),
    {
      path: `${direction}/mix`,
      size: "mix",
      load: { direction, sizes: MIX, milliseconds: closedLoopMs },
      sessions: (stage: TrafficStage) => stage.all,
    },
  ]);
}
