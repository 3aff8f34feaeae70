import { describe, expect, it } from "vitest";
import { Settling } from "../../src/io/settling.ts";

const TIMES = { coalesceMs: 10, settleMs: 2000, refreshMs: 30_000 };

describe("when to look again at what others change", () => {
  it("is at intervals while nothing is heard", () => {
    const settling = new Settling(100, TIMES);
    expect(settling.deadline()).toBe(30_100);
    expect(settling.timeout(30_099)).toBeUndefined();
    expect(settling.timeout(30_100)).toBe("settled");
    expect(settling.deadline()).toBe(60_100);
  });

  it("is soon after the first of several changes, and once more when they have ended", () => {
    const settling = new Settling(0, TIMES);
    settling.heard(1000);
    settling.heard(1004);
    expect(settling.deadline()).toBe(1010);
    expect(settling.timeout(1009)).toBeUndefined();
    expect(settling.timeout(1010)).toBe("changed");
    expect(settling.deadline()).toBe(3004);
    settling.heard(3000);
    expect(settling.timeout(3010)).toBe("changed");
    expect(settling.timeout(5000)).toBe("settled");
    expect(settling.timeout(5001)).toBeUndefined();
  });

  it("is told once of what is due at the same time", () => {
    const settling = new Settling(0, TIMES);
    settling.heard(0);
    expect(settling.timeout(2000)).toBe("settled");
    expect(settling.deadline()).toBe(32_000);
  });
});
