/** Parts of long lists: the first rows of an order after a cursor, found without sorting all of them. */

import { OperationError } from "./operation-error.ts";
import { inTurns } from "./turns.ts";

/** What rows are ordered by; of equal ones the number decides, which no two have in common. */
interface Rank {
  readonly key: string | number;
  readonly number: number;
}

interface PageOrder<Item> {
  /** Names the order, so that a cursor of another one is not taken. */
  readonly name: string;
  readonly rankOf: (item: Item) => Rank;
  readonly descending: boolean;
}

interface PageOf<Item> {
  readonly total: number;
  readonly matched: number;
  readonly items: readonly Item[];
  readonly next: string | null;
}

/**
 * The first `limit` items after `cursor`; others get their turn while many are looked at. Rejects with an OperationError
 * when the cursor is not one of this order.
 */
export async function pageOf<Item>(
  items: Iterable<Item>,
  isMeant: (item: Item) => boolean,
  order: PageOrder<Item>,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<PageOf<Item>> {
  const sign = order.descending ? -1 : 1;
  const compare = (a: Rank, b: Rank): number => sign * compareRanks(a, b);
  const after = cursor === undefined ? undefined : parseCursor(cursor, order);
  const first = new Firsts<Item>(limit, compare);
  let total = 0;
  let matched = 0;
  let following = 0;
  await inTurns(items, (item) => {
    total += 1;
    if (!isMeant(item)) return;
    matched += 1;
    const rank = order.rankOf(item);
    if (after !== undefined && compare(rank, after) <= 0) return;
    following += 1;
    first.offer(item, rank);
  });
  const page = first.sorted();
  const last = page.at(-1);
  return {
    total,
    matched,
    items: page.map(({ item }) => item),
    next: last === undefined || following <= page.length ? null : formatCursor(last.rank, order),
  };
}

function compareRanks(a: Rank, b: Rank): number {
  if (a.key === b.key) return a.number - b.number;
  return a.key < b.key ? -1 : 1;
}

interface Ranked<Item> {
  readonly item: Item;
  readonly rank: Rank;
}

/** The first few of many, in a heap whose root is the last of them. */
class Firsts<Item> {
  readonly #most: number;
  readonly #compare: (a: Rank, b: Rank) => number;
  readonly #heap: Ranked<Item>[] = [];

  constructor(most: number, compare: (a: Rank, b: Rank) => number) {
    this.#most = most;
    this.#compare = compare;
  }

  offer(item: Item, rank: Rank): void {
    const heap = this.#heap;
    if (heap.length < this.#most) {
      heap.push({ item, rank });
      this.#siftUp(heap.length - 1);
    } else if (this.#compare(rank, heap[0]!.rank) < 0) {
      heap[0] = { item, rank };
      this.#siftDown();
    }
  }

  sorted(): readonly Ranked<Item>[] {
    return this.#heap.sort((a, b) => this.#compare(a.rank, b.rank));
  }

  #siftUp(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfLater(at, above)) return;
      at = above;
    }
  }

  #siftDown(): void {
    const { length } = this.#heap;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      if (left >= length) return;
      const right = left + 1;
      const later = right < length && this.#isLater(right, left) ? right : left;
      if (!this.#swapIfLater(later, at)) return;
      at = later;
    }
  }

  #isLater(a: number, b: number): boolean {
    return this.#compare(this.#heap[a]!.rank, this.#heap[b]!.rank) > 0;
  }

  #swapIfLater(below: number, above: number): boolean {
    if (!this.#isLater(below, above)) return false;
    const heap = this.#heap;
    [heap[below], heap[above]] = [heap[above]!, heap[below]!];
    return true;
  }
}

function formatCursor({ key, number }: Rank, { name, descending }: PageOrder<never>): string {
  return Buffer.from(JSON.stringify([name, descending, key, number])).toString("base64url");
}

function parseCursor(cursor: string, { name, descending }: PageOrder<never>): Rank {
  const [ofOrder, isDescending, key, number] = readCursor(cursor);
  const isKey = typeof key === "string" || typeof key === "number";
  if (ofOrder !== name || isDescending !== descending || !isKey || typeof number !== "number")
    throw new OperationError(
      "bad-request",
      "the cursor is not one of a list in this order",
      "take `next` of the part before, with the same order",
    );
  return { key, number };
}

function readCursor(cursor: string): readonly unknown[] {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, "base64url").toString());
  } catch {
    // not a cursor of ours: the caller says so
    return [];
  }
  return Array.isArray(value) ? value : [];
}
