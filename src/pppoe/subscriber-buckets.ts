import type { Instant } from "../base/time.ts";
import { type TokenBucketState, takeToken, tokenBucket } from "../base/token-bucket.ts";
import type { SubscriberKey } from "./subscriber-key.ts";

/** So many a second, and so many at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Plain data: a ring of entries, the oldest at `next` once the ring is full. */
export interface SubscriberBucketsState {
  entries: { subscriber: SubscriberKey; bucket: TokenBucketState }[];
  next: number;
}

export function emptySubscriberBuckets(): SubscriberBucketsState {
  return { entries: [], next: 0 };
}

/**
 * One token bucket per subscriber, for the newest `capacity` of them. One that was pushed out starts again
 * with a full bucket: a flood under ever new addresses is for a bucket over all of them to stop.
 */
export class SubscriberBuckets {
  readonly #state: SubscriberBucketsState;
  readonly #rate: Rate;
  readonly #capacity: number;
  readonly #positions: Map<SubscriberKey, number>;

  constructor(state: SubscriberBucketsState, rate: Rate, capacity: number) {
    this.#state = state;
    this.#rate = rate;
    this.#capacity = capacity;
    this.#positions = new Map(state.entries.map(({ subscriber }, position) => [subscriber, position]));
  }

  /** Takes a token of this subscriber if it has one. */
  take(subscriber: SubscriberKey, now: Instant): boolean {
    const position = this.#positions.get(subscriber) ?? this.#add(subscriber, now);
    const { bucket } = this.#state.entries[position]!;
    return takeToken(bucket, now, this.#rate.perSecond, this.#rate.burst);
  }

  #add(subscriber: SubscriberKey, now: Instant): number {
    const position = this.#state.next;
    const evicted = this.#state.entries[position];
    if (evicted !== undefined) this.#positions.delete(evicted.subscriber);
    this.#state.entries[position] = { subscriber, bucket: tokenBucket(this.#rate.burst, now) };
    this.#state.next = (position + 1) % this.#capacity;
    this.#positions.set(subscriber, position);
    return position;
  }
}
