import { describe, expect, it } from "vitest";
import { live, standing } from "./lossy-pair.ts";

const SEEDS = 400;
const RESTORED_SEEDS = 60;

describe("a LAC and an LNS through loss, duplication and reordering", () => {
  it(`agree about every call, told once, and leave nothing behind (${SEEDS} seeds)`, {
    timeout: 60_000,
  }, () => {
    let connected = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      try {
        const pair = live(seed);
        const up = standing(pair.lac);
        connected += up.length;
        expect(standing(pair.lns)).toEqual(up);
        for (const line of up) expect(line).toMatch(/ established$/);
        for (const end of [pair.lac, pair.lns]) {
          const told = [...end.sessions.values()];
          expect(told.filter((state) => state === "up")).toHaveLength(up.length);
          expect(told).not.toContain("open");
          for (const { tunnel, phase } of end.endpoint.tunnels())
            if (phase !== "closing") pair.closeTunnel(end, tunnel);
        }
        pair.runUntil(pair.now + 100_000);
        for (const end of [pair.lac, pair.lns]) {
          expect(end.endpoint.tunnels()).toEqual([]);
          expect(end.endpoint.deadline()).toBe(Number.POSITIVE_INFINITY);
          expect([...end.sessions.values(), ...end.tunnels.values()]).not.toContain("up");
        }
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error });
      }
    }
    expect(connected).toBeGreaterThan(SEEDS);
  });

  it("get most calls through at a loss of 20 % and more", () => {
    let placed = 0;
    let told = 0;
    for (let seed = 5000; seed < 5100; seed++) {
      const { lac } = live(seed);
      placed += lac.sessions.size;
      told += lac.log.filter((line) => line.includes('"call-accepted"')).length;
    }
    expect(told / placed).toBeGreaterThan(0.6);
  });
});

describe("a snapshot after every single input", () => {
  it(`changes nothing at either end (${RESTORED_SEEDS} seeds)`, { timeout: 60_000 }, () => {
    for (let seed = 1; seed <= RESTORED_SEEDS; seed++) {
      const plain = live(seed);
      const restored = live(seed, true);
      expect(restored.lac.log, `seed ${seed}`).toEqual(plain.lac.log);
      expect(restored.lns.log, `seed ${seed}`).toEqual(plain.lns.log);
      expect(restored.lac.endpoint.snapshot(), `seed ${seed}`).toEqual(plain.lac.endpoint.snapshot());
      expect(restored.lns.endpoint.snapshot(), `seed ${seed}`).toEqual(plain.lns.endpoint.snapshot());
    }
  });
});
