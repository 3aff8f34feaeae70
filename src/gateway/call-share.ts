import type { Instant } from "../base/time.ts";

/**
 * A CPE waits ten seconds for an answer to its authentication. What it waits for has to begin with the last LNS by
 * then, and to arrive.
 */
const CALL_MS = 9000;
/** What an LNS gets at least: two round trips to the far side of the world. */
const LEAST_SHARE_MS = 500;

/**
 * How long one LNS may hold a call for which `others` are left to try: an equal share of the time that is left of a
 * caller's patience. Infinity when that is over already, and nothing is to be gained by haste.
 */
export function shareMs(startedAt: Instant, now: Instant, others: number): number {
  const left = startedAt + CALL_MS - now;
  return left <= 0 ? Number.POSITIVE_INFINITY : Math.max(LEAST_SHARE_MS, left / (others + 1));
}
