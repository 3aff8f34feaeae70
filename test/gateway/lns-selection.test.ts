import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LnsGroup, type LnsLoad, LnsSelection } from "../../src/gateway/lns-selection.ts";

const FREE: LnsLoad = { sessions: () => 0, hasRoom: () => true, reach: () => "idle" };

function group(members: LnsGroup["members"], more: Partial<LnsGroup> = {}): LnsGroup {
  return { name: "g", members, strategy: "weight", lockoutMs: 300_000, lockoutOnCdn: false, ...more };
}

const member = (peer: string, preference = 0, weight = 1) => ({ peer, preference, weight });
const THREE = group([member("a"), member("b"), member("c", 1)]);

describe("the choice of an LNS", () => {
  it("spreads calls in proportion to the weights, evenly in time", () => {
    const selection = new LnsSelection();
    const weighted = group([member("a", 0, 3), member("b", 0, 1)]);
    const turns = Array.from({ length: 8 }, () => selection.choose(0, weighted, [], FREE)?.peer);
    expect(turns.join("")).toBe("aabaaaba");
  });

  it("takes the fewest sessions for the weight with the strategy sessions", () => {
    const selection = new LnsSelection();
    const bySessions = group([member("a", 0, 2), member("b", 0, 1)], { strategy: "sessions" });
    const load = (a: number, b: number): LnsLoad => ({ ...FREE, sessions: (peer) => (peer === "a" ? a : b) });
    expect(selection.choose(0, bySessions, [], load(3, 2))?.peer).toBe("a");
    expect(selection.choose(0, bySessions, [], load(5, 2))?.peer).toBe("b");
  });

  it("exhausts a preference before it goes on to the next one, and passes over who has no room", () => {
    const selection = new LnsSelection();
    expect(selection.choose(0, THREE, ["a"], FREE)?.peer).toBe("b");
    expect(selection.choose(0, THREE, ["a", "b"], FREE)?.peer).toBe("c");
    expect(selection.choose(0, THREE, ["a", "b", "c"], FREE)).toBeUndefined();
    expect(selection.choose(0, THREE, [], { ...FREE, hasRoom: (peer) => peer === "c" })?.peer).toBe("c");
  });

  it("gives no more calls to one that is being called while an equal one is up, and owes it none later", () => {
    const selection = new LnsSelection();
    const calling: LnsLoad = { ...FREE, reach: (peer) => (peer === "b" ? "coming-up" : "up") };
    const turn = (load: LnsLoad) => selection.choose(0, THREE, [], load)?.peer;
    expect([turn(FREE), turn(FREE)].join("")).toBe("ab");
    expect(Array.from({ length: 9 }, () => turn(calling)).join("")).toBe("aaaaaaaaa");
    expect([turn(FREE), turn(FREE), turn(FREE), turn(FREE)].join("")).toBe("abab");
    // nor does it make anybody call an LNS of a higher number, or nobody
    expect(turn({ ...FREE, reach: () => "coming-up" })).toBe("a");
    expect(selection.choose(0, THREE, ["a"], calling)?.peer).toBe("b");
  });

  it("prefers a good LNS of a higher number to a slow one, and a slow one to one locked out", () => {
    const selection = new LnsSelection();
    selection.slow(0, "a");
    selection.lockOut(0, "b", "no SCCRP");
    expect(selection.choose(1, THREE, [], FREE)).toEqual({ peer: "c", standing: "good" });
    expect(selection.choose(1, THREE, ["c"], FREE)).toEqual({ peer: "a", standing: "slow" });
    expect(selection.choose(1, THREE, ["c", "a"], FREE)).toEqual({ peer: "b", standing: "locked" });
  });

  it("tries the one locked out longest when all are", () => {
    const selection = new LnsSelection();
    selection.lockOut(20, "a", "x");
    selection.lockOut(10, "c", "x");
    selection.lockOut(30, "b", "x");
    expect(selection.choose(40, THREE, [], FREE)?.peer).toBe("c");
    selection.lockOut(40, "c", "again");
    expect(selection.choose(41, THREE, [], FREE)?.peer).toBe("a");
  });

  it("ends a lockout after the group's time, or when the LNS answers", () => {
    const selection = new LnsSelection();
    selection.lockOut(0, "a", "x");
    expect(selection.lockedForMs(1000, THREE, "a")).toBe(299_000);
    expect(selection.lockedForMs(1000, { ...THREE, lockoutMs: 500 }, "a")).toBe(0);
    expect(selection.standing(300_000, THREE, "a")).toBe("good");
    selection.answered("a");
    expect(selection.standing(1, THREE, "a")).toBe("good");
    expect(selection.lockOf("a")).toBeUndefined();
  });

  it("gives a slow LNS calls again after half a minute", () => {
    const selection = new LnsSelection();
    selection.slow(0, "a");
    selection.slow(20_000, "a");
    expect(selection.standing(29_999, THREE, "a")).toBe("slow");
    expect(selection.standing(30_000, THREE, "a")).toBe("good");
  });

  it("never gives what was passed or is full, always something else if there is any, and goes on from a snapshot", () => {
    const peer = fc.constantFrom("a", "b", "c");
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("lock" as const, "slow" as const, "answer" as const), peer }),
      fc.record({
        kind: fc.constant("choose" as const),
        passed: fc.subarray(["a", "b", "c"]),
        full: fc.subarray(["a", "b", "c"]),
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400_000), step), { maxLength: 30 }), (steps) => {
        const selection = new LnsSelection();
        let now = 0;
        for (const [wait, each] of steps) {
          now += wait;
          const twin = new LnsSelection(selection.snapshot());
          for (const machine of [selection, twin])
            if (each.kind === "lock") machine.lockOut(now, each.peer, "x");
            else if (each.kind === "slow") machine.slow(now, each.peer);
            else if (each.kind === "answer") machine.answered(each.peer);
          if (each.kind === "choose") {
            const load = { ...FREE, hasRoom: (name: string) => !each.full.includes(name) };
            const choice = selection.choose(now, THREE, each.passed, load);
            expect(twin.choose(now, THREE, each.passed, load)).toEqual(choice);
            const left = ["a", "b", "c"].filter(
              (name) => !each.passed.includes(name) && !each.full.includes(name),
            );
            expect(choice === undefined).toBe(left.length === 0);
            if (choice !== undefined) expect(left).toContain(choice.peer);
          }
          expect(twin.state).toEqual(selection.state);
        }
      }),
    );
  });
});
