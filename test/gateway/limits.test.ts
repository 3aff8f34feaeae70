import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import { type Pair, startPair, World } from "../support/world.ts";

let world: World;

async function online(lacLimit: string, lnsLimit: string): Promise<Pair & { readonly alice: Subscriber }> {
  world = new World(21);
  const pair = await startPair(
    world,
    LAC_YAML.replace("{ lns: lns }", `{ lns: lns, ${lacLimit} }`),
    LNS_YAML.replace("{ terminate: subscribers }", `{ terminate: subscribers, ${lnsLimit} }`),
    USERS_YAML,
  );
  const alice = pair.side.subscriber(1, "alice@isp.example", "wonderland");
  alice.start();
  await world.until(() => pair.side.online.has(alice), 5000);
  return { ...pair, alice };
}

/** He sends a packet every so often, for a while. */
async function browse(
  { side, alice }: Pair & { alice: Subscriber },
  everyMs: number,
  times: number,
): Promise<void> {
  for (let i = 0; i < times; i++) {
    side.dataplane.receivePacket(side.units.get(alice)!, ipv4Packet("100.64.0.2", "203.0.113.10"));
    await world.pass(everyMs);
  }
}

describe("a session timeout", () => {
  it("ends a bridged session at its hour, however busy it is, and tells both ends why", async () => {
    const all = await online("session-timeout: 5m", "session-timeout: 1h");
    await browse(all, 10_000, 29);
    expect(all.lac.records).toEqual([]);
    await world.pass(20_000);
    expect(all.lac.records).toMatchObject([{ cause: "session-timeout", openSeconds: 300 }]);
    expect(all.side.offline.get(all.alice)).toContain("the session's time is over");
    expect(all.lns.records[0]?.reason).toContain("PPP disconnect cause 3");
  });

  it("ends a terminated session by LCP Terminate-Request", async () => {
    const all = await online("session-timeout: 1h", "session-timeout: 5m");
    await world.pass(310_000);
    expect(all.lns.records).toMatchObject([{ cause: "session-timeout" }]);
    expect(all.side.offline.has(all.alice)).toBe(true);
  });
});

describe("an idle timeout", () => {
  it("ends a bridged session that carries nothing but LCP echo", async () => {
    const all = await online("idle-timeout: 2m", "idle-timeout: 1h");
    await browse(all, 50_000, 4);
    expect(all.lac.records).toEqual([]);
    await world.pass(100_000);
    expect(all.lac.records).toMatchObject([{ cause: "idle", reason: "no packet for 120 s" }]);
    expect(all.lac.records[0]?.openSeconds).toBeLessThan(300);
  });

  it("ends a terminated session, too", async () => {
    const all = await online("idle-timeout: 1h", "idle-timeout: 2m");
    await browse(all, 50_000, 4);
    expect(all.lns.records).toEqual([]);
    await world.pass(100_000);
    expect(all.lns.records).toMatchObject([{ cause: "idle" }]);
  });

  it("is not there unless it is configured", async () => {
    const all = await online("session-timeout: 24h", "session-timeout: 24h");
    await world.pass(3_600_000);
    expect(all.lac.views.sessions()).toMatchObject([{ state: "open" }]);
  });
});
