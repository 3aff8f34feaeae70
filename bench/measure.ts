import { type Benchmark, Faulty, LeftOut, type Scene } from "./benchmark.ts";
import { compared, type Result, type Run, resultsOf, type SceneTimes } from "./results.ts";

/** What a scene gave, and how long it took. */
export interface Measured {
  readonly results: readonly Result[];
  /** Absent when nothing was played. */
  readonly times?: SceneTimes;
}

/**
 * Runs what of a scene `wanted` names, and what that is compared with. One run of each benchmark follows the other, and then all again, so that
 * what slows the machine down for a while does so for all of them. `runs`: the most that a benchmark is run. What a run throws
 * as LeftOut or Faulty ends that benchmark alone; `leaveOut` is told whether something failed.
 */
export async function measure<Stage extends { close(): Promise<void> }>(
  scene: Scene<Stage>,
  runs: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
  leaveOut: (what: string, failed?: boolean) => void,
): Promise<Measured> {
  const comparisons = scene.comparisons ?? [];
  const needed = (name: string): boolean =>
    wanted(name) || comparisons.some(({ own, other }) => other === name && wanted(own));
  const benchmarks = scene.benchmarks.filter(({ figures }) => figures.some(({ name }) => needed(name)));
  if (benchmarks.length === 0) return { results: [] };
  const made = new Map<Benchmark<Stage>, Run[]>(benchmarks.map((benchmark) => [benchmark, []]));
  const watch = new StopWatch();
  const stage = await opened(scene, benchmarks[0]!.figures[0]!.name, leaveOut);
  if (stage === undefined) return { results: [] };
  const openSeconds = watch.lap();
  let [warmUpSeconds, runsSeconds] = [0, 0];
  try {
    for (const benchmark of benchmarks) await benchmark.warmUp(stage);
    warmUpSeconds = watch.lap();
    for (let number = 1; number <= runs; number += 1) {
      for (const [benchmark, runsOfIt] of made) {
        const inAll = Math.min(benchmark.runs ?? runs, runs);
        if (number > inAll) continue;
        try {
          const run = await benchmark.run(stage);
          runsOfIt.push(run);
          say(`run ${number} of ${inAll}: ${lineOf(benchmark, run)}`);
        } catch (error) {
          if (!(error instanceof LeftOut || error instanceof Faulty)) throw error;
          made.delete(benchmark);
          leaveOut(`${benchmark.figures[0]!.name}: ${error.message}`, error instanceof Faulty);
          if (error instanceof Faulty) say(JSON.stringify(error.cause));
        }
      }
    }
    runsSeconds = watch.lap();
  } finally {
    await stage.close();
  }
  const results = [...made].flatMap(([{ figures }, runsOfIt]) => resultsOf(figures, runsOfIt));
  const times = { scene: scene.name, openSeconds, warmUpSeconds, runsSeconds, closeSeconds: watch.lap() };
  return { results: compared(results, comparisons), times };
}

class StopWatch {
  #since = performance.now();

  /** Seconds since the last one, to a tenth. */
  lap(): number {
    const now = performance.now();
    const seconds = Math.round((now - this.#since) / 100) / 10;
    this.#since = now;
    return seconds;
  }
}

/** Undefined when it is left out. */
async function opened<Stage extends { close(): Promise<void> }>(
  scene: Scene<Stage>,
  first: string,
  leaveOut: (what: string) => void,
): Promise<Stage | undefined> {
  try {
    return await scene.open();
  } catch (error) {
    if (!(error instanceof LeftOut)) throw error;
    leaveOut(`${first} and what goes with it: ${error.message}`);
    return undefined;
  }
}

function lineOf(
  { figures }: { readonly figures: Benchmark<never>["figures"] },
  { values, remark }: Run,
): string {
  const [first] = figures;
  const value = Number((values[0] ?? 0).toPrecision(4)).toLocaleString("en");
  return `${first?.name} ${value} ${first?.unit}${remark === undefined ? "" : ` (${remark})`}`;
}
