import { describe, expect, it } from "vitest";
import { backOffMs } from "../../web/src/client/back-off.ts";
import { columnsOf, type History, rateBetween, withSample } from "../../web/src/client/history.ts";

const at = (seconds: number, value = 1) => ({ at: seconds, values: [value, value * 2] });

function historyOf(...seconds: number[]): History {
  return seconds.reduce<History>((history, time) => withSample(history, at(time)), []);
}

describe("the history of rates", () => {
  it("is of the last five minutes, whatever comes", () => {
    const times = Array.from({ length: 1000 }, (_, i) => i);
    const history = historyOf(...times);
    expect(history.length).toBe(300);
    expect(history.at(0)?.at).toBe(700);
  });

  it("does not take the same second twice", () => {
    expect(historyOf(10, 11, 11, 10).map((sample) => sample.at)).toEqual([10, 11]);
  });

  it("has a gap where nobody looked", () => {
    expect(columnsOf(historyOf(10, 11, 30), [1])).toEqual([
      [10, 11, 12, 30],
      [2, 2, null, 2],
    ]);
  });
});

describe("a session's rate", () => {
  const reading = (ms: number, octetsIn: number, octetsOut: number) => ({ at: ms, octetsIn, octetsOut });

  it("is what was counted between two answers: to the subscriber, and from him", () => {
    expect(rateBetween(reading(1000, 100, 200), reading(3000, 300, 1200))).toEqual([500, 100]);
  });

  it("is not below nothing, and not there without time", () => {
    expect(rateBetween(reading(0, 100, 100), reading(1000, 50, 100))).toEqual([0, 0]);
    expect(rateBetween(reading(5, 1, 1), reading(5, 2, 2))).toBeUndefined();
  });
});

describe("asking a gateway that does not answer", () => {
  it("is done less and less often, and never given up", () => {
    expect([1, 2, 3, 4, 5, 50].map(backOffMs)).toEqual([1000, 2000, 4000, 8000, 15_000, 15_000]);
  });
});
