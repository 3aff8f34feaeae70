import { type Instant, NEVER } from "./time.ts";

/** A key in the heap. It knows where it is, so that moving it looks nothing up. */
interface Entry<Key> {
  readonly key: Key;
  at: Instant;
  position: number;
}

/**
 * The deadlines of all machines in one structure: an indexed binary heap.
 * `set` and `clear` cost O(log n), `next` O(1); each key has at most one deadline.
 */
export class Deadlines<Key> {
  readonly #heap: Entry<Key>[] = [];
  readonly #entries = new Map<Key, Entry<Key>>();

  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline, or NEVER. */
  next(): Instant {
    return this.#heap.length === 0 ? NEVER : this.#heap[0]!.at;
  }

  /** Sets or moves the deadline of `key`; NEVER removes it. */
  set(key: Key, at: Instant): void {
    const entry = this.#entries.get(key);
    if (at === NEVER) {
      if (entry !== undefined) this.#remove(entry);
    } else if (entry === undefined) {
      const added = { key, at, position: this.#heap.length };
      this.#entries.set(key, added);
      this.#heap.push(added);
      this.#siftUp(added);
    } else if (at < entry.at) {
      entry.at = at;
      this.#siftUp(entry);
    } else if (at > entry.at) {
      entry.at = at;
      this.#siftDown(entry);
    }
  }

  clear(key: Key): void {
    this.set(key, NEVER);
  }

  /** Takes out the earliest key whose deadline is not after `now`; undefined when none is due. */
  popDue(now: Instant): Key | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.at > now) return undefined;
    this.#remove(first);
    return first.key;
  }

  #remove(entry: Entry<Key>): void {
    this.#entries.delete(entry.key);
    const last = this.#heap.pop()!;
    if (last === entry) return;
    this.#place(last, entry.position);
    this.#siftUp(last);
    this.#siftDown(last);
  }

  #place(entry: Entry<Key>, position: number): void {
    this.#heap[position] = entry;
    entry.position = position;
  }

  #siftUp(entry: Entry<Key>): void {
    let { position } = entry;
    while (position > 0) {
      const parent = this.#heap[(position - 1) >> 1]!;
      if (parent.at <= entry.at) break;
      const above = parent.position;
      this.#place(parent, position);
      position = above;
    }
    this.#place(entry, position);
  }

  #siftDown(entry: Entry<Key>): void {
    const heap = this.#heap;
    let { position } = entry;
    for (;;) {
      const left = 2 * position + 1;
      if (left >= heap.length) break;
      const right = left + 1;
      const least = right < heap.length && heap[right]!.at < heap[left]!.at ? right : left;
      const child = heap[least]!;
      if (child.at >= entry.at) break;
      this.#place(child, position);
      position = least;
    }
    this.#place(entry, position);
  }
}
