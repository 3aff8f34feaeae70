import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { Network } from "./namespaces.ts";
import { PtaStage, type TcpDirection } from "./pta-stage.ts";

const MEGABIT = 1e6;
const WARM_UP_MS = 500;
/** What a gateway that terminates must reach of l2tpns, in times. */
const OF_L2TPNS = { goal: 3 };

/** One TCP connection of a subscriber through who terminates his PPPoE session: ours, and Debian's l2tpns. */
export function tcpScene({ tcpMs }: Extent): Scene<PtaStage> {
  const directions = ["down", "up"] as const;
  const own = (direction: TcpDirection): string => `loop/pta/tcp/${direction}`;
  const other = (direction: TcpDirection): string => `peer/l2tpns/pta/tcp/${direction}`;
  return {
    name: "PTA beside l2tpns",
    benchmarks: directions.flatMap((direction) => [
      goodput(own(direction), "own", direction, tcpMs),
      goodput(other(direction), "rival", direction, tcpMs),
    ]),
    comparisons: directions.map((direction) => ({
      own: own(direction),
      other: other(direction),
      ...OF_L2TPNS,
    })),
    open: () => PtaStage.open(),
  };
}

function goodput(
  name: string,
  network: Network,
  direction: TcpDirection,
  milliseconds: number,
): Benchmark<PtaStage> {
  return {
    figures: [{ name, unit: "Mbit/s", better: "higher" }],
    warmUp: async (stage) => void (await stage.tcp(network, direction, WARM_UP_MS)),
    run: async (stage) => ({
      values: [((await stage.tcp(network, direction, milliseconds)) * 8) / MEGABIT],
    }),
  };
}
