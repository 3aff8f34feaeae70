/** /healthz and /readyz: asked every few seconds by whoever restarts us, or sends us calls. */

import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 20;
/** Who is woken so late answers nobody in time. */
const STALLED_MS = 1000;

/** Whether the process does its work in time. */
export class LoopWatch {
  readonly #delay: IntervalHistogram;

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  /** Why it does not; empty when it does. It is about the time since this was last asked. */
  complaints(): readonly string[] {
    const longestMs = this.#delay.max / 1e6 - RESOLUTION_MS;
    this.#delay.reset();
    return longestMs > STALLED_MS ? [`the process was held up for ${(longestMs / 1000).toFixed(1)} s`] : [];
  }

  close(): void {
    this.#delay.disable();
  }
}
