import { unstarved } from "./closed-loop.ts";
import { deliveredPerSecond, faultOf, lossPercent, type TrafficReport } from "./traffic-report.ts";

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
  readonly #name: string;
  #windows = WINDOWS;
  #attempt = 0;

  constructor(name: string) {
    this.#name = name;
  }

  /** Sends until a window is narrow enough, which later calls begin with. Rejects when frames were not what went in. */
  async measure(
    send: (window: number) => Promise<TrafficReport>,
  ): Promise<{ readonly framesPerSecond: number; readonly report: TrafficReport; readonly remark: string }> {
    for (;;) {
      const [window = 0, ...narrower] = this.#windows;
      const { report } = await unstarved(async () => ({ report: await send(window) }));
      const fault = faultOf(report);
      if (fault !== undefined) throw new Error(`${this.#name}: ${fault}: ${JSON.stringify(report)}`);
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
