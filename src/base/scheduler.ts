import { Deadlines } from "./deadlines.ts";
import { type Instant, NEVER } from "./time.ts";

/** Something that waits: a machine, with what its timeout leads to. */
export interface Timed {
  deadline(): Instant;
  /** Its time has come, once: what waits again says so by update(). */
  timeout(now: Instant): void;
}

/**
 * How the scheduler is woken: `arm` replaces the wake-up that was asked for before. It may come at a time when
 * nothing is due any more: run() then asks for the next.
 */
export interface Alarm {
  arm(at: Instant): void;
}

/** All deadlines of all machines in one structure, and the one alarm that they need. */
export class Scheduler {
  readonly #deadlines = new Deadlines<Timed>();
  readonly #alarm: Alarm;
  #armedFor: Instant = NEVER;
  #running = false;

  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** When run() must be called next. */
  next(): Instant {
    return this.#deadlines.next();
  }

  /** Asks `timed` again what it waits for: after every input that it got. */
  update(timed: Timed): void {
    this.#deadlines.set(timed, timed.deadline());
    this.#rearm();
  }

  remove(timed: Timed): void {
    this.#deadlines.clear(timed);
    this.#rearm();
  }

  /** Lets everything act whose time has come. */
  run(now: Instant): void {
    this.#running = true;
    try {
      for (;;) {
        const timed = this.#deadlines.popDue(now);
        if (timed === undefined) break;
        timed.timeout(now);
      }
    } finally {
      this.#running = false;
      this.#armedFor = NEVER;
      this.#rearm();
    }
  }

  #rearm(): void {
    if (this.#running) return; // once at the end, not for every machine
    const next = this.#deadlines.next();
    // one that has become too early is left: deadlines move away with every input, and a wake-up costs less
    if (next >= this.#armedFor) return;
    this.#armedFor = next;
    this.#alarm.arm(next);
  }
}
