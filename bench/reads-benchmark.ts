import { answerOf } from "./api/answer-of.ts";
import type { Benchmark } from "./benchmark.ts";
import type { TrafficStage } from "./traffic-stage.ts";

/** What is asked, and how long it may take at the most, in milliseconds. */
const READS = [
  { what: "scrape", path: "/metrics", goal: 100 },
  { what: "first-page", path: "/v1/sessions?limit=100", goal: 200 },
  { what: "first-page-by-user", path: "/v1/sessions?limit=100&sort=-user", goal: 200 },
  { what: "health", path: "/v1/health", goal: 200 },
  { what: "users", path: "/v1/users?limit=100", goal: 200 },
] as const;
/** For which the control plane may see to nothing else. */
const HELD_UP_GOAL_MS = 20;

/** What an operator's tools ask of a gateway with so many sessions: how long it takes, and how long others wait for it. */
export function reads(sessions: number): Benchmark<TrafficStage> {
  const name = (what: string): string => `api/${sessions / 1000}k-sessions/${what}`;
  const read = async ({ stage: { lac } }: TrafficStage): Promise<readonly number[]> => {
    const times: number[] = [];
    const heldUp = await lac.longestTurnMs(async () => {
      for (const { path } of READS) {
        const begun = performance.now();
        await answerOf(lac.socket, path);
        times.push(performance.now() - begun);
      }
    });
    return [...times, heldUp];
  };
  return {
    figures: [
      ...READS.map(({ what, goal }) => ({ name: name(what), unit: "ms", better: "lower", goal }) as const),
      { name: name("held-up"), unit: "ms", better: "lower", goal: HELD_UP_GOAL_MS },
    ],
    warmUp: async (stage) => void (await read(stage)),
    run: async (stage) => ({ values: await read(stage) }),
  };
}
