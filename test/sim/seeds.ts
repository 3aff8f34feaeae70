import { expect, vi } from "vitest";
import { repeatsTooOften } from "./first-ids.ts";
import { simulate } from "./run.ts";

vi.mock("../../src/pppoe/access-concentrator.ts", async (original) => {
  const { withStandIn } = await import("./stand-ins.ts");
  const module = await original<typeof import("../../src/pppoe/access-concentrator.ts")>();
  return withStandIn(module, "AccessConcentrator");
});

vi.mock("../../src/l2tp/endpoint.ts", async (original) => {
  const { withStandIn } = await import("./stand-ins.ts");
  return withStandIn(await original<typeof import("../../src/l2tp/endpoint.ts")>(), "L2tpEndpoint");
});

vi.mock("../../src/ppp/server.ts", async (original) => {
  const { withStandIn } = await import("./stand-ins.ts");
  return withStandIn(await original<typeof import("../../src/ppp/server.ts")>(), "PppServer");
});

const TWINS_EVERY = 20;

/** Those whose snapshots are tried. */
const MACHINES = ["AccessConcentrator", "L2tpEndpoint", "PppClient", "PppServer", "PppoeClient"];

/**
 * Expects the worlds of these seeds to keep every invariant.
 * More, and others: npm run sim -- --seeds 10000 --seed 1000. The whole story of one: npm run sim -- --seed 7 --trace.
 */
export async function expectEverySeedToPass(first: number, last: number): Promise<void> {
  const replaced = new Set<string>();
  const firstIds = { compared: 0, repeated: 0 };
  for (let seed = first; seed <= last; seed++) {
    const outcome = await simulate({ seed, disturb: true });
    for (const kind of outcome.replaced.keys()) replaced.add(kind);
    firstIds.compared += outcome.firstIds.compared;
    firstIds.repeated += outcome.firstIds.repeated;
    if (outcome.violation !== undefined)
      expect.fail(`seed ${seed}: ${outcome.violation.invariant}: ${outcome.violation.text}`);
    if (seed % TWINS_EVERY !== 0) continue;
    // without machines that are replaced by their snapshots, and without wall clocks that are set
    const plain = await simulate({ seed, disturb: false });
    expect(plain.hash, `seed ${seed}`).toBe(outcome.hash);
  }
  expect(firstIds.compared).toBeGreaterThan(last - first);
  expect(repeatsTooOften(firstIds), `${firstIds.repeated} first ids were those of an earlier life`).toBe(
    false,
  );
  expect([...replaced].sort()).toEqual(MACHINES);
}
