import type { RandomSource } from "../../src/base/random.ts";

/** A 32-bit hash of two numbers: inputs are numbered, and each one's dice are seeded by its number alone. */
export function mixed(a: number, b: number): number {
  let t = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ 0x27d4eb2f, 0xc2b2ae35);
  t = Math.imul(t ^ (t >>> 16), 0x7feb352d);
  t = Math.imul(t ^ (t >>> 15), 0x846ca68b);
  return (t ^ (t >>> 16)) >>> 0;
}

/** A number for a text (FNV-1a). */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Reproducible randomness (mulberry32) that can be seeded anew without allocation, millions of times a second. */
export class Dice implements RandomSource {
  #a = 0;

  constructor(seed = 0) {
    this.seed(seed);
  }

  seed(seed: number): void {
    this.#a = seed | 0;
  }

  uint32(): number {
    this.#a = (this.#a + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#a ^ (this.#a >>> 15), 1 | this.#a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** From 0 to n−1; 0 when n is 0. */
  below(n: number): number {
    return n === 0 ? 0 : this.uint32() % n;
  }

  chance(percent: number): boolean {
    return this.uint32() % 100 < percent;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.uint32() % list.length]!;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = this.uint32();
    return bytes;
  }
}
