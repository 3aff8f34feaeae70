import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { Load } from "./frames-tool.ts";
import type { Network } from "./namespaces.ts";
import type { Comparison, Run } from "./results.ts";
import { Stage } from "./stage.ts";
import {
  deliveredPerSecond,
  faultOf,
  lossPercent,
  outranLac,
  streamsOf,
  type TrafficReport,
} from "./traffic-report.ts";

const SESSIONS = 1000;
/** Of one LNS. */
const SESSIONS_OF_ONE = 100;
const DIRECTIONS = ["up", "down", "both"] as const;
/** The sizes of a mix, with their shares of twelve. */
const MIX = "64:7,594:4,1492:1";
/** Frames on the way in each direction: enough to keep the LAC busy, and less than any of its queues holds. */
const WINDOW = 1024;
const WARM_UP_MS = 1000;
/** A closed loop that loses more has not measured what the LAC can carry. */
const MOST_LOSS_PERCENT = 0.1;

const PACED_OCTETS = 128;
const PACED_FRAMES_PER_SECOND = 100_000;

/** What the loop must reach of what its system calls allow. */
const OF_CEILING = { floor: 0.75, goal: 0.9 };
/** What 64,000 sessions must reach of one. */
const OF_ONE_SESSION = { goal: 0.85 };
const SESSIONS_OCTETS = 128;

/** Where a load goes: a gateway, or a program in its place. */
type Carrier = "loop/lac" | "ceiling/loop-io" | "ceiling/xdp-redirect" | typeof L2TPNS;

/** What a LAC must reach of Debian's l2tpns, in times. */
const OF_L2TPNS = { floor: 3, goal: 5 };
const L2TPNS = "peer/l2tpns/lac";
const L2TPNS_OCTETS = 128;
const L2TPNS_SESSIONS = 20;

/** A stage with its sessions. */
class TrafficStage {
  readonly stage: Stage;
  /** Files of sessions: all of them, and those of one LNS. */
  readonly all: string;
  readonly one: string;

  private constructor(stage: Stage, all: string) {
    this.stage = stage;
    this.all = all;
    let kept = 0;
    this.one = stage.someOf(all, "one", (line) => line.endsWith(" 0") && ++kept <= SESSIONS_OF_ONE);
  }

  static async open(count: number, realm: "bench" | "spread" = "spread"): Promise<TrafficStage> {
    const networks: readonly Network[] = realm === "spread" ? ["ceiling"] : ["rival"];
    const stage = await Stage.open({ besideGenerator: true, networks });
    try {
      return new TrafficStage(stage, await stage.prepareSessions(count, realm));
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  send(carrier: Carrier, sessions: string, load: Load): Promise<TrafficReport> {
    if (carrier === "loop/lac") return this.stage.traffic(sessions, load);
    if (carrier === L2TPNS) return this.stage.l2tpns(sessions, load);
    const program = carrier === "ceiling/loop-io" ? "loop-io" : "redirect";
    return this.stage.ceiling(program, sessions, load);
  }

  close(): Promise<void> {
    return this.stage.close();
  }
}

/** Frames through a LAC, and through what bounds it. */
export function trafficScene(extent: Extent): Scene<TrafficStage> {
  const loads = [...extent.sizes, "mix" as const];
  const sizesOf = (load: number | "mix"): string => (load === "mix" ? MIX : `${load}`);
  const nameOf = (load: number | "mix"): string => (load === "mix" ? load : `${load}B`);
  const benchmarks: Benchmark<TrafficStage>[] = [];
  const comparisons: Comparison[] = [];
  for (const direction of DIRECTIONS) {
    for (const load of loads) {
      const path = `${direction}/${nameOf(load)}`;
      const what = { direction, sizes: sizesOf(load), milliseconds: extent.closedLoopMs };
      const sessions = (stage: TrafficStage): string => (load === "mix" ? stage.all : stage.one);
      for (const carrier of ["loop/lac", "ceiling/loop-io"] as const)
        benchmarks.push(closedLoop(`${carrier}/${path}`, carrier, sessions, what));
      comparisons.push({ own: `loop/lac/${path}`, other: `ceiling/loop-io/${path}`, ...OF_CEILING });
    }
  }
  for (const load of loads) {
    const what = { direction: "up" as const, sizes: sizesOf(load), milliseconds: extent.closedLoopMs };
    const name = `ceiling/xdp-redirect/${nameOf(load)}`;
    benchmarks.push(closedLoop(name, "ceiling/xdp-redirect", (stage) => stage.all, what));
  }
  benchmarks.push(paced(extent.pacedMs));
  return { benchmarks, comparisons, open: () => TrafficStage.open(SESSIONS) };
}

/** Frames through a LAC with many sessions, of which traffic goes through some. */
export function sessionsScene(extent: Extent): Scene<TrafficStage> {
  const counts = extent.sessionCounts;
  const nameOf = (count: number): string => `loop/lac/both/${SESSIONS_OCTETS}B/sessions-${count}`;
  const load: Load = {
    direction: "both",
    sizes: `${SESSIONS_OCTETS}`,
    milliseconds: extent.closedLoopMs,
  };
  return {
    benchmarks: counts.map((count) =>
      closedLoop(
        nameOf(count),
        "loop/lac",
        ({ stage, all }) => stage.someOf(all, `first-${count}`, (_, place) => place < count),
        load,
      ),
    ),
    comparisons: counts
      .slice(1)
      .map((count) => ({ own: nameOf(count), other: nameOf(counts[0]!), ...OF_ONE_SESSION })),
    open: () => TrafficStage.open(counts.at(-1)!),
  };
}

/** As many frames as go through without loss; through a gateway, also its processor time for each. */
function closedLoop(
  name: string,
  carrier: Carrier,
  sessions: (stage: TrafficStage) => string,
  what: Load,
): Benchmark<TrafficStage> {
  const load = { ...what, window: WINDOW };
  const gateway = carrier === "loop/lac";
  const processor = { name: `${name}/processor`, unit: "ns/frame", better: "lower" } as const;
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }, ...(gateway ? [processor] : [])],
    async warmUp(stage) {
      if (gateway) await stage.send(carrier, sessions(stage), { ...load, milliseconds: WARM_UP_MS });
    },
    async run(stage) {
      const { report, processorNs, remark } = await measured(stage, carrier, name, sessions(stage), load);
      if (lossPercent(report) > MOST_LOSS_PERCENT)
        throw new Error(`${name}: ${remark}, of what was never too much`);
      return {
        values: [deliveredPerSecond(report), ...(gateway ? [processorNs] : [])],
        // a redirect is done before the generator's next turn
        limitedByGenerator: carrier !== "ceiling/xdp-redirect" && !outranLac(report),
        ...(remark !== undefined && { remark }),
      };
    },
  };
}

/** Beside Debian's l2tpns, which does the same. */
export function l2tpnsScene(extent: Extent): Scene<TrafficStage> {
  let theirs = "";
  const benchmarks = DIRECTIONS.flatMap((direction) => {
    const load: Load = { direction, sizes: `${L2TPNS_OCTETS}`, milliseconds: extent.closedLoopMs };
    const path = `${direction}/${L2TPNS_OCTETS}B`;
    return [
      closedLoop(`loop/lac/${path}/beside-l2tpns`, "loop/lac", (stage) => stage.one, load),
      widestWindow(`${L2TPNS}/${path}`, L2TPNS, () => theirs, load),
    ];
  });
  return {
    benchmarks,
    comparisons: DIRECTIONS.map((direction) => ({
      own: `loop/lac/${direction}/${L2TPNS_OCTETS}B/beside-l2tpns`,
      other: `${L2TPNS}/${direction}/${L2TPNS_OCTETS}B`,
      ...OF_L2TPNS,
    })),
    async open() {
      const stage = await TrafficStage.open(L2TPNS_SESSIONS, "bench");
      try {
        theirs = await stage.stage.startL2tpns(L2TPNS_SESSIONS);
        return stage;
      } catch (error) {
        await stage.close();
        throw error;
      }
    },
  };
}

/** Frames on the way, for who drops of the most: what queues he has is his own affair. */
const NARROWER_WINDOWS = [1024, 512, 256, 128, 64, 32];

/**
 * As many frames as go through somebody without more loss than a closed loop may have; if he loses more of the
 * narrowest window, too, that counts for him.
 */
function widestWindow(
  name: string,
  carrier: Carrier,
  sessions: (stage: TrafficStage) => string,
  what: Load,
): Benchmark<TrafficStage> {
  let windows = NARROWER_WINDOWS;
  return {
    figures: [{ name, unit: "frames/s", better: "higher" }],
    warmUp: () => Promise.resolve(),
    async run(stage) {
      for (;;) {
        const [window = 0, ...narrower] = windows;
        const report = await stage.send(carrier, sessions(stage), { ...what, window });
        const fault = faultOf(report);
        if (fault !== undefined) throw new Error(`${name}: ${fault}: ${JSON.stringify(report)}`);
        const loss = lossPercent(report);
        if (loss <= MOST_LOSS_PERCENT || narrower.length === 0)
          return {
            values: [deliveredPerSecond(report)],
            limitedByGenerator: !outranLac(report),
            remark: `${window} frames on the way, ${loss.toFixed(3)} % lost`,
          };
        windows = narrower;
      }
    },
  };
}

/** Loss at a fixed rate in both directions at once. */
function paced(milliseconds: number): Benchmark<TrafficStage> {
  const load: Load = {
    direction: "both",
    sizes: `${PACED_OCTETS}`,
    milliseconds,
    framesPerSecond: PACED_FRAMES_PER_SECOND,
  };
  const name = `loop/lac/both/${PACED_OCTETS}B/paced-${PACED_FRAMES_PER_SECOND / 1000}k`;
  return {
    figures: [
      { name: `${name}/loss`, unit: "%", better: "lower", floor: 0.1 },
      { name: `${name}/processor`, unit: "ns/frame", better: "lower" },
    ],
    warmUp: async (stage) =>
      void (await stage.send("loop/lac", stage.one, { ...load, milliseconds: WARM_UP_MS })),
    async run(stage): Promise<Run> {
      const { report, processorNs, remark } = await measured(stage, "loop/lac", name, stage.one, load);
      return { values: [lossPercent(report), processorNs], ...(remark !== undefined && { remark }) };
    },
  };
}

interface Measured {
  readonly report: TrafficReport;
  /** The LAC's processor time for a frame. */
  readonly processorNs: number;
  /** What was lost, and what the LAC says about it. */
  readonly remark: string | undefined;
}

/** Rejects when what came out cannot be what went in, or when the generator did not keep its rate. */
async function measured(
  traffic: TrafficStage,
  carrier: Carrier,
  name: string,
  sessions: string,
  load: Load,
): Promise<Measured> {
  const { stage } = traffic;
  const dropsBefore = await stage.drops();
  const before = stage.lac.processorSeconds();
  const report = await traffic.send(carrier, sessions, load);
  const processorSeconds = stage.lac.processorSeconds() - before;
  const fault = faultOf(report, load.framesPerSecond);
  if (fault !== undefined) throw new Error(`${name}: ${fault}: ${JSON.stringify(report)}`);
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
