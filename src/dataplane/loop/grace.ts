import { controlOf, EPOCH, GRACE_WANTED, PARKED, SEEN, type Tables } from "./tables.ts";

/** What is to be done when no worker can handle a frame any more as the tables were before. */
interface Period {
  readonly epoch: number;
  readonly then: readonly (() => void)[];
}

const NOTHING = (): void => {};
/** Node's queueMicrotask() makes an async resource of each call. */
const ENDED_TURN = Promise.resolve();

/**
 * Grace periods: the control plane's end. Every change of the tables is followed by after(), whose callback runs
 * when each worker has passed the end of a batch since, or is blocked (it reads no table before it has said that
 * it is no longer). Callbacks run in the order of the calls and never before after() has returned. What is changed
 * without waiting in between has one period together: each costs a look at all workers, and perhaps a wake-up.
 */
export class Grace {
  readonly #control: Int32Array;
  readonly #over: () => void;
  /** Of changes whose period has yet to begin. */
  #next: (() => void)[] = [];
  #settled: Promise<void> | undefined;
  #waiting: Period[] = [];
  /** Workers that forward. */
  readonly #running = new Set<number>();
  readonly #begin = () => this.#beginNext();

  /** `over`: to be done before the callbacks when periods are over. */
  constructor(tables: Tables, over: () => void = NOTHING) {
    this.#control = tables.control;
    this.#over = over;
  }

  /** `then` runs after the grace period of what has been changed before. */
  after(then: () => void): void {
    if (this.#next.push(then) === 1) void ENDED_TURN.then(this.#begin);
  }

  /** after() as a promise. */
  settled(): Promise<void> {
    this.#settled ??= new Promise((resolve) => this.after(resolve));
    return this.#settled;
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
    if (due === 0) return;
    const over = this.#waiting;
    this.#waiting = due === over.length ? [] : over.splice(due);
    if (this.#waiting.length === 0) Atomics.store(this.#control, GRACE_WANTED, 0);
    this.#over();
    for (const { then } of over) for (const callback of then) callback();
  }

  #beginNext(): void {
    const then = this.#next;
    this.#next = [];
    this.#settled = undefined;
    const epoch = (Atomics.add(this.#control, EPOCH, 1) + 1) | 0;
    this.#waiting.push({ epoch, then });
    // a worker that passes between this and the look in check() rings the doorbell
    Atomics.store(this.#control, GRACE_WANTED, 1);
    this.check();
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
