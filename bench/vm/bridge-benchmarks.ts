import type { Benchmark, Scene } from "../benchmark.ts";
import type { Load } from "../frames-tool.ts";
import { outranLac } from "../traffic-report.ts";
import { WidestWindow } from "../widest-window.ts";
import { BridgeStage, type Joiner } from "./bridge-stage.ts";

const OCTETS = 64;
const DIRECTIONS = ["up", "down"] as const;
const MILLISECONDS = 500;
/** JavaScript is compiled by a processor that is emulated itself. */
const WARM_UP_MS = { kernel: 300, loop: 3000, xdp: 300 };
const WARM_UP_WINDOW = 64;

/** Frames through the kernel's own bridges of PPP channels and through our engines, in an emulated machine with Debian's kernel. */
export function kernelBridgeScene(): Scene<BridgeStage> {
  const named = DIRECTIONS.map((direction) => {
    const path = `${direction}/${OCTETS}B`;
    const load: Load = { direction, sizes: `${OCTETS}`, milliseconds: MILLISECONDS };
    return { load, other: `peer/kernel-bridge/${path}`, own: own(path) };
  });
  return {
    name: "beside the kernel's bridge",
    benchmarks: named.flatMap(({ load, other, own }) => [
      benchmark(other, "kernel", load),
      ...own.map(({ name, joiner }) => benchmark(name, joiner, load)),
    ]),
    comparisons: named.flatMap(({ other, own }) => own.map(({ name }) => ({ own: name, other }))),
    open: () => BridgeStage.open(),
  };
}

function own(path: string): readonly { readonly name: string; readonly joiner: Joiner }[] {
  return (["loop", "xdp"] as const).map((joiner) => ({ name: `emulated/${joiner}/lac/${path}`, joiner }));
}

function benchmark(name: string, joiner: Joiner, load: Load): Benchmark<BridgeStage> {
  const widest = new WidestWindow();
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }],
    warmUp: async (stage) =>
      void (await stage.send(joiner, { ...load, milliseconds: WARM_UP_MS[joiner], window: WARM_UP_WINDOW })),
    async run(stage) {
      const { framesPerSecond, report, remark } = await widest.measure((window) =>
        stage.send(joiner, { ...load, window }),
      );
      const limitedByGenerator = joiner === "loop" && !outranLac(report);
      return { values: [framesPerSecond], limitedByGenerator, remark: `emulated; ${remark}` };
    },
  };
}
