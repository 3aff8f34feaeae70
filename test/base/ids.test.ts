import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdPool } from "../../src/base/ids.ts";
import { seededRandom } from "../support/seeded-random.ts";

describe("id pool", () => {
  it("gives out every id once, from a random start and around the end", () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 0, max: 100 }), fc.nat(300), (seed, min, span) => {
        const pool = IdPool.create(seededRandom(seed), min, min + span);
        const taken = Array.from({ length: span + 1 }, () => pool.take()!);
        expect(new Set(taken).size).toBe(span + 1);
        expect(Math.min(...taken)).toBe(min);
        expect(Math.max(...taken)).toBe(min + span);
        expect(pool.take()).toBeUndefined();
      }),
    );
  });

  it("starts elsewhere with other randomness", () => {
    const starts = new Set(
      Array.from({ length: 20 }, (_, seed) => IdPool.create(seededRandom(seed), 1, 0xfffe).take()),
    );
    expect(starts.size).toBeGreaterThan(15);
  });

  it("reuses the id that has been free for longest, and a fresh one before it", () => {
    const pool = IdPool.create(seededRandom(1), 1, 4);
    const [a, b] = [pool.take()!, pool.take()!];
    pool.release(b);
    pool.release(a);
    const fresh = [pool.take()!, pool.take()!];
    expect(new Set([a, b, ...fresh]).size).toBe(4);
    expect([pool.take(), pool.take(), pool.take()]).toEqual([b, a, undefined]);
  });

  it("never gives out an id that is out, and goes on from a copy of its state", () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.nat(9), { maxLength: 400 }), (seed, choices) => {
        let pool = IdPool.create(seededRandom(seed), 10, 29);
        const out: number[] = [];
        for (const choice of choices) {
          pool = new IdPool(structuredClone(pool.state));
          if (choice < 4 && out.length > 0) {
            pool.release(out.splice(choice % out.length, 1)[0]!);
            continue;
          }
          const id = pool.take();
          if (id === undefined) expect(out.length).toBe(20);
          else {
            expect(out).not.toContain(id);
            out.push(id);
          }
        }
      }),
    );
  });

  it("stays small over a million calls", () => {
    const pool = IdPool.create(seededRandom(3), 1, 100);
    for (let i = 0; i < 1_000_000; i++) pool.release(pool.take()!);
    expect(pool.state.released.length).toBeLessThan(5_000);
  });
});
