import type { Benchmark, Scene } from "./benchmark.ts";
import { type Result, type Run, resultsOf } from "./results.ts";
import { Stage } from "./stage.ts";

/**
 * Runs what of a scene `wanted` names. One run of each benchmark follows the other, and then all again, so that
 * what slows the machine down for a while does so for all of them.
 */
export async function measure(
  scene: Scene,
  runs: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
): Promise<readonly Result[]> {
  const benchmarks = scene.benchmarks.filter(({ figures }) => figures.some(({ name }) => wanted(name)));
  if (benchmarks.length === 0) return [];
  const made = new Map<Benchmark, Run[]>(benchmarks.map((benchmark) => [benchmark, []]));
  const stage = await Stage.open();
  try {
    await scene.prepare(stage);
    for (const benchmark of benchmarks) await benchmark.warmUp(stage);
    for (let number = 1; number <= runs; number += 1) {
      for (const [benchmark, runsOfIt] of made) {
        const run = await benchmark.run(stage);
        runsOfIt.push(run);
        say(`run ${number} of ${runs}: ${lineOf(benchmark, run)}`);
      }
    }
  } finally {
    await stage.close();
  }
  return [...made].flatMap(([{ figures }, runsOfIt]) => resultsOf(figures, runsOfIt));
}

function lineOf({ figures }: Benchmark, { values, remark }: Run): string {
  const [first] = figures;
  const value = Number((values[0] ?? 0).toPrecision(4)).toLocaleString("en");
  return `${first?.name} ${value} ${first?.unit}${remark === undefined ? "" : ` (${remark})`}`;
}
