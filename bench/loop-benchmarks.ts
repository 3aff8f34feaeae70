import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import { closedLoop, measured, WARM_UP_MS } from "./closed-loop.ts";
import { CROWD_HELLO, LacCrowd } from "./crowd-benchmarks.ts";
import type { Load } from "./frames-tool.ts";
import { loadsOf } from "./loads.ts";
import { reads } from "./reads-benchmark.ts";
import type { Comparison, Run } from "./results.ts";
import { lossPercent } from "./traffic-report.ts";
import { TrafficStage } from "./traffic-stage.ts";
import { widestWindow } from "./widest-window.ts";

const SESSIONS = 1000;

const PACED_OCTETS = 128;
const PACED_FRAMES_PER_SECOND = 100_000;

/** What the loop must reach of what its system calls allow. */
const OF_CEILING = { floor: 0.75, goal: 0.9 };
/** What many sessions must reach of one. */
const OF_ONE_SESSION = { goal: 0.85 };
const SESSIONS_OCTETS = 128;
/** What a LAC must reach of Debian's l2tpns, in times. */
const OF_L2TPNS = { floor: 3, goal: 5 };
const L2TPNS_OCTETS = 128;

/** Frames through a LAC, and through a program that only does its system calls. */
export function loopScene(extent: Extent): Scene<TrafficStage> {
  const loads = [
    ...loadsOf(extent, ["up", "down"]),
    // of both at once, what lies between says nothing new
    ...loadsOf({ ...extent, sizes: extent.sizes.slice(0, 1) }, ["both"]),
  ];
  const benchmarks: Benchmark<TrafficStage>[] = loads.flatMap(({ path, sessions, load }) => [
    closedLoop(`loop/lac/${path}`, "lac", sessions, load),
    closedLoop(`ceiling/loop-io/${path}`, "loop-io", sessions, load),
  ]);
  const comparisons: Comparison[] = loads.map(({ path }) => ({
    own: `loop/lac/${path}`,
    other: `ceiling/loop-io/${path}`,
    ...OF_CEILING,
  }));
  return {
    name: "loop",
    benchmarks: [...benchmarks, paced(extent.pacedMs)],
    comparisons,
    open: () => TrafficStage.open({ sessions: SESSIONS, beside: ["ceiling"] }),
  };
}

/** A LAC with many sessions: what they cost, and frames through some of them and through all. */
export function sessionsScene(extent: Extent): Scene<TrafficStage> {
  const counts = extent.sessionCounts;
  const nameOf = (count: number): string => `loop/lac/both/${SESSIONS_OCTETS}B/sessions-${count}`;
  const load: Load = {
    direction: "both",
    sizes: `${SESSIONS_OCTETS}`,
    milliseconds: extent.closedLoopMs,
  };
  const crowd = extent.crowd === 0 ? undefined : new LacCrowd(extent.crowd);
  return {
    name: "loop, many sessions",
    benchmarks: [
      ...(crowd === undefined ? [] : [crowd.benchmark(), reads(extent.crowd)]),
      ...counts.map((count) => closedLoop(nameOf(count), "lac", (stage) => stage.first(count), load)),
    ],
    comparisons: counts
      .slice(1)
      .map((count) => ({ own: nameOf(count), other: nameOf(counts[0]!), ...OF_ONE_SESSION })),
    open: () =>
      TrafficStage.open({
        sessions: extent.crowd || counts.at(-1)!,
        beside: [],
        helloInterval: CROWD_HELLO,
        ...(crowd !== undefined && { meanwhile: (stage) => crowd.watch(stage) }),
      }),
  };
}

/** Beside Debian's l2tpns, which does the same. */
export function l2tpnsScene(extent: Extent): Scene<TrafficStage> {
  const paths = (["up", "down", "both"] as const).map((direction) => ({
    own: `loop/lac/${direction}/${L2TPNS_OCTETS}B/beside-l2tpns`,
    other: `peer/l2tpns/lac/${direction}/${L2TPNS_OCTETS}B`,
    load: { direction, sizes: `${L2TPNS_OCTETS}`, milliseconds: extent.closedLoopMs },
  }));
  // one after the other says what both at once can give
  const bounds = paths
    .filter(({ load }) => load.direction !== "both")
    .map(({ other, load }) => ({
      own: `ceiling/loop-io/${load.direction}/${L2TPNS_OCTETS}B/beside-l2tpns`,
      other,
      load,
    }));
  return {
    name: "beside l2tpns",
    benchmarks: [
      ...paths.flatMap(({ own, other, load }) => [
        closedLoop(own, "lac", (stage) => stage.one, load),
        widestWindow(other, "l2tpns", load),
      ]),
      ...bounds.map(({ own, load }) => closedLoop(own, "loop-io", (stage) => stage.one, load)),
    ],
    comparisons: [
      ...paths.map(({ own, other }) => ({ own, other, ...OF_L2TPNS })),
      ...bounds.map(({ own, other }) => ({ own, other })),
    ],
    open: () => TrafficStage.open({ sessions: SESSIONS, beside: ["rival", "ceiling"] }),
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
    warmUp: async (stage) => void (await stage.send("lac", stage.one, { ...load, milliseconds: WARM_UP_MS })),
    async run(stage): Promise<Run> {
      const { report, processorNs, remark } = await measured(stage, "lac", stage.one, load);
      return { values: [lossPercent(report), processorNs], ...(remark !== undefined && { remark }) };
    },
  };
}
