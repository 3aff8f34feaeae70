import { Scheduler, type Timed } from "../../src/base/scheduler.ts";
import type { Instant } from "../../src/base/time.ts";

/** More than anything has to do at one instant. */
const LIMIT = 20_000;

/** A scheduler that says so when somebody is due again and again and does nothing about it. */
export class SimScheduler extends Scheduler {
  readonly #now: () => Instant;
  #instant: Instant = 0;
  #updates = 0;

  constructor(now: () => Instant) {
    super({ arm() {} });
    this.#now = now;
  }

  override update(timed: Timed): void {
    const now = this.#now();
    this.#updates = now === this.#instant ? this.#updates + 1 : 0;
    this.#instant = now;
    if (this.#updates > LIMIT) throw new Error(`a ${timed.constructor.name} is due for ever`);
    super.update(timed);
  }
}
