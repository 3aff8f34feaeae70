import { controlOf, EPOCH, GRACE_WANTED, PARKED, SEEN, type Tables } from "./tables.ts";

/** Something to do when no worker can handle a frame any more as the tables were before. */
interface Waiting {
  readonly epoch: number;
  readonly then: () => void;
}

/**
 * Grace periods: the control plane's end. Every change of the tables is followed by after(), whose callback runs
 * when each worker has passed the end of a batch since, or is blocked (it reads no table before it has said that
 * it is no longer). Callbacks run in the order of the calls and never before after() has returned.
 */
export class Grace {
  readonly #control: Int32Array;
  readonly #waiting: Waiting[] = [];
  /** Workers that forward. */
  readonly #running = new Set<number>();
  #scheduled = false;

  constructor(tables: Tables) {
    this.#control = tables.control;
  }

  /** `then` runs after the grace period that begins now. */
  after(then: () => void): void {
    const epoch = (Atomics.add(this.#control, EPOCH, 1) + 1) | 0;
    this.#waiting.push({ epoch, then });
    // a worker that passes between this and the look in check() rings the doorbell
    Atomics.store(this.#control, GRACE_WANTED, 1);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.check();
    });
  }

  /** To be called before the worker's thread is started: until it first blocks it reads no table. */
  begins(worker: number): void {
    Atomics.store(this.#control, controlOf(worker, PARKED), 1);
    this.#running.add(worker);
  }

  /** The worker forwards no more. */
  ended(worker: number): void {
    this.#running.delete(worker);
    this.check();
  }

  /** Runs what is due; to be called when the doorbell rings. */
  check(): void {
    let due = 0;
    while (due < this.#waiting.length && this.#isOver(this.#waiting[due]!.epoch)) due += 1;
    const ready = this.#waiting.splice(0, due);
    if (this.#waiting.length === 0) Atomics.store(this.#control, GRACE_WANTED, 0);
    for (const { then } of ready) then();
  }

  #isOver(epoch: number): boolean {
    for (const worker of this.#running) {
      if (Atomics.load(this.#control, controlOf(worker, PARKED)) === 1) continue;
      // epochs wrap around
      if (((Atomics.load(this.#control, controlOf(worker, SEEN)) - epoch) | 0) < 0) return false;
    }
    return true;
  }
}
