import type { RecordConsumer, RingRecord } from "./record-ring.ts";

/** Records taken from a ring before other events of the control plane get their turn. */
const RECORDS_PER_TURN = 1024;

/** Rings of one kind, one of each worker, and who takes what is in them. */
export class WorkerRings {
  readonly #take: (record: RingRecord) => void;
  readonly #taken: () => void;
  /** By worker. */
  readonly #rings = new Map<number, RecordConsumer>();
  /** Records of rings that were removed, by worker. */
  readonly #past: number[] = [];
  #scheduled = false;
  #closed = false;

  /** `taken`: called after each round of records. */
  constructor(take: (record: RingRecord) => void, taken: () => void = () => {}) {
    this.#take = take;
    this.#taken = taken;
  }

  /** The ring of a worker that begins; what an earlier one has left behind is taken first. */
  set(worker: number, ring: RecordConsumer): void {
    this.remove(worker);
    this.#rings.set(worker, ring);
  }

  /** Of a worker that has ended: what it has left behind is taken. */
  remove(worker: number): void {
    const ring = this.#rings.get(worker);
    this.#rings.delete(worker);
    if (ring === undefined) return;
    this.#drainWhole(ring);
    this.#taken();
    this.#past[worker] = (this.#past[worker] ?? 0) + ring.taken;
  }

  /** Records of a worker that have been taken since the start. */
  taken(worker: number): number {
    return (this.#past[worker] ?? 0) + (this.#rings.get(worker)?.taken ?? 0);
  }

  /** Takes what is there, a bounded number at a time, until the workers are to ring again. */
  drain(): void {
    if (this.#closed) return;
    for (const ring of this.#rings.values()) {
      let budget = RECORDS_PER_TURN;
      do {
        while (budget > 0 && this.#next(ring)) budget -= 1;
        if (budget === 0) {
          this.drainLater();
          break;
        }
      } while (!ring.sleep());
    }
    this.#taken();
  }

  /** Drains in the next turn. */
  drainLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.drain();
    });
  }

  /** Takes all that is there now. */
  drainAll(): void {
    for (const ring of this.#rings.values()) this.#drainWhole(ring);
    this.#taken();
  }

  /** Nothing is taken any more. */
  close(): void {
    this.#closed = true;
  }

  #drainWhole(ring: RecordConsumer): void {
    if (this.#closed) return;
    const end = ring.end();
    while (ring.isBefore(end)) this.#next(ring);
  }

  /** False when the ring is empty. */
  #next(ring: RecordConsumer): boolean {
    const record = ring.take();
    if (record === undefined) return false;
    this.#take(record);
    return true;
  }
}
