/** /healthz and /readyz: asked every few seconds by whoever restarts us, or sends us calls. */

import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 20;
/** Who is woken so late answers nobody in time. */
const STALLED_MS = 1000;
/** For so long it is told that the process was held up: to whoever asks, how many of them there are. */
const TOLD_MS = 10_000;
const READ_EVERY_MS = 1000;

/** The longest of what was noted lately. */
export class LatelyLongest {
  readonly #keptMs: number;
  #noted: readonly { readonly at: number; readonly lengthMs: number }[] = [];

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** `at`: milliseconds of any clock that does not go back. */
  note(at: number, lengthMs: number): void {
    // what is shorter than this, and older, is never the longest again
    const others = this.#noted.filter((each) => each.at >= at - this.#keptMs && each.lengthMs > lengthMs);
    this.#noted = [...others, { at, lengthMs }];
  }

  /** 0 when there is none. */
  longestMs(now: number): number {
    return this.#noted.find(({ at }) => at >= now - this.#keptMs)?.lengthMs ?? 0;
  }
}

/** Whether the process does its work in time. */
export class LoopWatch {
  readonly #delay: IntervalHistogram;
  readonly #stalls = new LatelyLongest(TOLD_MS);
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
    this.#timer = setInterval(() => this.#read(), READ_EVERY_MS).unref();
  }

  /** Why it does not; empty when it does, and has for some seconds. */
  complaints(): readonly string[] {
    this.#read();
    const longestMs = this.#stalls.longestMs(performance.now());
    return longestMs > STALLED_MS ? [`the process was held up for ${(longestMs / 1000).toFixed(1)} s`] : [];
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }

  #read(): void {
    this.#stalls.note(performance.now(), this.#delay.max / 1e6 - RESOLUTION_MS);
    this.#delay.reset();
  }
}
