import { describe, expect, it } from "vitest";
import { type Benchmark, Faulty, LeftOut, type Scene } from "../../bench/benchmark.ts";
import { measure } from "../../bench/measure.ts";

interface Stage {
  close(): Promise<void>;
}

/** What was done, in order. */
class Played {
  readonly steps: string[] = [];

  benchmark(name: string, ...values: readonly number[]): Benchmark<Stage> {
    let run = 0;
    return {
      figures: [{ name, unit: "frames/s", better: "higher" }],
      warmUp: async () => void this.steps.push(`warm ${name}`),
      run: async () => {
        this.steps.push(name);
        run += 1;
        return { values: [values[run - 1]!] };
      },
    };
  }

  scene(...benchmarks: readonly Benchmark<Stage>[]): Scene<Stage> {
    const close = async (): Promise<void> => void this.steps.push("close");
    return { name: "a scene", benchmarks, open: async () => ({ close }) };
  }
}

const quiet = (): void => {};
const nothingLeftOut = (what: string): void => expect.unreachable(what);

describe("measuring a scene", () => {
  it("runs its benchmarks in turns, after all have warmed up", async () => {
    const played = new Played();
    const scene = played.scene(played.benchmark("a", 1, 2), played.benchmark("b", 3, 4));
    const { results } = await measure(scene, 2, () => true, quiet, nothingLeftOut);
    expect(played.steps).toEqual(["warm a", "warm b", "a", "b", "a", "b", "close"]);
    expect(results.map(({ name, runs }) => [name, runs])).toEqual([
      ["a", [1, 2]],
      ["b", [3, 4]],
    ]);
  });

  it("runs a benchmark less often that says so, but never more often than it was asked to", async () => {
    const played = new Played();
    const scene = played.scene(
      { ...played.benchmark("a", 1), runs: 1 },
      { ...played.benchmark("b", 1, 2), runs: 3 },
    );
    const { results } = await measure(scene, 2, () => true, quiet, nothingLeftOut);
    expect(results.map(({ name, runs }) => [name, runs])).toEqual([
      ["a", [1]],
      ["b", [1, 2]],
    ]);
  });

  it("tells how long the scene took", async () => {
    const played = new Played();
    const { times } = await measure(
      played.scene(played.benchmark("a", 1)),
      1,
      () => true,
      quiet,
      nothingLeftOut,
    );
    expect(times).toEqual({
      scene: "a scene",
      openSeconds: 0,
      warmUpSeconds: 0,
      runsSeconds: 0,
      closeSeconds: 0,
    });
  });

  it("also measures what something that is wanted is compared with, and nothing else", async () => {
    const played = new Played();
    const scene: Scene<Stage> = {
      ...played.scene(played.benchmark("a", 8), played.benchmark("b", 10), played.benchmark("c", 1)),
      comparisons: [{ own: "a", other: "b" }],
    };
    const { results } = await measure(scene, 1, (name) => name === "a", quiet, nothingLeftOut);
    expect(results.map(({ name, versus }) => [name, versus?.ratio])).toEqual([
      ["a", 0.8],
      ["b", undefined],
    ]);
  });

  it("does not open a stage that nobody wants", async () => {
    const played = new Played();
    const scene = played.scene(played.benchmark("a", 1));
    expect(await measure(scene, 1, () => false, quiet, nothingLeftOut)).toEqual({ results: [] });
    expect(played.steps).toEqual([]);
  });

  it("says why a scene is left out that cannot be played", async () => {
    const played = new Played();
    const open = (): Promise<Stage> => Promise.reject(new LeftOut("no such engine"));
    const left: string[] = [];
    const scene = { ...played.scene(played.benchmark("a", 1)), open };
    expect(
      await measure(
        scene,
        1,
        () => true,
        quiet,
        (what) => left.push(what),
      ),
    ).toEqual({ results: [] });
    expect(left).toEqual(["a and what goes with it: no such engine"]);
  });

  it("leaves out a benchmark that cannot be measured, and goes on with the others", async () => {
    const played = new Played();
    const refused = { ...played.benchmark("b", 1), run: () => Promise.reject(new LeftOut("starved")) };
    const scene = {
      ...played.scene(played.benchmark("a", 1, 2), refused),
      comparisons: [{ own: "a", other: "b" }],
    };
    const left: [string, boolean | undefined][] = [];
    const leaveOut = (what: string, failed?: boolean): void => void left.push([what, failed]);
    const { results } = await measure(scene, 2, () => true, quiet, leaveOut);
    expect(results.map(({ name, runs, versus }) => [name, runs, versus])).toEqual([["a", [1, 2], undefined]]);
    expect(left).toEqual([["b: starved", false]]);
  });

  it("says of a benchmark whose frames were damaged that it failed, and goes on with the others", async () => {
    const played = new Played();
    const fault = new Faulty("1 frames were damaged", { cause: { damaged: 1 } });
    const faulty = { ...played.benchmark("b", 1), run: () => Promise.reject(fault) };
    const said: string[] = [];
    const left: [string, boolean | undefined][] = [];
    const { results } = await measure(
      played.scene(faulty, played.benchmark("a", 1)),
      1,
      () => true,
      (line) => said.push(line),
      (what, failed) => left.push([what, failed]),
    );
    expect(results.map(({ name }) => name)).toEqual(["a"]);
    expect(left).toEqual([["b: 1 frames were damaged", true]]);
    expect(said.join()).toContain('{"damaged":1}');
  });

  it("closes the stage when a run fails, and lets the failure through", async () => {
    const played = new Played();
    const failing = { ...played.benchmark("a", 1), run: () => Promise.reject(new Error("lost")) };
    const measured = measure(played.scene(failing), 1, () => true, quiet, nothingLeftOut);
    await expect(measured).rejects.toThrow("lost");
    expect(played.steps.at(-1)).toBe("close");
  });
});
