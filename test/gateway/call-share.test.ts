import { describe, expect, it } from "vitest";
import { shareMs } from "../../src/gateway/call-share.ts";

describe("an LNS's share of a caller's patience", () => {
  it("is the same for all that are left to try, so that the last one still has its own", () => {
    for (const count of [1, 2, 3, 5, 12]) {
      let now = 1000;
      const shares: number[] = [];
      for (let others = count - 1; others >= 0; others--) {
        shares.push(shareMs(1000, now, others));
        now += shares.at(-1)!;
      }
      for (const share of shares) expect(share).toBeCloseTo(9000 / count);
      expect(now).toBeCloseTo(10_000);
    }
  });

  it("grows by what others have not used", () => {
    expect(shareMs(0, 0, 2)).toBe(3000);
    expect(shareMs(0, 0, 1)).toBe(4500);
    expect(shareMs(0, 1000, 1)).toBe(4000);
  });

  it("has a least, and no end when the caller's patience should be over", () => {
    expect(shareMs(0, 0, 99)).toBe(500);
    expect(shareMs(0, 8999, 0)).toBe(500);
    expect(shareMs(0, 9000, 3)).toBe(Number.POSITIVE_INFINITY);
  });
});
