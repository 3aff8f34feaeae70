import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { L2tpPeer, wireHosts } from "../support/l2tp-peer.ts";
import { type Field, lnsView, sessionsOf, startField } from "../support/lns-field.ts";
import { PlayedPeer } from "../support/played-peer.ts";
import { startSwitchField } from "../support/switch-field.ts";
import { Node, World } from "../support/world.ts";

const FIRST_A = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }";
const DRAINING = "result 4 (lack of appropriate facilities (temporary))";

let world: World;

/** Each caller in turn, until he is online or nobody has taken him. */
async function call({ side }: Field, ...numbers: readonly number[]): Promise<Subscriber | undefined> {
  let caller: Subscriber | undefined;
  for (const number of numbers) {
    caller = side.subscriber(number, "alice@isp.example", "wonderland");
    caller.start();
    const subscriber = caller;
    if (!(await world.until(() => side.online.has(subscriber), 10_000))) return undefined;
  }
  return caller;
}

function refused(node: Node): number | undefined {
  return node.operations.counters()["l2tp.refused.draining"];
}

function tunnelOf(node: Node): number {
  return node.views.tunnels()[0]!.localTunnelId;
}

describe("an LNS that drains", () => {
  it("keeps its sessions and refuses calls, which go to the LAC's next LNS until it takes them again", async () => {
    world = new World(51);
    const f = await startField(world, { members: FIRST_A });
    const early = await call(f, 1);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 0, c: 0 });
    expect(f.lns.a.operations.drain(true)).toEqual({ draining: true, interfaces: [], l2tp: true });
    await call(f, 2, 3);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 2, c: 0 });
    expect(refused(f.lns.a)).toBe(2);
    expect(f.lac.operations.counters()).toMatchObject({ "lns.a.refused": 2, "lns.a.connected": 1 });
    expect(lnsView(f, "a")).toMatchObject({ state: "up", tunnels: 1 });
    f.lns.a.operations.drain(false);
    await call(f, 4);
    expect(sessionsOf(f)).toEqual({ a: 2, b: 2, c: 0 });
    expect(f.side.online.has(early!)).toBe(true);
    expect(refused(f.lns.a)).toBe(2);
  });

  it("takes the tunnel of a LAC that comes while it drains, so that its calls come back at once", async () => {
    world = new World(52);
    const f = await startField(world, { members: FIRST_A });
    f.lns.a.operations.drain(true);
    await call(f, 1);
    expect(sessionsOf(f)).toEqual({ a: 0, b: 1, c: 0 });
    expect(lnsView(f, "a")).toMatchObject({ state: "up", tunnels: 1 });
    f.lns.a.operations.drain(false);
    await call(f, 2);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 1, c: 0 });
  });

  it("is asked once where the LAC locks out who refuses, and again when the lockout is over", async () => {
    world = new World(53);
    const f = await startField(world, { members: FIRST_A, group: "lockout-on-cdn: true, lockout: 20s" });
    f.lns.a.operations.drain(true);
    await call(f, 1, 2, 3);
    expect(sessionsOf(f)).toEqual({ a: 0, b: 3, c: 0 });
    expect(refused(f.lns.a)).toBe(1);
    expect(lnsView(f, "a")).toMatchObject({ state: "locked-out", reason: expect.stringContaining(DRAINING) });
    f.lns.a.operations.drain(false);
    await world.pass(20_000);
    await call(f, 4);
    expect(sessionsOf(f)).toEqual({ a: 1, b: 3, c: 0 });
  });

  it("lets in a call that was on its way when it began to drain", async () => {
    world = new World(54);
    const lns = new Node(world, "10.0.0.11", LNS_YAML, USERS_YAML);
    const lac = new L2tpPeer(world, "10.0.0.2", "lac", { secret: "tunnel-secret" }, "10.0.0.11");
    wireHosts(world, [lns, lac]);
    await lns.gateway.start();
    const tunnel = lac.openTunnel();
    const session = lac.placeCall(tunnel, { callSerialNumber: 1 });
    await world.until(() => lac.all("call-accepted").length === 1, 1000);
    lns.operations.drain(true);
    lac.do((endpoint, now) =>
      endpoint.connectCall(now, tunnel, session, { txConnectSpeed: 1, framingType: 1 }),
    );
    lac.placeCall(tunnel, { callSerialNumber: 2 });
    await world.until(() => lac.all("session-down").length > 0, 1000);
    expect(lac.one("session-down")).toMatchObject({
      cause: { by: "peer", result: 4, message: "draining: no new calls" },
    });
    expect(lns.views.sessions()).toHaveLength(1);
  });

  it("says so to operators and listeners, as long as it does", async () => {
    world = new World(55);
    const f = await startField(world, { members: FIRST_A });
    const { operations, events } = f.lns.a;
    await call(f, 1);
    const heard: unknown[] = [];
    events.subscribe(({ event }) => heard.push(event));
    operations.drain(true);
    expect(operations.health().problems).toEqual([
      {
        severity: "warning",
        code: "l2tp-draining",
        text: "The gateway drains: it takes no new calls by L2TP, and has one session that came so.",
        hint: "lacewing drain off takes calls again.",
      },
    ]);
    expect(operations.readiness()).toEqual({
      ready: false,
      reasons: ["calls by L2TP are refused: the gateway drains"],
    });
    expect(operations.l2tpDraining()).toBe(true);
    await call(f, 2);
    expect(heard).toMatchObject([{ kind: "call-down", peer: "lac", by: "us", result: 4, connected: false }]);
    operations.drain(false);
    expect(operations.health().problems).toEqual([]);
    expect(operations.readiness()).toEqual({ ready: true, reasons: [] });
    expect(f.lns.a.log.filter(({ message }) => message.includes("L2TP are"))).toMatchObject([
      { level: "info", message: "gateway drains: calls by L2TP are refused" },
      { level: "info", message: "calls by L2TP are taken again" },
    ]);
  });

  it("explains to either side why a call was refused", async () => {
    world = new World(56);
    const f = await startField(world, { members: "{ peer: a }" });
    f.lns.a.operations.drain(true);
    expect(await call(f, 1)).toBeUndefined();
    expect(await f.lac.operations.why({ session: "s1" })).toMatchObject({
      stoppedAt: "call",
      likely: [{ code: "lns-drains" }],
    });
    expect(await f.lns.a.operations.why({ tunnel: tunnelOf(f.lns.a) })).toMatchObject({
      likely: [{ code: "l2tp-draining" }],
    });
  });

  it("refuses outgoing calls that it would make for another LNS", async () => {
    world = new World(57);
    const asking = "name: asking, address: 10.0.0.77, role: both, host-name: asking, outgoing-calls: accept";
    const yaml = LNS_YAML.replace("peers: [", `peers: [{ ${asking}, port: 1701 }, `);
    const node = new Node(world, "10.0.0.11", yaml, USERS_YAML);
    const lns = new PlayedPeer(world, node);
    await node.gateway.start();
    await lns.openTunnel("asking");
    node.operations.drain(true);
    lns.askForCall();
    expect(await lns.answer("CDN")).toMatchObject({ resultCode: { result: 4 } });
    expect(node.views.sessions()).toEqual([]);
  });
});

describe("a tunnel switch that drains", () => {
  it("refuses the calls of LACs; its own LNSes hear nothing of them", async () => {
    world = new World(58);
    const { lac, lts, lns, side } = await startSwitchField(world);
    lts.operations.drain(true);
    const caller = side.subscriber(1, "alice@isp.example", "wonderland");
    caller.start();
    expect(await world.until(() => lac.records.length > 0, 20_000)).toBe(true);
    expect(lac.records[0]?.reason).toContain(DRAINING);
    expect(lns.a.views.tunnels()).toEqual([]);
    expect(refused(lts)).toBe(1);
  });
});

describe("a gateway that drains as a whole", () => {
  const BOTH = LNS_YAML.replace("l2tp:", "access: [{ interface: acc0 }]\nl2tp:").replace(
    "realms:",
    "default: { terminate: subscribers }\nrealms:",
  );

  async function start(yaml: string): Promise<Node> {
    world = new World(59);
    const node = new Node(world, "10.0.0.11", yaml, USERS_YAML);
    await node.gateway.start();
    return node;
  }

  async function reload(node: Node, yaml: string): Promise<void> {
    let isDone = false;
    void node.gateway.reload(world.config(yaml, USERS_YAML)).then(() => {
      isDone = true;
    });
    expect(await world.until(() => isDone, 10_000)).toBe(true);
  }

  it("is both, its access interfaces and L2TP; one interface is only that", async () => {
    const { operations } = await start(BOTH);
    expect(operations.drain(true, "acc0")).toEqual({ draining: true, interfaces: ["acc0"], l2tp: false });
    expect(operations.l2tpDraining()).toBe(false);
    expect(operations.drain(true)).toEqual({ draining: true, interfaces: ["acc0"], l2tp: true });
    expect(operations.readiness().reasons).toEqual([
      "all access interfaces are draining",
      "calls by L2TP are refused: the gateway drains",
    ]);
    operations.drain(false, "acc0");
    expect(operations.l2tpDraining()).toBe(true);
    operations.drain(false);
    expect(operations.readiness().ready).toBe(true);
  });

  it("goes on draining after a reload, on interfaces that it brings, too", async () => {
    const node = await start(BOTH);
    node.operations.drain(true);
    await reload(node, BOTH.replace("[{ interface: acc0 }]", "[{ interface: acc0 }, { interface: acc1 }]"));
    expect(node.operations.l2tpDraining()).toBe(true);
    expect(node.gateway.lines.map(({ draining }) => draining)).toEqual([true, true]);
  });

  it("drains by L2TP when the file says otherwise than before, and as an operator says after that", async () => {
    const draining = BOTH.replace("l2tp:\n", "l2tp:\n  drain: true\n");
    const node = await start(BOTH);
    await reload(node, draining);
    expect(node.operations.l2tpDraining()).toBe(true);
    node.operations.drain(false);
    await reload(node, draining.replace("host-name: lac", "host-name: lac, dscp: 8"));
    expect(node.operations.l2tpDraining()).toBe(false);
    await reload(node, BOTH);
    expect(node.operations.l2tpDraining()).toBe(false);
    expect((await start(draining)).operations.l2tpDraining()).toBe(true);
  });

  it("has nothing to say of L2TP where nobody may call by it", async () => {
    const { operations } = await start(BOTH.replace("role: lac, host-name: lac", "address: 10.0.0.2"));
    expect(operations.drain(true)).toEqual({ draining: true, interfaces: ["acc0"], l2tp: false });
    expect(operations.l2tpDraining()).toBe(false);
    expect(operations.readiness().reasons).toEqual(["all access interfaces are draining"]);
  });
});
