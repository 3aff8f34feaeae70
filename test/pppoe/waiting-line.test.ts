import { describe, expect, it } from "vitest";
import { emptyLine, WaitingLine } from "../../src/pppoe/waiting-line.ts";

const entry = (key: string, value = 0) => ({ key, value });

describe("a waiting line", () => {
  it("is served in order, and keeps the place of who comes again", () => {
    const line = new WaitingLine(emptyLine<ReturnType<typeof entry>>(), 10);
    for (const key of ["a", "b", "c"]) line.put(entry(key));
    line.put(entry("a", 1));
    expect(line.length).toBe(3);
    expect(line.first()).toEqual(entry("a", 1));
    line.shift();
    expect(line.first()).toEqual(entry("b"));
    expect(line.get("a")).toBeUndefined();
    expect(line.get("c")).toEqual(entry("c"));
  });

  it("takes no more than it has room for", () => {
    const line = new WaitingLine(emptyLine<ReturnType<typeof entry>>(), 2);
    expect(["a", "b", "c", "a"].map((key) => line.put(entry(key)))).toEqual([true, true, false, true]);
    line.shift();
    expect(line.put(entry("c"))).toBe(true);
  });

  it("holds what it holds, and no more, through thousands of turns and from copies of its state", () => {
    const state = emptyLine<ReturnType<typeof entry>>();
    let line = new WaitingLine(state, 100);
    for (let n = 0; n < 5_000; n++) {
      line.put(entry(`${n}`));
      if (n >= 50) {
        expect(line.first()?.key).toBe(`${n - 50}`);
        line.shift();
      }
      if (n % 700 === 0) line = new WaitingLine(state, 100);
    }
    expect(line.length).toBe(50);
    expect(line.get("4970")).toEqual(entry("4970"));
    expect(state.entries.length).toBeLessThan(2_000);
    line.clear();
    expect(line.length).toBe(0);
    expect(line.first()).toBeUndefined();
  });
});
