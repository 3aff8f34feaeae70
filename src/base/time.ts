/**
 * A point in time, in milliseconds on a monotonic clock whose zero means nothing.
 * Machines get it as an argument and never ask for it.
 */
export type Instant = number;

/** The deadline of a machine that waits for nothing. */
export const NEVER: Instant = Number.POSITIVE_INFINITY;

/** Where the gateway takes the time from. Only gateway/ and what is outside it holds one. */
export interface Clock {
  /** Monotonic, for deadlines. */
  now(): Instant;
  /** Milliseconds since 1970, for what people read. */
  wallClock(): number;
}
