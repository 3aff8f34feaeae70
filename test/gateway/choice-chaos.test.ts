import { expect, it } from "vitest";
import { type LnsName, startField } from "../support/lns-field.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { World } from "../support/world.ts";

const GROUPS = [
  "{ peer: a }, { peer: b }",
  "{ peer: a, preference: 1 }, { peer: b, preference: 2 }",
  "{ peer: a, preference: 1 }, { peer: c, preference: 1 }, { peer: b, preference: 2 }",
];
/** Of a CPE's authentication. */
const PATIENCE_MS = 10_000;

/** Subscribers call while LNSes "a" and "c" fall silent, come back and are killed; "b" is always there. */
async function play(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const below = (limit: number): number => random.uint32() % limit;
  const world = new World(seed, { latencyMs: 1 + below(20), loss: 0, duplication: 0 });
  const idle = `tunnel-idle-timeout: ${1 + below(5)}s`;
  const field = await startField(world, {
    members: GROUPS[below(GROUPS.length)]!,
    group: `lockout: ${1 + below(40)}s, lockout-on-cdn: ${below(2) === 0}, strategy: ${below(2) === 0 ? "weight" : "sessions"}`,
    peer: below(2) === 0 ? idle : `${idle}, max-tunnels: 1`,
  });
  const { lac, side, dead } = field;
  lac.dataplane.delayMs = below(8);
  const longestCallMs = (): number => {
    const calling = lac.views.sessions().filter(({ state }) => state === "calling");
    return Math.max(0, ...calling.map((each) => world.clock.wallClock() - Date.parse(each.startedAt)));
  };
  const watch = async (ms: number): Promise<void> => {
    for (const end = world.clock.now() + ms; world.clock.now() < end; ) {
      await world.pass(Math.min(200, end - world.clock.now()));
      expect([seed, longestCallMs() < PATIENCE_MS]).toEqual([seed, true]);
    }
  };
  for (let step = 1; step <= 30; step++) {
    await watch(below(4) === 0 ? below(12_000) : below(60));
    const name: LnsName = below(2) === 0 ? "a" : "c";
    const what = below(6);
    if (what === 0) dead.add(name);
    else if (what === 1) dead.delete(name);
    else if (what === 2) await field.restart(name);
    else side.subscriber(step, "alice@isp.example", "wonderland").start();
  }
  await watch(PATIENCE_MS + 1000);
  expect([seed, lac.records.filter(({ cause }) => cause === "no-lns")]).toEqual([seed, []]);
}

it("nobody is refused, or called for longer than a CPE waits, while one LNS of his group stands, whatever the others do", async () => {
  for (let seed = 1; seed <= 15; seed++) await play(seed);
}, 30_000);
