import type { Benchmark, Extent, Scene } from "./benchmark.ts";
import type { Child } from "./child.ts";
import { dialSummary } from "./dial.ts";
import { SUBSCRIBER_DEVICES } from "./namespaces.ts";
import { Stage } from "./stage.ts";

const AT_ONCE = 128;
/** Who takes longer than this to stop is killed. */
const MOST_TEAR_DOWN_MS = 60_000;
const KIB = 1024;
/** What is asked again: a first answer also compiles. */
const ASKED = 3;

/** Very many sessions in one LAC, over two access interfaces and the tunnels to eight LNSes. */
export function scaleScene({ scale }: Extent): Scene<Stage> {
  return {
    name: "very many sessions",
    benchmarks: [benchmark(scale)],
    open: () =>
      Stage.open({
        helloInterval: "10s",
        accessDevices: SUBSCRIBER_DEVICES.length,
        // a bridged session needs two
        maxChannels: 4 * scale,
      }),
  };
}

function benchmark(count: number): Benchmark<Stage> {
  const name = `scale/${count / 1000}k`;
  return {
    figures: [
      { name: `${name}/set-up`, unit: "s", better: "lower" },
      { name: `${name}/set-up/rate`, unit: "sessions/s", better: "higher" },
      { name: `${name}/counted`, unit: "ms", better: "lower" },
      { name: `${name}/listed`, unit: "ms", better: "lower" },
      { name: `${name}/torn-down`, unit: "s", better: "lower" },
      { name: `${name}/memory`, unit: "KiB/session", better: "lower" },
      { name: `${name}/memory/tables`, unit: "KiB/session", better: "lower" },
    ],
    runs: 1,
    warmUp: () => Promise.resolve(),
    async run(stage) {
      const { lac } = stage;
      const before = await lac.memory();
      const dials: Child[] = SUBSCRIBER_DEVICES.map((device) =>
        stage.startDial(count / SUBSCRIBER_DEVICES.length, { device, realm: "spread", atOnce: AT_ONCE }),
      );
      const setUp = await seconds(async () => {
        const summaries = dials.map(dialSummary);
        for (const { failed } of await Promise.all(summaries))
          if (failed > 0) throw new Error(`${failed} of ${count} sessions did not come up`);
      });
      const after = await lac.memory();
      const counted = await leastMs(async () => {
        const { sessions } = await lac.read("status");
        if (sessions !== count) throw new Error(`the LAC counts ${sessions} sessions, not ${count}`);
      });
      const listed = await leastMs(async () => {
        const { length } = await lac.read("sessions");
        if (length !== count) throw new Error(`the LAC lists ${length} sessions, not ${count}`);
      });
      // by the LAC: of what 100,000 subscribers say in one moment, its receive buffer loses some
      const tornDown = await seconds(() => lac.child.stop("SIGTERM", MOST_TEAR_DOWN_MS));
      const grown = (field: "resident" | "tables"): number => (after[field] - before[field]) / count / KIB;
      return {
        values: [setUp, count / setUp, counted, listed, tornDown, grown("resident"), grown("tables")],
      };
    },
  };
}

async function seconds(act: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await act();
  return (performance.now() - started) / 1000;
}

async function leastMs(act: () => Promise<void>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < ASKED; i += 1) least = Math.min(least, 1000 * (await seconds(act)));
  return least;
}
