import { setTimeout as pause } from "node:timers/promises";
import { type Benchmark, Faulty, LeftOut } from "./benchmark.ts";
import type { Load } from "./frames-tool.ts";
import {
  deliveredPerSecond,
  lossPercent,
  mustBeSound,
  outranLac,
  streamsOf,
  type TrafficReport,
  wasStarved,
} from "./traffic-report.ts";
import type { Carrier, TrafficStage } from "./traffic-stage.ts";

/** Frames on the way in each direction: enough to keep the LAC busy, and less than any of its queues holds. */
export const WINDOW = 1024;
export const WARM_UP_MS = 300;
/** Of a run that loses more than it may. */
const ATTEMPTS = 3;
/** Of a run whose generator is starved, and how long others get to be done with what they do. */
const UNSTARVED_ATTEMPTS = 5;
const UNSTARVED_PAUSE_MS = 1000;
/** A closed loop that loses more has not measured what the LAC can carry. */
const MOST_LOSS_PERCENT = 0.1;

/**
 * As many frames as go through without loss; through a gateway, also its processor time for each. `byXdp`: the kernel is done
 * with a frame before the generator's next turn, and the gateway's process has nothing to do.
 */
export function closedLoop(
  name: string,
  carrier: Carrier,
  sessions: (stage: TrafficStage) => string,
  what: Load,
  { byXdp = false } = {},
): Benchmark<TrafficStage> {
  const load = { ...what, window: WINDOW };
  const ours = carrier === "lac";
  const itsTime = ours && !byXdp;
  const processor = { name: `${name}/processor`, unit: "ns/frame", better: "lower" } as const;
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }, ...(itsTime ? [processor] : [])],
    async warmUp(stage) {
      if (ours) await stage.send(carrier, sessions(stage), { ...load, milliseconds: WARM_UP_MS });
    },
    async run(stage) {
      const { report, processorNs, remark } = await withoutLoss(() =>
        measured(stage, carrier, sessions(stage), load),
      );
      return {
        values: [deliveredPerSecond(report), ...(itsTime ? [processorNs] : [])],
        limitedByGenerator: !byXdp && !outranLac(report),
        ...(remark !== undefined && { remark }),
      };
    },
  };
}

/** Somebody else may take the processor for so long that a queue overflows: that run is made again. */
export async function withoutLoss(measure: () => Promise<Measured>): Promise<Measured> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await measure();
    if (lossPercent(result.report) <= MOST_LOSS_PERCENT) return result;
    if (attempt === ATTEMPTS)
      throw new Faulty(`${result.remark}, of what was never too much`, { cause: result.report });
  }
}

/**
 * Others may have the generator's processor for a while: that run is made again, and the figure left out when they do not
 * let go of it.
 */
export async function unstarved<Outcome extends { readonly report: TrafficReport }>(
  play: () => Promise<Outcome>,
): Promise<Outcome> {
  for (let attempt = 1; attempt <= UNSTARVED_ATTEMPTS; attempt += 1) {
    const outcome = await play();
    if (!wasStarved(outcome.report)) return outcome;
    await pause(UNSTARVED_PAUSE_MS);
  }
  throw new LeftOut(`others had the generator's processor, ${UNSTARVED_ATTEMPTS} times in succession`);
}

interface Measured {
  readonly report: TrafficReport;
  /** The LAC's processor time for a frame. */
  readonly processorNs: number;
  /** What was lost, and what the LAC says about it. */
  readonly remark: string | undefined;
}

/**
 * Rejects with Faulty when what came out cannot be what went in, or when the generator did not keep its rate; with LeftOut when it
 * never had its processor.
 */
export async function measured(
  traffic: TrafficStage,
  carrier: Carrier,
  sessions: string,
  load: Load,
): Promise<Measured> {
  const { stage } = traffic;
  const dropsBefore = await stage.drops();
  const { report, processorSeconds } = await unstarved(async () => {
    const before = stage.lac.processorSeconds();
    const sent = await traffic.send(carrier, sessions, load);
    return { report: sent, processorSeconds: stage.lac.processorSeconds() - before };
  });
  const { framesPerSecond, milliseconds } = load;
  const offered = framesPerSecond === undefined ? undefined : (framesPerSecond * milliseconds) / 1000;
  mustBeSound(report, offered);
  const frames = streamsOf(report).reduce((sum, { received }) => sum + received, 0);
  const lost = streamsOf(report).reduce((sum, stream) => sum + stream.lost, 0);
  return {
    report,
    processorNs: (processorSeconds * 1e9) / frames,
    remark: lost === 0 ? undefined : lossRemark(lost, report, dropsBefore, await stage.drops()),
  };
}

type Drops = Readonly<Record<string, number>>;

function lossRemark(lost: number, report: TrafficReport, before: Drops, after: Drops): string {
  const reasons = Object.entries(after)
    .map(([reason, count]) => ({ reason, count: count - (before[reason] ?? 0) }))
    .filter(({ count }) => count > 0)
    .map(({ reason, count }) => `${reason} ${count}`);
  const known = reasons.length === 0 ? "counts no drop" : `counts ${reasons.join(", ")}`;
  return `${lost} frames lost (${lossPercent(report).toFixed(3)} %); the LAC ${known}`;
}
