import type { Benchmark } from "./benchmark.ts";
import { unstarved } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import {
  deliveredPerSecond,
  lossPercent,
  mustBeSound,
  outranLac,
  type TrafficReport,
} from "./traffic-report.ts";
import type { Carrier, TrafficStage } from "./traffic-stage.ts";

/** Frames on the way in each direction. */
const WINDOWS = [1024, 512, 256, 128, 64, 32];
/** A run that loses more has not measured what can be carried. */
const MOST_LOSS_PERCENT = 0.1;
/** Somebody else may take the processor for so long that a queue overflows. */
const ATTEMPTS = 2;

/**
 * As many frames as go through somebody without more loss than there may be: with the widest window of which that is
 * true. If he loses more of the narrowest, too, that counts for him.
 */
export class WidestWindow {
  #windows = WINDOWS;
  #attempt = 0;

  /** Sends until a window is narrow enough, which later calls begin with. Rejects with Faulty when frames were not what went in. */
  async measure(
    send: (window: number) => Promise<TrafficReport>,
  ): Promise<{ readonly framesPerSecond: number; readonly report: TrafficReport; readonly remark: string }> {
    for (;;) {
      const [window = 0, ...narrower] = this.#windows;
      const { report } = await unstarved(async () => ({ report: await send(window) }));
      mustBeSound(report);
      const loss = lossPercent(report);
      if (loss <= MOST_LOSS_PERCENT || narrower.length === 0) {
        this.#attempt = 0;
        const remark = `${window} frames on the way, ${loss.toFixed(3)} % lost`;
        return { framesPerSecond: deliveredPerSecond(report), report, remark };
      }
      this.#attempt += 1;
      if (this.#attempt < ATTEMPTS) continue;
      this.#attempt = 0;
      this.#windows = narrower;
    }
  }
}

/** As many frames as go through `carrier` by the widest window that is narrow enough for it. */
export function widestWindow(name: string, carrier: Carrier, what: Load): Benchmark<TrafficStage> {
  const widest = new WidestWindow();
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }],
    warmUp: () => Promise.resolve(),
    async run(stage) {
      const send = (window: number) => stage.send(carrier, stage.one, { ...what, window });
      const { framesPerSecond, report, remark } = await widest.measure(send);
      return { values: [framesPerSecond], limitedByGenerator: !outranLac(report), remark };
    },
  };
}
