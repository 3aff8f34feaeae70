import { describe, expect, it } from "vitest";
import { emptySubscriberBuckets, SubscriberBuckets } from "../../src/pppoe/subscriber-buckets.ts";
import { subscriberKey } from "../../src/pppoe/subscriber-key.ts";
import { hostMac } from "./support.ts";

const RATE = { perSecond: 1, burst: 2 };

describe("token buckets by subscriber", () => {
  it("are each subscriber's own", () => {
    const buckets = new SubscriberBuckets(emptySubscriberBuckets(), RATE, 10);
    expect([1, 1, 1, 2].map((n) => buckets.take(subscriberKey(hostMac(n), []), 0))).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it("are another's in another VLAN, whatever the priority", () => {
    const buckets = new SubscriberBuckets(emptySubscriberBuckets(), RATE, 10);
    const vlans = [0x0007, 0x0007, 0xe007, 0x0008].map((tci) => [{ tpid: 0x8100, tci }]);
    expect(vlans.map((tags) => buckets.take(subscriberKey(hostMac(1), tags), 0))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(buckets.take(subscriberKey(hostMac(1), []), 0)).toBe(true);
  });

  it("of the oldest address give way to a new one's, and share nothing with it", () => {
    const state = emptySubscriberBuckets();
    const buckets = new SubscriberBuckets(state, RATE, 2);
    for (const n of [1, 1, 2]) buckets.take(subscriberKey(hostMac(n), []), 0);
    expect(buckets.take(subscriberKey(hostMac(1), []), 0)).toBe(false);
    // 3 takes the place of 1, and 1, come back, that of 2
    expect([3, 3, 3].map((n) => buckets.take(subscriberKey(hostMac(n), []), 0))).toEqual([true, true, false]);
    expect([1, 1, 1].map((n) => buckets.take(subscriberKey(hostMac(n), []), 0))).toEqual([true, true, false]);
    expect(buckets.take(subscriberKey(hostMac(3), []), 0)).toBe(false);
    expect(state.entries).toHaveLength(2);
  });

  it("go on from a copy of their state, in a smaller or larger table too", () => {
    const state = emptySubscriberBuckets();
    const buckets = new SubscriberBuckets(state, RATE, 4);
    for (const n of [1, 1, 2, 2, 3, 3]) buckets.take(subscriberKey(hostMac(n), []), 0);
    for (const capacity of [2, 4, 8]) {
      const again = new SubscriberBuckets(structuredClone(state), RATE, capacity);
      expect([1, 2, 3].map((n) => again.take(subscriberKey(hostMac(n), []), 0))).toEqual([
        false,
        false,
        false,
      ]);
      for (let n = 10; n < 30; n++) expect(again.take(subscriberKey(hostMac(n), []), 0)).toBe(true);
      expect(again.take(subscriberKey(hostMac(29), []), 0)).toBe(true);
      expect(again.take(subscriberKey(hostMac(29), []), 0)).toBe(false);
    }
  });
});
