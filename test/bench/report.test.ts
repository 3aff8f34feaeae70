import { describe, expect, it } from "vitest";
import { performanceReport } from "../../bench/report.ts";
import { type Figure, meetsFloor, type Result, type ResultFile, resultsOf } from "../../bench/results.ts";

const LOSS: Figure = { name: "loop/lac/both/128B/paced-100k/loss", unit: "%", better: "lower", floor: 0.1 };
const RATE: Figure = { name: "loop/lac/setup/rush/rate", unit: "sessions/s", better: "higher", floor: 1000 };

function resultOf(figure: Figure, values: readonly number[]): Result {
  return resultsOf(
    [figure],
    values.map((value) => ({ values: [value] })),
  )[0]!;
}

function fileOf(...results: ResultFile["results"]): ResultFile {
  return {
    machine: "Some CPU (x64)",
    processors: 2,
    memoryGiB: 8,
    kernel: "Linux 6.1",
    node: "v20.0.0",
    commit: "0123456789ab+",
    date: "2026-01-02T03:04:05.678Z",
    loadBefore: 0.25,
    extent: "full",
    results,
  };
}

describe("a result", () => {
  it("is the median of its runs, and keeps them", () => {
    expect(resultOf(RATE, [1200.123, 900, 1500])).toEqual({
      ...RATE,
      value: 1200,
      min: 900,
      max: 1500,
      runs: [1200, 900, 1500],
    });
  });

  it("belongs to its own column of the runs", () => {
    const runs = [{ values: [1, 500] }, { values: [3, 700] }, { values: [2, 600] }];
    expect(resultsOf([LOSS, RATE], runs).map(({ value }) => value)).toEqual([2, 600]);
  });

  it("is the generator's when that was busy in most runs", () => {
    const runs = [true, false, true].map((limitedByGenerator) => ({ values: [1], limitedByGenerator }));
    expect(resultsOf([RATE], runs)[0]?.limitedBy).toBe("generator");
    expect(resultsOf([RATE], runs.slice(0, 2))[0]?.limitedBy).toBeUndefined();
  });

  it("meets a floor from above or from below, as better says", () => {
    expect(meetsFloor(resultOf(RATE, [1000]))).toBe(true);
    expect(meetsFloor(resultOf(RATE, [999]))).toBe(false);
    expect(meetsFloor(resultOf(LOSS, [0.1]))).toBe(true);
    expect(meetsFloor(resultOf(LOSS, [0.11]))).toBe(false);
  });

  it("without a floor meets none and misses none", () => {
    const { floor: _, ...figure } = RATE;
    expect(meetsFloor(resultOf(figure, [1]))).toBeUndefined();
  });
});

describe("the performance page", () => {
  it("has a row for each rate, with the LAC's processor time beside it", () => {
    const rate = resultOf(
      { name: "loop/lac/up/64B", unit: "frames/s", better: "higher" },
      [312_345, 300_000, 330_000],
    );
    const time = resultOf({ name: "loop/lac/up/64B/processor", unit: "ns/frame", better: "lower" }, [1234]);
    const page = performanceReport(fileOf(rate, time));
    expect(page).toContain("| loop/lac/up/64B | 312,000 | 300,000 – 330,000 | 1,230 ns/frame |");
    expect(page).not.toContain("| loop/lac/up/64B/processor");
  });

  it("says so where the generator was the limit", () => {
    const figure: Figure = { name: "loop/lac/up/64B", unit: "frames/s", better: "higher" };
    const results = resultsOf([figure], [{ values: [300_000], limitedByGenerator: true }]);
    expect(performanceReport(fileOf(...results))).toContain("| at least 300,000 |");
  });

  it("says which floor was met and which was missed", () => {
    const page = performanceReport(fileOf(resultOf(RATE, [800]), resultOf(LOSS, [0])));
    expect(page).toContain("at least 1,000 sessions/s: **missed** |");
    expect(page).toContain("| loop/lac/both/128B/paced-100k/loss | 0 % | 0 – 0 | at most 0.1 %: met |");
  });

  it("says where it comes from", () => {
    const page = performanceReport(fileOf());
    for (const text of ["Some CPU (x64), 2 processors, 8 GiB", "Linux 6.1", "0123456789ab+", "2026-01-02"])
      expect(page).toContain(text);
  });
});
