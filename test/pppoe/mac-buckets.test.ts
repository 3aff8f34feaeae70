import { describe, expect, it } from "vitest";
import { emptyMacBuckets, MacBuckets } from "../../src/pppoe/mac-buckets.ts";
import { hostMac } from "./support.ts";

const RATE = { perSecond: 1, burst: 2 };

describe("token buckets by MAC address", () => {
  it("are each address's own", () => {
    const buckets = new MacBuckets(emptyMacBuckets(), RATE, 10);
    expect([1, 1, 1, 2].map((n) => buckets.take(hostMac(n), 0))).toEqual([true, true, false, true]);
  });

  it("of the oldest address give way to a new one's, and share nothing with it", () => {
    const state = emptyMacBuckets();
    const buckets = new MacBuckets(state, RATE, 2);
    for (const n of [1, 1, 2]) buckets.take(hostMac(n), 0);
    expect(buckets.take(hostMac(1), 0)).toBe(false);
    // 3 takes the place of 1, and 1, come back, that of 2
    expect([3, 3, 3].map((n) => buckets.take(hostMac(n), 0))).toEqual([true, true, false]);
    expect([1, 1, 1].map((n) => buckets.take(hostMac(n), 0))).toEqual([true, true, false]);
    expect(buckets.take(hostMac(3), 0)).toBe(false);
    expect(state.entries).toHaveLength(2);
  });

  it("go on from a copy of their state, in a smaller or larger table too", () => {
    const state = emptyMacBuckets();
    const buckets = new MacBuckets(state, RATE, 4);
    for (const n of [1, 1, 2, 2, 3, 3]) buckets.take(hostMac(n), 0);
    for (const capacity of [2, 4, 8]) {
      const again = new MacBuckets(structuredClone(state), RATE, capacity);
      expect([1, 2, 3].map((n) => again.take(hostMac(n), 0))).toEqual([false, false, false]);
      for (let n = 10; n < 30; n++) expect(again.take(hostMac(n), 0)).toBe(true);
      expect(again.take(hostMac(29), 0)).toBe(true);
      expect(again.take(hostMac(29), 0)).toBe(false);
    }
  });
});
