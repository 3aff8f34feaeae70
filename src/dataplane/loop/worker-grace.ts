import { controlOf, EPOCH, GRACE_WANTED, PARKED, SEEN } from "./tables.ts";

/**
 * The least time between two rings of a busy worker. Each wakes the control plane up, which costs as much as some tens
 * of frames; who makes changes all the time looks by himself with each of them, and does not need it.
 */
const RINGS_APART_MS = 4;

/**
 * Grace periods: a worker's end. It says when it has seen the changes that the control plane has made, and rings when
 * somebody waits for that.
 */
export class WorkerGrace {
  readonly #control: Int32Array;
  readonly #seen: number;
  readonly #parked: number;
  readonly #ring: () => void;
  readonly #clock: () => number;
  /** Has seen a change, and has not rung since. */
  #owed = false;
  #rangAt = Number.NEGATIVE_INFINITY;

  /** `control`: of the tables. `ring` wakes the control plane. `clock`: milliseconds, monotonic. */
  constructor(control: Int32Array, worker: number, ring: () => void, clock: () => number) {
    this.#control = control;
    this.#seen = controlOf(worker, SEEN);
    this.#parked = controlOf(worker, PARKED);
    this.#ring = ring;
    this.#clock = clock;
  }

  /** Between two batches, with nothing left to send: what was changed before this is what holds after it. */
  boundary(): void {
    const epoch = Atomics.load(this.#control, EPOCH);
    if (epoch !== this.#control[this.#seen]) {
      Atomics.store(this.#control, this.#seen, epoch);
      this.#owed = true;
    }
    if (this.#owed) this.#ringIfWanted(RINGS_APART_MS);
  }

  /** The worker is about to block, and counts as having seen every change until it wakes up. */
  park(): void {
    Atomics.store(this.#control, this.#parked, 1);
    // after that: who makes a change now sees that this worker is parked
    const changed = Atomics.load(this.#control, EPOCH) !== this.#control[this.#seen];
    if (changed || this.#owed) this.#ringIfWanted(0);
  }

  /** To be called before any table is read again. */
  wake(): void {
    Atomics.store(this.#control, this.#parked, 0);
    this.boundary();
  }

  #ringIfWanted(apartMs: number): void {
    if (Atomics.load(this.#control, GRACE_WANTED) === 1) {
      const now = this.#clock();
      if (now - this.#rangAt < apartMs) return;
      this.#rangAt = now;
      this.#ring();
    }
    this.#owed = false;
  }
}
