import { type Instant, NEVER } from "../../src/base/time.ts";

interface Entry {
  readonly at: Instant;
  /** Of two entries for one instant, the one that was planned first comes first. */
  readonly order: number;
  readonly act: () => void;
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Virtual time, in milliseconds, and what is planned in it: a binary heap that keeps the order of equals. */
export class Timeline {
  now: Instant = 0;
  readonly #heap: Entry[] = [];
  #planned = 0;

  next(): Instant {
    return this.#heap[0]?.at ?? NEVER;
  }

  /** Plans `act` for after `delayMs`. */
  after(delayMs: number, act: () => void): void {
    const entry = { at: this.now + delayMs, order: this.#planned++, act };
    const heap = this.#heap;
    let position = heap.length;
    heap.push(entry);
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (!isBefore(entry, heap[parent]!)) break;
      heap[position] = heap[parent]!;
      position = parent;
    }
    heap[position] = entry;
  }

  /** Resolves after `delayMs`. */
  delay(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Lets the first thing happen whose time has come; false when there is none. */
  runOne(): boolean {
    const first = this.#heap[0];
    if (first === undefined || first.at > this.now) return false;
    const last = this.#heap.pop()!;
    if (last !== first) this.#sink(last);
    first.act();
    return true;
  }

  #sink(entry: Entry): void {
    const heap = this.#heap;
    let position = 0;
    for (;;) {
      let child = 2 * position + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, entry)) break;
      heap[position] = heap[child]!;
      position = child;
    }
    heap[position] = entry;
  }
}
