import { BareStage } from "./bare-stage.ts";
import { type Benchmark, Faulty, type Scene } from "./benchmark.ts";
import { unstarved, WARM_UP_MS, WINDOW } from "./closed-loop.ts";
import type { Load } from "./frames-tool.ts";
import type { Alternated, SlicePlan, Slices } from "./slices.ts";
import { lossPercent, mustBeSound } from "./traffic-report.ts";

const SESSIONS = 1000;
const OCTETS = 128;
const PLAN: SlicePlan = { rate: 2000, slices: 6, sliceMs: 100 };
/** Traffic runs before the slices and after them. */
const SPARE_MS = 600;
const LOAD: Load = {
  direction: "both",
  sizes: `${OCTETS}`,
  milliseconds: 2 * PLAN.slices * PLAN.sliceMs + SPARE_MS,
  window: WINDOW,
};
/** What less could not be called that rate. */
const LEAST_CHANGES = 0.95 * PLAN.rate;
/** What the traffic must keep of its rate. */
const OF_UNDISTURBED = { floor: 0.95 };
/** A run that loses more is made again. */
const MOST_LOSS_PERCENT = 0.1;
const ATTEMPTS = 3;

/** Frames through bridges while others are made and undone, and while none are. */
export function changeScene(engine: "loop" | "xdp"): () => Scene<BareStage> {
  const name = `changes/${engine}/lac/both/${OCTETS}B`;
  const disturbed = `${name}/${PLAN.rate}-bridges`;
  const undisturbed = `${name}/none`;
  return () => ({
    name: `changes, ${engine}`,
    benchmarks: [benchmark(disturbed, undisturbed)],
    comparisons: [{ own: disturbed, other: undisturbed, ...OF_UNDISTURBED }],
    open: () => BareStage.open(engine, SESSIONS),
  });
}

function benchmark(disturbed: string, undisturbed: string): Benchmark<BareStage> {
  return {
    figures: [
      { name: disturbed, unit: "frames/s", better: "higher" },
      { name: `${disturbed}/made`, unit: "bridges/s", better: "higher", floor: LEAST_CHANGES },
      { name: undisturbed, unit: "frames/s", better: "higher" },
    ],
    async warmUp(stage) {
      await stage.traffic({ ...LOAD, milliseconds: WARM_UP_MS });
      await stage.whileChanging(PLAN, LOAD);
    },
    async run(stage) {
      const { changing, resting, made } = await alternated(stage);
      return { values: [perSecond(changing), made / changing.seconds, perSecond(resting)] };
    },
  };
}

async function alternated(stage: BareStage): Promise<Alternated> {
  for (let attempt = 1; ; attempt += 1) {
    const { report, alternated } = await unstarved(() => stage.whileChanging(PLAN, LOAD));
    mustBeSound(report);
    const loss = lossPercent(report);
    if (loss <= MOST_LOSS_PERCENT) return alternated;
    if (attempt === ATTEMPTS)
      throw new Faulty(`${loss.toFixed(3)} % of the frames were lost`, { cause: report });
  }
}

function perSecond({ frames, seconds }: Slices): number {
  return frames / seconds;
}
