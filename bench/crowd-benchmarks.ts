import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { type GatewayChild, type Memory, pause } from "./gateway-child.ts";
import { LnsStage } from "./lns-stage.ts";
import type { Run } from "./results.ts";
import { Stage } from "./stage.ts";
import { slope } from "./statistics.ts";

/** The stretch over which memory is looked at, in parts. The first sessions make what all need. */
const STEPS = 8;
const KIB = 1024;

interface Budget {
  readonly role: "lac" | "lns";
  /** Per cent of a processor while nothing happens. */
  readonly idleFloor: number;
  readonly memoryFloorKiB: number;
}

/** HELLO runs; nobody says anything else. */
const LAC: Budget = { role: "lac", idleFloor: 5, memoryFloorKiB: 4 };
/** HELLO runs, and an LCP echo every 30 s in every session. */
const LNS: Budget = { role: "lns", idleFloor: 25, memoryFloorKiB: 8 };

/** What a LAC with many bridged sessions costs. */
export function lacCrowdScene({ crowd, idleMs }: Extent): Scene<Stage> {
  return {
    benchmarks: [
      crowdBenchmark(LAC, crowd, async (stage) => {
        const dial = stage.startDial(crowd, { atOnce: AT_ONCE });
        const [samples] = await Promise.all([
          sampled(stage.lac, crowd, (upTo) => stage.lac.untilSessions(upTo, crowd)),
          // which may come while the last sample is taken
          dial.nextLine((text) => text.startsWith('{"event":"summary"'), PATIENCE_MS),
        ]);
        // nobody hangs up, and nobody sends an echo
        await dial.stop("SIGKILL");
        return [...samples, await idlePercent(stage.lac, idleMs)];
      }),
    ],
    runs: 1,
    open: () => Stage.open({ helloInterval: "10s" }),
  };
}

/** What an LNS with many sessions costs. */
export function lnsCrowdScene({ crowd, idleMs }: Extent): Scene<LnsStage> {
  return {
    benchmarks: [
      crowdBenchmark(LNS, crowd, async (stage) => {
        const samples = await sampled(stage.lns, crowd, async (upTo, before) => {
          await stage.call(upTo - before);
          return upTo;
        });
        return [...samples, await idlePercent(stage.lns, idleMs)];
      }),
    ],
    runs: 1,
    open: () => LnsStage.open(),
  };
}

const AT_ONCE = 256;
const PATIENCE_MS = 120_000;

function crowdBenchmark<AnyStage>(
  { role, idleFloor, memoryFloorKiB }: Budget,
  crowd: number,
  values: (stage: AnyStage) => Promise<readonly number[]>,
): Benchmark<AnyStage> {
  return {
    figures: [
      { name: `memory/${role}`, unit: "KiB/session", better: "lower", floor: memoryFloorKiB },
      { name: `memory/${role}/heap`, unit: "KiB/session", better: "lower" },
      { name: `memory/${role}/tables`, unit: "KiB/session", better: "lower" },
      { name: `idle/${role}/${crowd}`, unit: "% of a processor", better: "lower", floor: idleFloor },
    ],
    warmUp: () => Promise.resolve(),
    run: async (stage): Promise<Run> => ({ values: await values(stage) }),
  };
}

/** Opens sessions in order; KiB a session of the process without its tables, of its heap, and of the tables, as slopes. */
async function sampled(
  gateway: GatewayChild,
  crowd: number,
  open: (upTo: number, before: number) => Promise<number>,
): Promise<readonly [number, number, number]> {
  const points: { readonly sessions: number; readonly memory: Memory }[] = [];
  let before = 0;
  for (let step = 1; step <= STEPS; step += 1) {
    const upTo = Math.floor((crowd * step) / STEPS);
    const sessions = await open(upTo, before);
    points.push({ sessions, memory: await gateway.memory() });
    before = upTo;
  }
  const of = (field: keyof Memory): number =>
    slope(points.slice(1).map(({ sessions, memory }) => ({ x: sessions, y: memory[field] }))) / KIB;
  return [of("resident"), of("heapUsed"), of("tables")];
}

async function idlePercent(gateway: GatewayChild, milliseconds: number): Promise<number> {
  // what is left of the opening
  await pause(1000);
  const started = performance.now();
  const before = gateway.processorSeconds();
  await pause(milliseconds);
  return ((gateway.processorSeconds() - before) * 100_000) / (performance.now() - started);
}
