import type { CrowdReport } from "./api/crowd.ts";
import { ApiStage, type Server } from "./api/stage.ts";
import { type Benchmark, type Extent, Faulty, type Scene } from "./benchmark.ts";
import { measured, WARM_UP_MS, WINDOW } from "./closed-loop.ts";
import { dialSummary } from "./dial.ts";
import type { Load } from "./frames-tool.ts";
import { SUBSCRIBER_DEVICES } from "./namespaces.ts";
import type { Figure } from "./results.ts";
import { deliveredPerSecond, lossPercent, streamsOf } from "./traffic-report.ts";

const SESSIONS = 16_000;
const OCTETS = 128;
const HALF = 0.5;
const FORWARD_MS = 1000;
const SETUPS = 1500;
const AT_ONCE = 256;
/** How often the crowd is seen before it counts: code gets compiled. */
const REHEARSALS = 1;
/** What whoever is asked may lose of its rate by it. */
const OF_BARE = { goal: 0.98 };

/** What is measured while a server is asked: the names of the figures, and their order. */
const FIGURES: readonly (Omit<Figure, "name"> & { readonly what: string })[] = [
  { what: "forwarded", unit: "frames/s", better: "higher" },
  { what: "loss", unit: "%", better: "lower", floor: 0.1 },
  { what: "latency/p50", unit: "µs", better: "lower" },
  { what: "set-ups", unit: "sessions/s", better: "higher" },
  { what: "set-ups/p50", unit: "ms", better: "lower" },
  { what: "set-ups/p99", unit: "ms", better: "lower" },
  { what: "answers/p50", unit: "ms", better: "lower" },
  { what: "answers/p99", unit: "ms", better: "lower" },
];

const nameOf = (server: Server, what: string): string =>
  server === "lac" ? `api/half-load/${what}` : `api/half-load/bare-server/${what}`;

/**
 * A LAC that forwards and sets up, each at half of what it can, while a crowd wants something of its API; and, in turns with
 * that, while the same crowd turns to a bare server on the same processors.
 */
export function apiScene({ pairs }: Extent): Scene<ApiStage> {
  return {
    name: "API",
    runs: pairs,
    benchmarks: [halfLoad()],
    // nothing divided by nothing says nothing
    comparisons: FIGURES.filter(({ what }) => what !== "loss").map(({ what }) => ({
      own: nameOf("lac", what),
      other: nameOf("bare", what),
      ...(["forwarded", "set-ups"].includes(what) && OF_BARE),
    })),
    open: () => ApiStage.open(SESSIONS),
  };
}

/** Half of what was carried before, without a crowd. */
interface Pace {
  readonly load: Load;
  readonly setupsPerSecond: number;
}

function halfLoad(): Benchmark<ApiStage> {
  let pace: Pace | undefined;
  /** Of events, that a listener gets of one run. */
  let eventOctets = 0;
  let runs = 0;
  const play = async (stage: ApiStage, server: Server): Promise<Half> => {
    pace ??= await halfOf(stage);
    const half = await underCrowd(stage, server, pace, eventOctets);
    if (server === "lac") eventOctets = half.crowd.eventOctets;
    return half;
  };
  return {
    figures: (["lac", "bare"] as const).flatMap((server) =>
      FIGURES.map(({ what, ...figure }) => ({ name: nameOf(server, what), ...figure })),
    ),
    async warmUp(stage) {
      for (let i = 0; i < REHEARSALS; i += 1)
        for (const server of ["lac", "bare"] as const) await play(stage, server);
    },
    async run(stage) {
      runs += 1;
      const order = runs % 2 === 0 ? (["bare", "lac"] as const) : (["lac", "bare"] as const);
      const halves: Partial<Record<Server, Half>> = {};
      for (const server of order) halves[server] = await play(stage, server);
      const { lac, bare } = halves as Record<Server, Half>;
      return { values: [...lac.values, ...bare.values], remark: remarkOn(lac.crowd) };
    },
  };
}

function remarkOn({ answered, denied, refused, listeners }: CrowdReport): string {
  return `${answered} answered and ${denied} denied of who may ask, ${listeners} listen, ${refused} others refused`;
}

interface Half {
  /** As FIGURES has them. */
  readonly values: readonly number[];
  readonly crowd: CrowdReport;
}

async function halfOf(stage: ApiStage): Promise<Pace> {
  const { traffic } = stage;
  const load: Load = {
    direction: "both",
    sizes: `${OCTETS}`,
    milliseconds: FORWARD_MS,
    // whoever else is measured is on the others
    freeGenerator: true,
  };
  const closed = { ...load, milliseconds: WARM_UP_MS, window: WINDOW };
  await traffic.send("lac", traffic.all, closed);
  const perSecond = deliveredPerSecond(await traffic.send("lac", traffic.all, closed));
  // more than is measured later: V8 still compiles
  await setUps(stage, 2 * SETUPS, { atOnce: AT_ONCE });
  const { sessionsPerSecond } = await setUps(stage, SETUPS, { atOnce: AT_ONCE });
  return {
    // of both directions together
    load: { ...load, framesPerSecond: Math.round((HALF * perSecond) / 2) },
    setupsPerSecond: Math.round(HALF * sessionsPerSecond),
  };
}

async function underCrowd(
  stage: ApiStage,
  server: Server,
  { load, setupsPerSecond }: Pace,
  eventOctets: number,
): Promise<Half> {
  const { traffic } = stage;
  await stage.gather(server);
  const { report } = await measured(traffic, "lac", traffic.all, load);
  const told =
    server === "bare" ? stage.tellByBare(eventOctets, (1000 * SETUPS) / setupsPerSecond) : undefined;
  const summary = await setUps(stage, SETUPS, { perSecond: setupsPerSecond });
  await told;
  const crowd = await stage.disperse();
  if (crowd.let > 0) throw new Faulty(`${crowd.let} were answered who may not ask`, { cause: crowd });
  const latencies = streamsOf(report).map(({ latencyUs }) => latencyUs.p50);
  return {
    crowd,
    values: [
      deliveredPerSecond(report),
      lossPercent(report),
      Math.max(...latencies),
      summary.sessionsPerSecond,
      summary.setupMs.p50,
      summary.setupMs.p99,
      crowd.answerMs.p50,
      crowd.answerMs.p99,
    ],
  };
}

/** Sets `count` sessions up beside those that are there, and hangs up again. */
async function setUps(
  { traffic: { stage }, sessions }: ApiStage,
  count: number,
  pace: { readonly perSecond?: number; readonly atOnce?: number },
) {
  const child = stage.startDial(count, { ...pace, device: SUBSCRIBER_DEVICES[1], realm: "spread" });
  const summary = await dialSummary(child);
  await child.stop();
  stage.site.forget(child);
  await stage.lac.untilSessions(sessions, sessions);
  if (summary.failed > 0)
    throw new Faulty(`${summary.failed} of ${count} sessions did not come up`, { cause: summary });
  return summary;
}
