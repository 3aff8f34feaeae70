import { type Instant, NEVER } from "./time.ts";

/**
 * The deadlines of all machines in one structure: an indexed binary heap.
 * `set` and `clear` cost O(log n), `next` O(1); each key has at most one deadline.
 */
export class Deadlines<Key> {
  readonly #keys: Key[] = [];
  readonly #instants: Instant[] = [];
  readonly #positions = new Map<Key, number>();

  get size(): number {
    return this.#keys.length;
  }

  /** The earliest deadline, or NEVER. */
  next(): Instant {
    return this.#instants[0] ?? NEVER;
  }

  /** Sets or moves the deadline of `key`; NEVER removes it. */
  set(key: Key, at: Instant): void {
    const position = this.#positions.get(key);
    if (at === NEVER) {
      if (position !== undefined) this.#removeAt(position);
      return;
    }
    if (position === undefined) {
      this.#place(this.#keys.length, key, at);
      this.#siftUp(this.#keys.length - 1);
      return;
    }
    const before = this.#instants[position]!;
    this.#instants[position] = at;
    if (at < before) this.#siftUp(position);
    else this.#siftDown(position);
  }

  clear(key: Key): void {
    this.set(key, NEVER);
  }

  /** Takes out the earliest key whose deadline is not after `now`; undefined when none is due. */
  popDue(now: Instant): Key | undefined {
    if (this.next() > now) return undefined;
    const key = this.#keys[0];
    this.#removeAt(0);
    return key;
  }

  #place(position: number, key: Key, at: Instant): void {
    this.#keys[position] = key;
    this.#instants[position] = at;
    this.#positions.set(key, position);
  }

  #removeAt(position: number): void {
    this.#positions.delete(this.#keys[position]!);
    const lastKey = this.#keys.pop()!;
    const lastInstant = this.#instants.pop()!;
    if (position === this.#keys.length) return;
    this.#place(position, lastKey, lastInstant);
    this.#siftUp(position);
    this.#siftDown(position);
  }

  #siftUp(start: number): void {
    let position = start;
    while (position > 0) {
      const parent = (position - 1) >> 1;
      if (this.#instants[parent]! <= this.#instants[position]!) return;
      this.#swap(parent, position);
      position = parent;
    }
  }

  #siftDown(start: number): void {
    let position = start;
    for (;;) {
      const left = 2 * position + 1;
      const right = left + 1;
      let least = position;
      if (left < this.#keys.length && this.#instants[left]! < this.#instants[least]!) least = left;
      if (right < this.#keys.length && this.#instants[right]! < this.#instants[least]!) least = right;
      if (least === position) return;
      this.#swap(least, position);
      position = least;
    }
  }

  #swap(a: number, b: number): void {
    const key = this.#keys[a]!;
    const at = this.#instants[a]!;
    this.#place(a, this.#keys[b]!, this.#instants[b]!);
    this.#place(b, key, at);
  }
}
