import type { Instant } from "./time.ts";

/** Plain data; `tokens` as of `filledAt`. */
export interface TokenBucketState {
  tokens: number;
  filledAt: Instant;
}

/** A full bucket. */
export function tokenBucket(burst: number, now: Instant): TokenBucketState {
  return { tokens: burst, filledAt: now };
}

/** Takes one token if there is one; the bucket fills at `perSecond` up to `burst`. */
export function takeToken(bucket: TokenBucketState, now: Instant, perSecond: number, burst: number): boolean {
  const elapsed = Math.max(0, now - bucket.filledAt);
  bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * perSecond) / 1000);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}
