import type { Instant } from "../base/time.ts";
import { type TokenBucketState, takeToken, tokenBucket } from "../base/token-bucket.ts";
import { macNumber } from "./subscriber-key.ts";

/** So many a second, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Plain data: a ring of entries, the oldest at `next` once the ring is full. */
export interface MacBucketsState {
  entries: { mac: number; bucket: TokenBucketState }[];
  next: number;
}

export function emptyMacBuckets(): MacBucketsState {
  return { entries: [], next: 0 };
}

/**
 * One token bucket per MAC address, for the newest `capacity` addresses. An address that was pushed out
 * starts again with a full bucket: a flood under ever new addresses is for a bucket over all of them to stop.
 */
export class MacBuckets {
  readonly #state: MacBucketsState;
  readonly #rate: Rate;
  readonly #capacity: number;
  readonly #positions: Map<number, number>;

  constructor(state: MacBucketsState, rate: Rate, capacity: number) {
    this.#state = state;
    this.#rate = rate;
    this.#capacity = capacity;
    this.#positions = new Map(state.entries.map(({ mac }, position) => [mac, position]));
  }

  /** Takes a token of this address if it has one. */
  take(mac: Uint8Array, now: Instant): boolean {
    const key = macNumber(mac);
    const position = this.#positions.get(key) ?? this.#add(key, now);
    const { bucket } = this.#state.entries[position]!;
    return takeToken(bucket, now, this.#rate.perSecond, this.#rate.burst);
  }

  #add(mac: number, now: Instant): number {
    const position = this.#state.next;
    const evicted = this.#state.entries[position];
    if (evicted !== undefined) this.#positions.delete(evicted.mac);
    this.#state.entries[position] = { mac, bucket: tokenBucket(this.#rate.burst, now) };
    this.#state.next = (position + 1) % this.#capacity;
    this.#positions.set(mac, position);
    return position;
  }
}
