import type { RandomSource } from "../../src/base/random.ts";

/** A reproducible source of randomness (mulberry32): the same seed, the same numbers. */
export function seededRandom(seed: number): RandomSource {
  let a = seed >>> 0;
  const uint32 = (): number => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
  return {
    uint32,
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = uint32();
      return bytes;
    },
  };
}
