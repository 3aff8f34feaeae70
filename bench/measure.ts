import { type Benchmark, Faulty, LeftOut, type Scene } from "./benchmark.ts";
import { compared, type Result, type Run, resultsOf } from "./results.ts";

/**
 * Runs what of a scene `wanted` names, and what that is compared with. One run of each benchmark follows the other, and then all again, so that
 * what slows the machine down for a while does so for all of them. `runs`: where the scene does not say. What a run throws
 * as LeftOut or Faulty ends that benchmark alone; `leaveOut` is told whether something failed.
 */
export async function measure<Stage extends { close(): Promise<void> }>(
  scene: Scene<Stage>,
  runs: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
  leaveOut: (what: string, failed?: boolean) => void,
): Promise<readonly Result[]> {
  const comparisons = scene.comparisons ?? [];
  const needed = (name: string): boolean =>
    wanted(name) || comparisons.some(({ own, other }) => other === name && wanted(own));
  const benchmarks = scene.benchmarks.filter(({ figures }) => figures.some(({ name }) => needed(name)));
  if (benchmarks.length === 0) return [];
  const made = new Map<Benchmark<Stage>, Run[]>(benchmarks.map((benchmark) => [benchmark, []]));
  const stage = await opened(scene, benchmarks[0]!.figures[0]!.name, leaveOut);
  if (stage === undefined) return [];
  const inAll = scene.runs ?? runs;
  try {
    for (const benchmark of benchmarks) await benchmark.warmUp(stage);
    for (let number = 1; number <= inAll; number += 1) {
      for (const [benchmark, runsOfIt] of made) {
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
  } finally {
    await stage.close();
  }
  const results = [...made].flatMap(([{ figures }, runsOfIt]) => resultsOf(figures, runsOfIt));
  return compared(results, comparisons);
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
