import { describe, expect, it } from "vitest";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { ipv4Packet } from "../support/ipv4-packet.ts";
import {
  type Alone,
  macOf,
  Node,
  type Pair,
  SubscriberSide,
  startAlone,
  startPair,
  World,
  wireEthernet,
  wireUdp,
} from "../support/world.ts";

const PTA = `
name: pta
access: [{ interface: acc0, sessions-per-mac: 2 }]
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;

let world: World;

async function lacAndLns(): Promise<Pair> {
  world = new World(1);
  return startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
}

async function pta(): Promise<Alone> {
  world = new World(2);
  return startAlone(world, PTA, USERS_YAML);
}

describe("a LAC and an LNS", () => {
  it("bring a subscriber online in well under a second, bridged and attached", async () => {
    const { lac, lns, side } = await lacAndLns();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => side.online.has(alice), 500)).toBe(true);
    expect(side.online.get(alice)).toMatchObject({
      address: "100.64.0.2",
      peerAddress: "100.64.0.1",
      dns: ["192.0.2.53"],
      mtuBytes: 1492,
    });
    await world.pass(10);
    expect(lac.views.sessions()).toMatchObject([
      { role: "lac", state: "open", user: "alice@isp.example", onward: { peer: "lns" }, address: null },
    ]);
    expect(lac.views.channels().map(({ state }) => state)).toEqual(["bridged", "bridged"]);
    expect(lns.views.sessions()).toMatchObject([
      { role: "lns", state: "open", device: "sub0", address: "100.64.0.2", origin: { peer: "lac" } },
    ]);
    expect(lns.views.channels()).toMatchObject([{ state: "attached", device: "sub0" }]);
    expect(lac.views.tunnels()).toMatchObject([
      { peer: "lns", state: "established", initiator: true, sessions: 1 },
    ]);
  });

  it("carry packets both ways", async () => {
    const { lns, side } = await lacAndLns();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 500);
    await world.pass(10);
    const out = ipv4Packet("100.64.0.2", "203.0.113.10");
    side.dataplane.receivePacket(side.units.get(alice)!, out);
    await world.pass(10);
    expect(lns.packets.map(({ packet }) => packet)).toEqual([out]);
    const back = ipv4Packet("203.0.113.10", "100.64.0.2");
    lns.dataplane.receivePacket(lns.packets[0]!.unit, back);
    await world.pass(10);
    expect(side.packets).toEqual([back]);
  });

  it("end both legs when the subscriber hangs up, and tell each end once", async () => {
    const { lac, lns, side } = await lacAndLns();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 500);
    await world.pass(10);
    alice.hangUp();
    await world.pass(1000);
    expect(side.offline.has(alice)).toBe(true);
    expect(lac.views.sessions()).toEqual([]);
    expect(lns.views.sessions()).toEqual([]);
    expect(lac.records).toHaveLength(1);
    expect(lns.records).toMatchObject([
      { user: "alice@isp.example", address: "100.64.0.2", cause: "hung-up" },
    ]);
    expect(lac.views.tunnels()).toMatchObject([{ state: "established", sessions: 0 }]);
  });

  it("tell a user with a wrong password so, once, and let him go", async () => {
    const { lac, lns, side } = await lacAndLns();
    const mallory = side.subscriber(1, "alice@isp.example", "guess");
    mallory.start();
    await world.until(() => side.offline.has(mallory), 10_000);
    expect(side.offline.get(mallory)).toContain("wrong user name or password");
    await world.pass(5000);
    expect(lac.views.sessions()).toEqual([]);
    expect(lns.records).toMatchObject([{ cause: "refused" }]);
  });

  it("end a session politely on both sides when the gateway stops: one StopCCN for the tunnel", async () => {
    const { lac, lns, side } = await lacAndLns();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.online.has(alice), 500);
    await world.pass(10);
    let stopped = false;
    void lac.gateway.stop("SIGTERM").then(() => {
      stopped = true;
    });
    expect(await world.until(() => stopped, 3000)).toBe(true);
    await world.pass(100);
    expect(side.offline.get(alice)).toBeDefined();
    expect(lns.records).toHaveLength(1);
    expect(lns.log.filter(({ message }) => message === "L2TP tunnel down")).toMatchObject([
      { reason: expect.stringContaining("result 6") },
    ]);
  });

  it("give up on an LNS that never answers after about 7 s, and tell the subscriber", async () => {
    world = new World(3);
    const lac = new Node(world, "10.0.0.2", LAC_YAML);
    const side = new SubscriberSide(world);
    wireUdp(world, lac);
    wireEthernet(side, lac);
    await side.open();
    await lac.gateway.start();
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    await world.until(() => side.offline.has(alice), 60_000);
    expect(world.clock.now()).toBeGreaterThan(6_500);
    expect(world.clock.now()).toBeLessThan(10_000);
    await world.pass(100);
    expect(lac.records).toMatchObject([
      { cause: "no-lns", reason: expect.stringContaining("SCCRQ sent 3 times") },
    ]);
  });

  it("bring everyone online over lines that lose, double and reorder, and end cleanly", async () => {
    for (let seed = 0; seed < 40; seed++) {
      world = new World(seed, { latencyMs: 5, loss: 0.05, duplication: 0.05 });
      const { lac, lns, side } = await startPair(world, LAC_YAML, LNS_YAML, USERS_YAML);
      const callers = [1, 2, 3].map((n) => side.subscriber(n, "alice@isp.example", "wonderland"));
      for (const caller of callers) caller.start();
      const allUp = await world.until(() => side.online.size === 3, 60_000);
      expect([seed, allUp, ...side.offline.values()]).toEqual([seed, true]);
      world.weather = { latencyMs: 5, loss: 0, duplication: 0 };
      for (const caller of callers) caller.hangUp();
      await world.pass(60_000);
      expect([seed, lac.views.sessions(), lns.views.sessions()]).toEqual([seed, [], []]);
    }
  });
});

describe("a PTA", () => {
  it("terminates a subscriber itself", async () => {
    const { node, side } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    expect(await world.until(() => side.online.has(bob), 500)).toBe(true);
    await world.pass(10);
    expect(node.views.sessions()).toMatchObject([{ role: "pta", state: "open", address: "100.64.0.200" }]);
  });

  it("drops and counts packets with a source that is not the subscriber's", async () => {
    const { node, side } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 500);
    await world.pass(10);
    side.dataplane.receivePacket(side.units.get(bob)!, ipv4Packet("100.64.0.7", "203.0.113.10"));
    await world.pass(10);
    expect(node.packets).toEqual([]);
    expect(node.views.counters()["drops.wrong-address"]).toBe(1);
  });

  it("gives a fixed address to a new login, and ends the stale session", async () => {
    const { node, side } = await pta();
    const before = side.subscriber(1, "bob", "builder");
    before.start();
    await world.until(() => side.online.has(before), 500);
    const after = side.subscriber(2, "bob", "builder");
    after.start();
    expect(await world.until(() => side.online.has(after), 1000)).toBe(true);
    await world.pass(1000);
    expect(side.offline.has(before)).toBe(true);
    expect(node.records).toMatchObject([{ cause: "replaced", address: "100.64.0.200" }]);
    expect(node.views.sessions()).toMatchObject([{ address: "100.64.0.200" }]);
  });

  it("replaces a MAC's oldest session when it is over its limit", async () => {
    const { node, side } = await pta();
    const users = ["alice@isp.example", "alice@isp.example", "alice@isp.example"];
    for (const [i, user] of users.entries()) {
      const caller = side.subscriber(i + 1, user, "wonderland", macOf(9));
      caller.start();
      await world.until(() => side.online.has(caller), 1000);
    }
    await world.pass(1000);
    expect(node.records).toMatchObject([{ cause: "replaced" }]);
    expect(node.views.sessions()).toHaveLength(2);
  });

  it("ends its sessions when the interface is removed, and opens again when it comes back", async () => {
    const { node, side } = await pta();
    const bob = side.subscriber(1, "bob", "builder");
    bob.start();
    await world.until(() => side.online.has(bob), 500);
    node.host.announce({ kind: "gone", ifindex: 1, name: "acc0" });
    await world.pass(100);
    expect(node.records).toMatchObject([{ cause: "interface-gone" }]);
    const link = { flags: 0, up: true, operState: "up", mtuBytes: 1500 } as const;
    node.host.announce({
      kind: "link",
      link: { ...link, ifindex: 7, name: "acc0", mac: Uint8Array.of(2, 0, 0, 0, 0, 0xac) },
    });
    const again = side.subscriber(2, "bob", "builder");
    again.start();
    expect(await world.until(() => side.online.has(again), 1000)).toBe(true);
  });
});
