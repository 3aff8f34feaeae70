import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rounded, spreadOf } from "../../bench/statistics.ts";

describe("the spread of several runs", () => {
  it.each([
    [[7], { median: 7, min: 7, max: 7 }],
    [[30, 10, 20], { median: 20, min: 10, max: 30 }],
    [[4, 1, 3, 2], { median: 2.5, min: 1, max: 4 }],
    // as numbers, not as text
    [[9, 10, 100], { median: 10, min: 9, max: 100 }],
  ])("of %j", (values, spread) => {
    expect(spreadOf(values)).toEqual(spread);
  });

  it("does not depend on their order, and leaves half of them on each side", () => {
    // adding zero makes of -0, which no run measures, 0
    const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 }).map((each) => each + 0);
    const values = fc.array(value, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(values, (runs) => {
        const { median, min, max } = spreadOf(runs);
        expect(spreadOf(runs.toReversed())).toEqual({ median, min, max });
        expect(min <= median && median <= max).toBe(true);
        expect(runs.filter((value) => value < median).length).toBeLessThanOrEqual(runs.length / 2);
        expect(runs.filter((value) => value > median).length).toBeLessThanOrEqual(runs.length / 2);
      }),
    );
  });

  it("of no runs is none", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

it("rounds to four significant digits", () => {
  expect([0, 123456, 0.00123456, 999999].map(rounded)).toEqual([0, 123500, 0.001235, 1_000_000]);
});
