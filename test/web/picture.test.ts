import { describe, expect, it } from "vitest";
import type { RatesView } from "../../src/gateway/operations-views.ts";
import {
  endingHere,
  gathered,
  type PictureNode,
  placed,
  shortened,
} from "../../web/src/parts/topology-layout.ts";

function node(name: string, load = 0, trouble?: string): PictureNode {
  return { name, sessions: 1, down: load, up: 0, trouble, href: "#/" };
}

const flow = (sessions: number, octets: number) => ({
  sessions,
  octetsInPerSecond: octets,
  octetsOutPerSecond: octets * 10,
  framesInPerSecond: 1,
  framesOutPerSecond: 1,
});

describe("the picture of ports, gateway and LNSes", () => {
  it("shows few as they are, and of many the busiest and the troubled ones", () => {
    const few = [node("a"), node("b")];
    expect(gathered(few)).toBe(few);
    const many = Array.from({ length: 40 }, (_, i) => node(`lns${i}`, i, i === 3 ? "locked out" : undefined));
    const shown = gathered(many);
    expect(shown.map(({ name }) => name)).toEqual([
      "lns3",
      "lns39",
      "lns38",
      "lns37",
      "lns36",
      "lns35",
      "34 more",
    ]);
    expect(shown.at(-1)).toMatchObject({ sessions: 34, trouble: undefined, href: undefined });
    const sum = shown.reduce((total, { down }) => total + down, 0);
    expect(sum).toBe((39 * 40) / 2);
  });

  it("says that something among the rest is in trouble", () => {
    const many = Array.from({ length: 12 }, (_, i) => node(`lns${i}`, i, "slow"));
    expect(gathered(many).at(-1)?.trouble).toBe("6 in trouble");
  });

  it("draws lines as thick as what flows, and none invisible", () => {
    const [idle, half, busy] = placed([node("a"), node("b", 50), node("c", 100)], 300, 100);
    expect(idle?.thickness).toBeGreaterThan(1);
    expect(half?.thickness).toBeGreaterThan(idle?.thickness ?? 0);
    expect(busy?.thickness).toBe(10);
    expect(placed([node("a", 7)], 100, 0)[0]?.thickness).toBeLessThan(2);
  });

  it("shows what is not carried on to an LNS as ending here", () => {
    const rates: RatesView = {
      at: "2026-01-02T03:04:05.678Z",
      seconds: 1,
      total: flow(0, 100),
      ports: [{ name: "acc0", ...flow(5, 100) }],
      lnses: [{ name: "lns1", ...flow(3, 40) }],
      setupsPerSecond: 0,
    };
    expect(endingHere(rates)).toMatchObject({ sessions: 2, down: 600, up: 60 });
    expect(endingHere({ ...rates, lnses: [{ name: "lns1", ...flow(5, 100) }] })).toBeUndefined();
  });

  it("shortens names that have no room", () => {
    expect([shortened("short", 8), shortened("a-very-long-name", 8)]).toEqual(["short", "a-very-…"]);
  });
});
