/** Plain data: a queue whose first entry is at `head`. */
export interface WaitingLineState<Entry> {
  entries: (Entry | undefined)[];
  head: number;
}

export function emptyLine<Entry>(): WaitingLineState<Entry> {
  return { entries: [], head: 0 };
}

/** Gone entries before the head are thrown away when there are so many. */
const COMPACT_AT = 1024;

/** First come, first served, each key once and at most `capacity` of them. */
export class WaitingLine<Entry extends { readonly key: string }> {
  readonly #state: WaitingLineState<Entry>;
  readonly #capacity: number;
  /** Places, counted from when the line was made. */
  readonly #places = new Map<string, number>();
  #gone = 0;

  constructor(state: WaitingLineState<Entry>, capacity: number) {
    this.#state = state;
    this.#capacity = capacity;
    for (const [i, entry] of state.entries.entries())
      if (entry !== undefined && i >= state.head) this.#places.set(entry.key, i);
  }

  get length(): number {
    return this.#places.size;
  }

  /** Takes the place of the one with its key, or the last. False when the line is full. */
  put(entry: Entry): boolean {
    const { entries } = this.#state;
    const place = this.#places.get(entry.key);
    if (place !== undefined) {
      entries[place - this.#gone] = entry;
      return true;
    }
    if (this.#places.size >= this.#capacity) return false;
    this.#places.set(entry.key, this.#gone + entries.length);
    entries.push(entry);
    return true;
  }

  get(key: string): Entry | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#state.entries[place - this.#gone];
  }

  first(): Entry | undefined {
    return this.#state.entries[this.#state.head];
  }

  /** Takes the first away. */
  shift(): void {
    const s = this.#state;
    const entry = s.entries[s.head];
    if (entry === undefined) return;
    this.#places.delete(entry.key);
    s.entries[s.head] = undefined;
    s.head += 1;
    if (s.head < s.entries.length && s.head < COMPACT_AT) return;
    this.#gone += s.head;
    s.entries.splice(0, s.head);
    s.head = 0;
  }

  clear(): void {
    while (this.length > 0) this.shift();
  }
}
