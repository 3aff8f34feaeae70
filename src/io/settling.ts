import { type Instant, NEVER } from "../base/time.ts";

/** In milliseconds. */
export interface SettlingTimes {
  /** From the first of several changes to when they are told of, together. */
  readonly coalesceMs: number;
  /** Without a change, until things count as settled. */
  readonly settleMs: number;
  /** From one such moment to the next, when nothing is heard. */
  readonly refreshMs: number;
}

/**
 * When to look again at what others change: soon after something was heard, and once more when nothing has been heard for
 * a while; from then on at intervals, since not everything is announced.
 */
export class Settling {
  readonly #times: SettlingTimes;
  #changedAt: Instant = NEVER;
  #settledAt: Instant;

  constructor(now: Instant, times: SettlingTimes) {
    this.#times = times;
    this.#settledAt = now + times.refreshMs;
  }

  heard(now: Instant): void {
    this.#changedAt = Math.min(this.#changedAt, now + this.#times.coalesceMs);
    this.#settledAt = now + this.#times.settleMs;
  }

  deadline(): Instant {
    return Math.min(this.#changedAt, this.#settledAt);
  }

  /** What is the case now; undefined before the deadline. */
  timeout(now: Instant): "changed" | "settled" | undefined {
    if (now >= this.#settledAt) {
      this.#changedAt = NEVER;
      this.#settledAt = now + this.#times.refreshMs;
      return "settled";
    }
    if (now < this.#changedAt) return undefined;
    this.#changedAt = NEVER;
    return "changed";
  }
}
