import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { takeToken, tokenBucket } from "../../src/base/token-bucket.ts";

describe("token bucket", () => {
  it("gives its burst at once and then its rate", () => {
    const bucket = tokenBucket(3, 0);
    expect([1, 2, 3, 4].map(() => takeToken(bucket, 0, 2, 3))).toEqual([true, true, true, false]);
    expect(takeToken(bucket, 499, 2, 3)).toBe(false);
    expect(takeToken(bucket, 500, 2, 3)).toBe(true);
    expect(takeToken(bucket, 501, 2, 3)).toBe(false);
  });

  it("never holds more than its burst", () => {
    const bucket = tokenBucket(2, 0);
    const later = [1, 2, 3].map(() => takeToken(bucket, 1_000_000, 100, 2));
    expect(later).toEqual([true, true, false]);
  });

  it("is not filled by a clock that steps back", () => {
    const bucket = tokenBucket(1, 1000);
    expect(takeToken(bucket, 1000, 1, 1)).toBe(true);
    expect(takeToken(bucket, 0, 1, 1)).toBe(false);
  });

  it("gives at most burst and rate times time, whenever it is asked", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(500), { maxLength: 300 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        (gaps, rate, burst) => {
          const bucket = tokenBucket(burst, 0);
          let now = 0;
          let given = 0;
          for (const gap of gaps) {
            now += gap;
            if (takeToken(bucket, now, rate, burst)) given += 1;
          }
          expect(given).toBeLessThanOrEqual(burst + (now * rate) / 1000 + 1e-6);
        },
      ),
    );
  });
});
