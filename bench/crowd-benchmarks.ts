import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { type GatewayChild, type Memory, pause } from "./gateway-child.ts";
import { LnsStage } from "./lns-stage.ts";
import type { Run } from "./results.ts";
import type { Stage } from "./stage.ts";
import { slope } from "./statistics.ts";
import type { TrafficStage } from "./traffic-stage.ts";

/** The stretch over which memory is looked at, in parts. The first sessions make what all need. */
const STEPS = 8;
const KIB = 1024;

interface Budget {
  readonly role: "lac" | "lns";
  /** Per cent of a processor while nothing happens. */
  readonly idleFloor: number;
  /** As long as it takes until everybody has said what he says on his own. */
  readonly idleMs: number;
  readonly memoryFloorKiB: number;
}

/** HELLO runs; nobody says anything else. */
const LAC: Budget = { role: "lac", idleFloor: 5, idleMs: 10_000, memoryFloorKiB: 4 };
/** Of the tunnels of that LAC. */
export const CROWD_HELLO = `${LAC.idleMs / 1000}s`;
/** HELLO runs, and an LCP echo in every session. */
const LNS: Budget = { role: "lns", idleFloor: 25, idleMs: 30_000, memoryFloorKiB: 8 };

/** What a LAC with many bridged sessions costs: memory as they come up, and processor time when they are there. */
export class LacCrowd {
  readonly #crowd: number;
  #growth: Growth | undefined;

  constructor(crowd: number) {
    this.#crowd = crowd;
  }

  /** Looks at the LAC while somebody else sets its sessions up. */
  async watch({ lac }: Stage): Promise<void> {
    this.#growth = await sampled(lac, this.#crowd, (upTo) => lac.untilSessions(upTo, this.#crowd));
  }

  benchmark(): Benchmark<TrafficStage> {
    return crowdBenchmark(LAC, this.#crowd, async ({ stage }) => {
      if (this.#growth === undefined) throw new Error("nobody has watched the LAC");
      return [...this.#growth, await idlePercent(stage.lac, LAC.idleMs)];
    });
  }
}

/** What an LNS with many sessions costs. */
export function lnsCrowdScene({ crowd }: Extent): Scene<LnsStage> {
  const benchmark = crowdBenchmark<LnsStage>(LNS, crowd, async (stage) => {
    const growth = await sampled(stage.lns, crowd, async (upTo, before) => {
      await stage.call(upTo - before);
      return upTo;
    });
    return [...growth, await idlePercent(stage.lns, LNS.idleMs)];
  });
  return { name: "many sessions in an LNS", benchmarks: [benchmark], open: () => LnsStage.open() };
}

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
    runs: 1,
    warmUp: () => Promise.resolve(),
    run: async (stage): Promise<Run> => ({ values: await values(stage) }),
  };
}

/** KiB a session of the process without its tables, of its heap, and of the tables, as slopes. */
type Growth = readonly [number, number, number];

/** Opens sessions in order. */
async function sampled(
  gateway: GatewayChild,
  crowd: number,
  open: (upTo: number, before: number) => Promise<number>,
): Promise<Growth> {
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
  const before = gateway.child.threadSeconds();
  await pause(milliseconds);
  return ((gateway.child.threadSeconds() - before) * 100_000) / (performance.now() - started);
}
