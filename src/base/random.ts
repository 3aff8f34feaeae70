/** Where randomness comes from. Passed in: the system's in production, a seeded one in tests. */
export interface RandomSource {
  /** A new array of `length` random octets. */
  bytes(length: number): Uint8Array;
  /** A random integer from 0 to 2³²−1. */
  uint32(): number;
}

/** A random integer from `min` to `max`, both included; the range is at most 2³². */
export function randomBetween(random: RandomSource, min: number, max: number): number {
  return min + (random.uint32() % (max - min + 1));
}
