import { describe, expect, it, vi } from "vitest";
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

/** More, and others: npm run sim -- --seeds 10000 --seed 1000. The whole story of one: npm run sim -- --seed 7 --trace. */
const SEEDS = 500;
const TWINS_EVERY = 10;

describe("LACs, LNSes and subscribers in every weather", () => {
  it(`keep every invariant (${SEEDS} seeds)`, { timeout: 120_000 }, async () => {
    let replaced = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const outcome = await simulate({ seed, disturb: true });
      replaced += outcome.replaced;
      if (outcome.violation !== undefined)
        expect.fail(`seed ${seed}: ${outcome.violation.invariant}: ${outcome.violation.text}`);
      if (seed % TWINS_EVERY !== 0) continue;
      // without machines that are replaced by their snapshots, and without wall clocks that are set
      const plain = await simulate({ seed, disturb: false });
      expect(plain.hash, `seed ${seed}`).toBe(outcome.hash);
    }
    expect(replaced).toBeGreaterThan(SEEDS);
  });
});
