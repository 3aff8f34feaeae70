import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LatelyLongest } from "../../src/control/probes.ts";

describe("what held the process up lately", () => {
  it("is told until it is too long ago", () => {
    const stalls = new LatelyLongest(10_000);
    expect(stalls.longestMs(0)).toBe(0);
    stalls.note(1000, 1300);
    stalls.note(2000, 5);
    for (const now of [2000, 2000, 11_000]) expect(stalls.longestMs(now)).toBe(1300);
    expect(stalls.longestMs(11_001)).toBe(5);
    expect(stalls.longestMs(12_001)).toBe(0);
  });

  it("is the longest of all that are not too long ago", () => {
    const steps = fc.array(fc.record({ after: fc.integer({ min: 0, max: 9 }), length: fc.nat(50) }));
    fc.assert(
      fc.property(steps, (list) => {
        const stalls = new LatelyLongest(20);
        const all: { at: number; length: number }[] = [];
        let at = 0;
        for (const { after, length } of list) {
          at += after;
          stalls.note(at, length);
          all.push({ at, length });
          const kept = all.filter((each) => each.at >= at - 20).map((each) => each.length);
          expect(stalls.longestMs(at)).toBe(Math.max(...kept));
        }
      }),
    );
  });
});
