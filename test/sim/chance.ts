import type { RandomSource } from "../../src/base/random.ts";
import { seededRandom } from "../support/seeded-random.ts";

/** Choices of the simulation, all from one seed. */
export class Chance {
  readonly #random: RandomSource;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** A source of its own for somebody, whose draws shift nobody else's. */
  source(): RandomSource {
    return seededRandom(this.#random.uint32());
  }

  fork(): Chance {
    return new Chance(this.#random.uint32());
  }

  is(probability: number): boolean {
    return this.#random.uint32() < probability * 2 ** 32;
  }

  /**
   * From `min` on, less than `max`, in steps of 2⁻¹⁰: of such times sums are exact, also beside clocks that are ahead.
   */
  between(min: number, max: number): number {
    const steps = Math.floor(((max - min) * 1024 * this.#random.uint32()) / 2 ** 32);
    return min + steps / 1024;
  }

  /** A whole number from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + (this.#random.uint32() % (max - min + 1));
  }

  of<T>(values: readonly T[]): T {
    return values[this.#random.uint32() % values.length]!;
  }
}
