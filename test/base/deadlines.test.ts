import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";
import { NEVER } from "../../src/base/time.ts";

type Step =
  | { readonly kind: "set"; readonly key: number; readonly at: number }
  | { readonly kind: "clear"; readonly key: number }
  | { readonly kind: "pop"; readonly now: number };

const key = fc.nat(60);
const instant = fc.nat(200);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("set" as const), key, at: fc.oneof(instant, fc.constant(NEVER)) }),
  fc.record({ kind: fc.constant("clear" as const), key }),
  fc.record({ kind: fc.constant("pop" as const), now: instant }),
);

function earliest(model: ReadonlyMap<number, number>): number {
  return Math.min(NEVER, ...model.values());
}

describe("deadlines", () => {
  it("behave like a list that is searched every time", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 200, maxLength: 400, size: "max" }), (steps) => {
        const deadlines = new Deadlines<number>();
        const model = new Map<number, number>();
        for (const s of steps) {
          if (s.kind === "set") {
            deadlines.set(s.key, s.at);
            if (s.at === NEVER) model.delete(s.key);
            else model.set(s.key, s.at);
          } else if (s.kind === "clear") {
            deadlines.clear(s.key);
            model.delete(s.key);
          } else {
            const due = earliest(model) <= s.now ? earliest(model) : undefined;
            const popped = deadlines.popDue(s.now);
            // which of several equal ones comes first is not promised
            expect(popped === undefined ? undefined : model.get(popped)).toBe(due);
            if (popped !== undefined) model.delete(popped);
          }
          expect(deadlines.size).toBe(model.size);
          expect(deadlines.next()).toBe(earliest(model));
        }
      }),
      { numRuns: 200 },
    );
  });

  it("come out in order of time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 200 }), (instants) => {
        const deadlines = new Deadlines<number>();
        for (const [i, at] of instants.entries()) deadlines.set(i, at);
        const order: number[] = [];
        for (let k = deadlines.popDue(1000); k !== undefined; k = deadlines.popDue(1000))
          order.push(instants[k]!);
        expect(order).toEqual([...instants].sort((a, b) => a - b));
      }),
    );
  });

  it("are due at their instant and not before", () => {
    const deadlines = new Deadlines<string>();
    deadlines.set("a", 10);
    expect(deadlines.popDue(9.999)).toBeUndefined();
    expect(deadlines.popDue(10)).toBe("a");
    expect(deadlines.next()).toBe(NEVER);
  });

  it("of a hundred thousand machines move in no more than logarithmic time", () => {
    const deadlines = new Deadlines<number>();
    for (let i = 0; i < 100_000; i++) deadlines.set(i, i);
    let last = -1;
    let disordered = 0;
    // a quadratic structure needs minutes for this
    for (let i = 0; i < 100_000; i++) deadlines.set(i, (i * 7919) % 100_003);
    for (let k = deadlines.popDue(NEVER - 1); k !== undefined; k = deadlines.popDue(NEVER - 1)) {
      const at = (k * 7919) % 100_003;
      if (at < last) disordered += 1;
      last = at;
    }
    expect(disordered).toBe(0);
  });
});
