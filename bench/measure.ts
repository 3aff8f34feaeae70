import type { Benchmark, Scene } from "./benchmark.ts";
import { type Result, resultOf } from "./results.ts";
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
  const values = new Map<Benchmark, (readonly number[])[]>(benchmarks.map((benchmark) => [benchmark, []]));
  const stage = await Stage.open();
  try {
    await scene.prepare(stage);
    for (const benchmark of benchmarks) await benchmark.warmUp(stage);
    for (let run = 1; run <= runs; run += 1) {
      for (const [benchmark, runsOfIt] of values) {
        const measured = await benchmark.run(stage);
        runsOfIt.push(measured);
        const [first] = benchmark.figures;
        say(`run ${run} of ${runs}: ${first?.name} ${formatted(measured[0] ?? 0)} ${first?.unit}`);
      }
    }
  } finally {
    await stage.close();
  }
  return benchmarks.flatMap((benchmark) =>
    benchmark.figures.map((figure, i) =>
      resultOf(
        figure,
        values.get(benchmark)!.map((run) => run[i]!),
      ),
    ),
  );
}

function formatted(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString("en");
}
