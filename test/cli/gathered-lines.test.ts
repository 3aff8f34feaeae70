import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { GatheredLines } from "../../src/cli/gathered-lines.ts";

function gathered() {
  const writes: string[] = [];
  return { writes, lines: new GatheredLines({ write: (text) => writes.push(text) }) };
}

describe("gathered lines", () => {
  it("of one turn are written by one call, in order, at its end", async () => {
    const { writes, lines } = gathered();
    for (const line of ["a\n", "b\n", "c\n"]) lines.write(line);
    expect(writes).toEqual([]);
    await setImmediate();
    expect(writes).toEqual(["a\nb\nc\n"]);
    lines.write("d\n");
    await setImmediate();
    expect(writes).toEqual(["a\nb\nc\n", "d\n"]);
  });

  it("are written at once when told, and once only", async () => {
    const { writes, lines } = gathered();
    lines.write("last words\n");
    lines.flush();
    lines.flush();
    await setImmediate();
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
