import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SUM_LENGTH, SUM_OFFSET, SUM_RESULT, SUM_STRIDE } from "../../src/io/addon.ts";
import { addon } from "../../src/io/native.ts";
import { internetChecksum } from "../../src/wire/checksum.ts";

const SIZE = 1 << 17;

describe("sums of stretches", () => {
  const region = addon.createRegion(SIZE);

  /** The sum of each stretch of offset and length. */
  function sums(...stretches: readonly (readonly [number, number])[]): number[] {
    const ranges = new Int32Array(stretches.length * SUM_STRIDE);
    for (const [i, [offset, length]] of stretches.entries()) {
      ranges[i * SUM_STRIDE + SUM_OFFSET] = offset;
      ranges[i * SUM_STRIDE + SUM_LENGTH] = length;
    }
    region.sum(ranges, stretches.length);
    return stretches.map((_, i) => ranges[i * SUM_STRIDE + SUM_RESULT]!);
  }

  it("are what the plain loop makes of them, wherever they start and end", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.array(fc.tuple(fc.nat(300), fc.nat(3000)), { minLength: 1, maxLength: 10 }),
        (seed, stretches) => {
          for (let i = 0; i < 4096; i++) region.bytes[i] = seed[i % seed.length]! + (i >>> 3);
          const plain = ([offset, length]: readonly [number, number]) =>
            ~internetChecksum(region.bytes, offset, length) & 0xffff;
          // all ones and zero are the same sum, which nothing but zeroes gives as zero
          expect(sums(...stretches)).toEqual(stretches.map(plain));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("lose no carry of the largest packets", () => {
    region.bytes.fill(0xff);
    expect(sums([0, 65_535], [1, 65_535], [0, SIZE])).toEqual([0xff00, 0xff00, 0xffff]);
    region.bytes.fill(0);
    expect(sums([0, SIZE], [7, 0])).toEqual([0, 0]);
  });

  it("are -1 of what is not in the region, and the others are right", () => {
    region.bytes.set([1, 2, 3]);
    expect(sums([-1, 4], [SIZE - 1, 2], [0, -1], [0, 3])).toEqual([-1, -1, -1, 0x0402]);
  });

  it("are as many as asked for, and no more than there is room for", () => {
    const ranges = Int32Array.of(0, 1, 7, 0, 1, 7);
    region.sum(ranges, 1);
    expect([...ranges]).toEqual([0, 1, 0x0100, 0, 1, 7]);
    region.sum(ranges, 1000);
    expect(ranges[5]).toBe(0x0100);
    region.sum(ranges, -1);
  });
});
