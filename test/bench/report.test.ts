import { describe, expect, it } from "vitest";
import { performancePages } from "../../bench/report.ts";
import {
  compared,
  type Figure,
  meets,
  type Result,
  type ResultFile,
  resultsOf,
} from "../../bench/results.ts";

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
    seconds: 900,
    scenes: [],
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
    expect(meets(1000, 1000, "higher")).toBe(true);
    expect(meets(999, 1000, "higher")).toBe(false);
    expect(meets(0.1, 0.1, "lower")).toBe(true);
    expect(meets(0.11, 0.1, "lower")).toBe(false);
    expect(meets(1, undefined, "higher")).toBeUndefined();
  });
});

describe("two results that are compared", () => {
  const own: Figure = { name: "own", unit: "frames/s", better: "higher" };
  const other: Figure = { name: "other", unit: "frames/s", better: "higher" };

  it("give the median of the ratios of runs that followed each other, not the ratio of medians", () => {
    const results = [resultOf(own, [10, 60, 30]), resultOf(other, [10, 100, 120])];
    const [first, second] = compared(results, [{ own: "own", other: "other", floor: 0.5, goal: 0.9 }]);
    expect(first?.versus).toEqual({
      name: "other",
      value: 100,
      ratio: 0.6,
      min: 0.25,
      max: 1,
      floor: 0.5,
      goal: 0.9,
    });
    expect(second?.versus).toBeUndefined();
  });

  it("are left alone when one of them was not measured", () => {
    const results = [resultOf(own, [1])];
    expect(compared(results, [{ own: "own", other: "other" }])).toEqual(results);
  });
});

describe("the performance page", () => {
  const page = (file: ResultFile): string => performancePages(file)[0]!.text;
  const frames = (name: string, ...values: number[]): Result =>
    resultOf({ name, unit: "frames/s", better: "higher" }, values);

  it("has a row for each rate, in the section that it belongs to", () => {
    const text = page(fileOf(frames("loop/lac/up/64B", 312_345, 300_000, 330_000), resultOf(RATE, [800])));
    expect(text).toContain("| loop/lac/up/64B | 312,000 frames/s | 300,000 – 330,000 |");
    expect(text.indexOf("loop/lac/up/64B |")).toBeLessThan(text.indexOf("## Set-ups"));
    expect(text.indexOf("rush/rate")).toBeGreaterThan(text.indexOf("## Set-ups"));
  });

  it("says so where the generator was the limit", () => {
    const figure: Figure = { name: "loop/lac/up/64B", unit: "frames/s", better: "higher" };
    const results = resultsOf([figure], [{ values: [300_000], limitedByGenerator: true }]);
    expect(page(fileOf(...results))).toContain("| at least 300,000 frames/s |");
  });

  it("says which floor was met and which was missed", () => {
    const text = page(fileOf(resultOf(RATE, [800]), resultOf(LOSS, [0])));
    expect(text).toContain("floor ≥ 1,000 sessions/s: **missed** |");
    expect(text).toContain("| loop/lac/both/128B/paced-100k/loss | 0 % | 0 – 0 |  |  | floor ≤ 0.1 %: met |");
  });

  it("says what a ratio had to reach", () => {
    const comparison = { own: "loop/lac/up/64B", other: "ceiling/loop-io/up/64B", floor: 0.75, goal: 0.9 };
    const results = [frames(comparison.own, 80), frames(comparison.other, 100)];
    const text = page(fileOf(...compared(results, [comparison])));
    expect(text).toContain("| ceiling/loop-io/up/64B | 0.8 | floor ≥ 0.75: met; goal ≥ 0.9: **missed** |");
  });

  it("counts what was asked and reached, and says what bounds those that miss their goal", () => {
    const asked = { floor: 3, goal: 5 };
    const results = [
      frames("loop/lac/up/128B/beside-l2tpns", 600),
      frames("loop/lac/down/128B/beside-l2tpns", 320),
      frames("ceiling/loop-io/up/128B/beside-l2tpns", 700),
      frames("peer", 100),
    ];
    const comparisons = results
      .slice(0, 3)
      .map(({ name }, i) => ({ own: name, other: "peer", ...(i < 2 && asked) }));
    const text = page(fileOf(...compared(results, comparisons)));
    expect(text).toContain("| the loop as LAC, of Debian's l2tpns | 3.2 – 6 | ≥ 3: met | ≥ 5: **1 of 2** |");
    expect(text).toContain("In the same runs the bare system calls reach 7 times l2tpns up");
    expect(text).toContain("(not measured) down");
  });

  it("says nothing of what bounds a figure that meets its goal", () => {
    const comparison = { own: "xdp/lac/up/64B", other: "ceiling/xdp-redirect/64B/beside-xdp", goal: 0.75 };
    const results = compared([frames(comparison.own, 80), frames(comparison.other, 100)], [comparison]);
    const text = page(fileOf(...results));
    expect(text).toContain("| the XDP engine, of a bare redirect | 0.8 |  | ≥ 0.75: met |");
    expect(text).not.toContain("What bounds those");
  });

  it("says how long everything took", () => {
    expect(page(fileOf())).toContain("All of it took 15 min 0 s");
  });

  it("says where it comes from, and what was left out", () => {
    const text = page({ ...fileOf(), leftOut: ["xdp/lac/up/64B: no such engine"] });
    for (const part of ["Some CPU (x64), 2 processors, 8 GiB", "Linux 6.1", "0123456789ab+", "2026-01-02"])
      expect(text).toContain(part);
    expect(text).toContain("xdp/lac/up/64B: no such engine");
  });

  it("shows rates by size and by number of sessions, and latency, as pictures that it links", () => {
    const results = [
      ...[64, 1400].map((octets) => frames(`loop/lac/up/${octets}B`, 400_000)),
      ...[1, 1000].map((count) => frames(`loop/lac/both/128B/sessions-${count}`, 300_000)),
      resultOf({ name: "latency/loop/lac/up/128B/free-core/p50", unit: "µs", better: "lower" }, [12]),
    ];
    const [text, ...pictures] = performancePages(fileOf(...results));
    expect(pictures.map(({ path }) => path)).toEqual([
      "pictures/rate-by-size-loop.svg",
      "pictures/rate-by-sessions.svg",
      "pictures/latency.svg",
    ]);
    for (const { path, text: svg } of pictures) {
      expect(text?.text).toContain(`](${path})`);
      expect([svg.slice(0, 5), svg.slice(-7)]).toEqual(["<svg ", "</svg>\n"]);
      expect(svg).not.toContain("NaN");
    }
  });
});
