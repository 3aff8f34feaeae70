import { describe, expect, it } from "vitest";
import { type PoolPolicy, TunnelPool } from "../../src/gateway/tunnel-pool.ts";

const POLICY: PoolPolicy = {
  maxSessionsPerTunnel: 2,
  maxTunnels: 2,
  maxSessions: 5,
  idleMs: 60_000,
  usesTheirs: false,
};

function pool(more: Partial<PoolPolicy> = {}): TunnelPool {
  return new TunnelPool(() => ({ ...POLICY, ...more }));
}

/** Places a call in the tunnel that is picked, opening one if need be. */
function place(tunnels: TunnelPool, nextId: number): number | undefined {
  const picked = tunnels.pick(0, "lns");
  if (picked === undefined) return undefined;
  if (picked === "open") tunnels.opening(0, nextId, "lns");
  const id = picked === "open" ? nextId : picked;
  tunnels.begin(id, true);
  return id;
}

describe("the tunnels to an LNS", () => {
  it("are filled one after the other, and no more are opened than may be", () => {
    const tunnels = pool();
    expect([1, 2, 3, 4, 5].map((id) => place(tunnels, id))).toEqual([1, 1, 3, 3, undefined]);
    expect(tunnels.sessions("lns")).toBe(4);
    tunnels.end(0, 1, true);
    expect(tunnels.pick(0, "lns")).toBe(1);
  });

  it("that are up come before those that are coming up", () => {
    const tunnels = pool();
    tunnels.opening(0, 1, "lns");
    tunnels.opening(0, 2, "lns");
    tunnels.up(5, 2, "lns");
    expect(tunnels.pick(0, "lns")).toBe(2);
    expect(tunnels.tunnels("lns")).toEqual({ up: 1, opening: 1 });
  });

  it("that are silent get no more calls while there may be another one, until the peer answers or for half a minute", () => {
    const tunnels = pool({ maxSessionsPerTunnel: 100 });
    tunnels.opening(0, 1, "lns");
    tunnels.up(0, 1, "lns");
    tunnels.silent(1000, 1);
    const restored = new TunnelPool(() => POLICY, tunnels.snapshot());
    for (const each of [tunnels, restored]) expect(each.pick(1000, "lns")).toBe("open");
    tunnels.opening(1000, 2, "lns");
    expect(tunnels.pick(1000, "lns")).toBe(2);
    tunnels.silent(2000, 2);
    expect(tunnels.pick(2000, "lns")).toBe(1);
    tunnels.answered(3000, 2);
    expect(tunnels.pick(3000, "lns")).toBe(2);
    expect(restored.pick(31_999, "lns")).toBe("open");
    expect(restored.pick(32_000, "lns")).toBe(1);
  });

  it("hold no more sessions of ours in all than the LNS is to have", () => {
    const tunnels = pool({ maxSessionsPerTunnel: 100, maxSessions: 2 });
    expect([1, 2, 3].map((id) => place(tunnels, id))).toEqual([1, 1, undefined]);
  });

  it("that the peer opened carry our calls only where it is an LNS, too", () => {
    for (const usesTheirs of [false, true]) {
      const tunnels = pool({ usesTheirs });
      tunnels.up(0, 9, "lns");
      expect(tunnels.pick(0, "lns")).toBe(usesTheirs ? 9 : "open");
      expect(tunnels.isOurs(9)).toBe(false);
    }
  });

  it("of ours are idle after a time without any session, whoever called, also if nobody ever did", () => {
    const tunnels = pool();
    tunnels.opening(0, 1, "lns");
    expect(tunnels.deadline()).toBe(Number.POSITIVE_INFINITY);
    tunnels.up(100, 1, "lns");
    tunnels.up(100, 2, "lns");
    expect(tunnels.deadline()).toBe(60_100);
    tunnels.begin(1, false);
    expect(tunnels.deadline()).toBe(Number.POSITIVE_INFINITY);
    tunnels.end(5000, 1, false);
    expect(tunnels.idle(64_999)).toEqual([]);
    const restored = new TunnelPool(() => POLICY, tunnels.snapshot());
    expect(restored.idle(65_000)).toEqual([1]);
    expect(tunnels.idle(65_000)).toEqual([1]);
    expect(tunnels.idle(65_000)).toEqual([]);
  });

  it("are forgotten when they are down", () => {
    const tunnels = pool();
    place(tunnels, 1);
    tunnels.up(0, 1, "lns");
    tunnels.down(1);
    tunnels.end(0, 1, true);
    expect([tunnels.sessions("lns"), tunnels.pick(0, "lns"), tunnels.heardOf("lns")]).toEqual([
      0,
      "open",
      undefined,
    ]);
    expect(tunnels.snapshot()).toEqual({ tunnels: {} });
  });

  it("know when the peer last answered a call in any of them", () => {
    const tunnels = pool();
    tunnels.opening(0, 1, "lns");
    expect(tunnels.answeredAt(1)).toBeUndefined();
    tunnels.up(10, 1, "lns");
    tunnels.up(20, 2, "lns");
    tunnels.answered(30, 1);
    expect([tunnels.answeredAt(1), tunnels.answeredAt(2), tunnels.heardOf("lns")]).toEqual([30, 20, 30]);
  });
});
