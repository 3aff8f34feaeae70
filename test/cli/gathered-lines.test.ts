import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GatheredLines } from "../../src/cli/gathered-lines.ts";

function gathered() {
  const writes: string[] = [];
  return { writes, lines: new GatheredLines({ write: (text) => writes.push(text) }) };
}

describe("gathered lines", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("of a few milliseconds are written by one call, in order", () => {
    const { writes, lines } = gathered();
    lines.write("a\n");
    vi.advanceTimersByTime(1);
    lines.write("b\n");
    expect(writes).toEqual([]);
    vi.advanceTimersByTime(10);
    expect(writes).toEqual(["a\nb\n"]);
    lines.write("c\n");
    vi.advanceTimersByTime(10);
    expect(writes).toEqual(["a\nb\n", "c\n"]);
  });

  it("are written at once when told, and once only", () => {
    const { writes, lines } = gathered();
    lines.write("last words\n");
    lines.flush();
    lines.flush();
    vi.runAllTimers();
    expect(writes).toEqual(["last words\n"]);
  });

  it("do not grow without bound within a turn", () => {
    const { writes, lines } = gathered();
    const line = `${"x".repeat(999)}\n`;
    for (let i = 0; i < 1000; i++) lines.write(line);
    expect(writes.length).toBeGreaterThan(10);
    lines.flush();
    expect(writes.join("")).toBe(line.repeat(1000));
  });
});
