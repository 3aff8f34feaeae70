import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import type { ResultCode } from "../../src/wire/l2tp-codes.ts";
import { L2tpPeer } from "../support/l2tp-peer.ts";
import { type Field, lnsView, logged, sessionsOf, startField } from "../support/lns-field.ts";
import { World } from "../support/world.ts";

let world: World;

async function field(...args: Parameters<typeof startField> extends [World, ...infer Rest] ? Rest : never) {
  world = new World(11);
  return startField(world, ...args);
}

let callers = 0;

/** Somebody calls; returns him, and how long he takes to get online. */
function call({ side }: Field, password = "wonderland"): Subscriber {
  callers += 1;
  const caller = side.subscriber(callers, "alice@isp.example", password);
  caller.start();
  return caller;
}

async function online(f: Field, caller: Subscriber, limitMs: number): Promise<number | undefined> {
  const from = world.clock.now();
  const up = await world.until(() => f.side.online.has(caller), limitMs);
  return up ? world.clock.now() - from : undefined;
}

const PREFERRED = "{ peer: a, preference: 1 }, { peer: b, preference: 2 }";

describe("a group of LNSes", () => {
  it("shares the calls of one preference in proportion to the weights", async () => {
    const f = await field({ members: "{ peer: a, weight: 3 }, { peer: b, weight: 1 }" });
    for (let i = 0; i < 16; i++) call(f);
    await world.until(() => f.side.online.size === 16, 5000);
    expect(sessionsOf(f)).toEqual({ a: 12, b: 4, c: 0 });
  });

  it("gives the next call to who has the fewest sessions, where the strategy says so", async () => {
    const f = await field({ group: "strategy: sessions" });
    const first = [call(f), call(f), call(f), call(f)];
    await world.until(() => f.side.online.size === 4, 5000);
    expect(sessionsOf(f)).toEqual({ a: 2, b: 2, c: 0 });
    // whoever was with a hangs up, and the next two go there
    for (const [i, caller] of first.entries()) if (i % 2 === 0) caller.hangUp();
    await world.pass(1000);
    call(f);
    call(f);
    await world.until(() => f.side.online.size === 4, 5000);
    expect(sessionsOf(f)).toEqual({ a: 2, b: 2, c: 0 });
  });

  it("goes to the lower preference while it can", async () => {
    const f = await field({ members: PREFERRED });
    for (let i = 0; i < 4; i++) call(f);
    await world.until(() => f.side.online.size === 4, 5000);
    expect(sessionsOf(f)).toEqual({ a: 4, b: 0, c: 0 });
    expect(lnsView(f, "a")).toMatchObject({ group: "wholesale", state: "up", sessions: 4, tunnels: 1 });
    expect(lnsView(f, "c")).toMatchObject({ group: null, state: "idle" });
  });
});

describe("a dead LNS", () => {
  it("costs its first caller less than 3 s where there is another, and the next ones nothing", async () => {
    const f = await field({ members: PREFERRED }, ["a"]);
    expect(await online(f, call(f), 10_000)).toBeLessThan(4000);
    expect(lnsView(f, "a")).toMatchObject({ state: "slow", lockedForSeconds: null });
    expect(await online(f, call(f), 10_000)).toBeLessThan(1500);
    expect(sessionsOf(f)).toMatchObject({ b: 2 });
    await world.pass(6000);
    expect(lnsView(f, "a")).toMatchObject({
      state: "locked-out",
      reason: expect.stringContaining("SCCRQ sent 3 times"),
    });
    expect(lnsView(f, "a")?.lockedForSeconds).toBeGreaterThan(290);
    expect(logged(f, "LNS locked out")).toHaveLength(1);
  });

  it("gets calls again when its lockout is over", async () => {
    const f = await field({ members: PREFERRED, group: "lockout: 20s" }, ["a"]);
    await online(f, call(f), 10_000);
    await world.pass(10_000);
    f.dead.clear();
    await online(f, call(f), 10_000);
    expect(sessionsOf(f)).toMatchObject({ a: 0, b: 2 });
    await world.pass(20_000);
    await online(f, call(f), 10_000);
    expect(sessionsOf(f)).toMatchObject({ a: 1, b: 2 });
  });

  it("that dies with its tunnel up keeps nobody waiting for the 31 s that this takes to be known", async () => {
    const f = await field({ members: PREFERRED });
    await online(f, call(f), 5000);
    f.dead.add("a");
    await world.pass(5000);
    expect(await online(f, call(f), 10_000)).toBeLessThan(7000);
    expect(await online(f, call(f), 10_000)).toBeLessThan(1500);
    await world.pass(40_000);
    expect(lnsView(f, "a")).toMatchObject({ state: "locked-out" });
    expect(sessionsOf(f)).toMatchObject({ b: 2 });
  });

  it("costs no more than its share of a caller's 10 s, where three of them have died with their tunnels up", async () => {
    const f = await field({
      members: "{ peer: a, preference: 1 }, { peer: b, preference: 2 }, { peer: c, preference: 3 }",
      peer: "max-sessions-per-lns: 3",
    });
    const first = [];
    for (let i = 0; i < 9; i++) first.push(call(f));
    await world.until(() => f.side.online.size === 9, 5000);
    expect(sessionsOf(f)).toEqual({ a: 3, b: 3, c: 3 });
    // a session with each keeps its tunnel up, and there is room for more
    for (const [i, caller] of first.entries()) if (i % 3 > 0) caller.hangUp();
    await world.pass(5000);
    f.dead.add("a").add("b");
    // of what stood with c nothing is known there any more
    await f.restart("c");
    await world.pass(5000);
    expect(await online(f, call(f), 30_000)).toBeLessThan(10_000);
    expect(sessionsOf(f)).toMatchObject({ c: 1 });
    expect(f.lac.views.counters()).toMatchObject({ "lns.a.unanswered": 1, "lns.b.unanswered": 1 });
  });

  it("is tried all the same when all are locked out: the one that was locked out first", async () => {
    const f = await field({ members: PREFERRED }, ["a", "b"]);
    const lost = call(f);
    await world.until(() => f.side.offline.has(lost), 30_000);
    await world.pass(5000);
    expect(f.lac.records).toMatchObject([
      {
        cause: "no-lns",
        reason: expect.stringMatching(/^a: .*SCCRQ sent 3 times.*; b: .*SCCRQ sent 3 times/),
      },
    ]);
    expect(lnsView(f, "a")).toMatchObject({ state: "locked-out" });
    expect(lnsView(f, "b")).toMatchObject({ state: "locked-out" });
    f.dead.delete("a");
    expect(await online(f, call(f), 10_000)).toBeLessThan(1500);
    expect(lnsView(f, "a")).toMatchObject({ state: "up" });
    expect(logged(f, "LNS answers again")).toHaveLength(1);
  });

  it("gives way, when all are locked out, to the other one that has come back, in the caller's patience", async () => {
    const f = await field({ members: PREFERRED }, ["a", "b"]);
    const lost = call(f);
    await world.until(() => f.side.offline.has(lost), 30_000);
    await world.pass(5000);
    f.dead.delete("b");
    expect(await online(f, call(f), 10_000)).toBeLessThan(10_000);
    expect(sessionsOf(f)).toMatchObject({ b: 1 });
  });

  it("keeps none of five hundred subscribers out for more than 10 s", async () => {
    const f = await field({ peer: "receive-window: 128" }, ["a"]);
    const started = world.clock.now();
    for (let i = 0; i < 500; i++) call(f);
    const all = await world.until(() => f.side.online.size === 500, 60_000);
    expect([all, f.side.offline.size]).toEqual([true, 0]);
    expect(world.clock.now() - started).toBeLessThan(10_000);
    expect(sessionsOf(f)).toMatchObject({ b: 500 });
  }, 60_000);
});

describe("an LNS that has been killed and started again", () => {
  it("takes calls in a new tunnel, long before the old one is known to be dead", async () => {
    const f = await field({ members: "{ peer: a }" });
    await online(f, call(f), 5000);
    await f.restart("a");
    expect(await online(f, call(f), 10_000)).toBeLessThan(7000);
    // the next ones are not kept waiting
    expect(await online(f, call(f), 10_000)).toBeLessThan(1500);
    expect(sessionsOf(f)).toMatchObject({ a: 2 });
    // the old tunnel goes, and the first caller's session with it
    await world.pass(60_000);
    expect(f.lac.records).toMatchObject([{ cause: "lns-ended" }]);
    expect(lnsView(f, "a")).toMatchObject({ state: "up", tunnels: 1, sessions: 2 });
  });

  it("gets the calls that waited in its only tunnel once that is known to be dead", async () => {
    const f = await field({ members: "{ peer: a }", peer: "max-tunnels: 1" });
    await online(f, call(f), 5000);
    await f.restart("a");
    call(f);
    await world.pass(24_000);
    expect(await online(f, call(f), 10_000)).toBeLessThan(10_000);
  });

  it("or only gone for some time, is called until then", async () => {
    const f = await field({ members: "{ peer: a }" });
    await online(f, call(f), 5000);
    f.dead.add("a");
    const patient = call(f);
    await world.pass(15_000);
    f.dead.delete("a");
    expect(await online(f, patient, 10_000)).toBeLessThan(5000);
    await world.pass(60_000);
    expect(f.lac.records).toEqual([]);
  });
});

describe("an LNS that refuses", () => {
  const full = { a: (yaml: string) => yaml.replace("role: lac", "role: lac, max-sessions: 1") };

  it("a call for want of room only sends that call to the next one", async () => {
    const f = await field({ members: PREFERRED, lnsYaml: full });
    await online(f, call(f), 5000);
    expect(await online(f, call(f), 5000)).toBeLessThan(1500);
    expect(sessionsOf(f)).toMatchObject({ a: 1, b: 1 });
    expect(lnsView(f, "a")).toMatchObject({ state: "up" });
    expect(f.lac.views.counters()).toMatchObject({ "lns.a.refused": 1, "lns.b.connected": 1 });
  });

  it("a call for want of room is locked out, where the policy says so", async () => {
    const f = await field({ members: PREFERRED, group: "lockout-on-cdn: true", lnsYaml: full });
    await online(f, call(f), 5000);
    expect(await online(f, call(f), 5000)).toBeLessThan(1500);
    expect(lnsView(f, "a")).toMatchObject({
      state: "locked-out",
      reason: expect.stringContaining("result 4"),
    });
  });

  it("the tunnel is locked out, and its call goes to the next one at once", async () => {
    const stranger = { a: (yaml: string) => yaml.replace("host-name: lac", "host-name: somebody-else") };
    const f = await field({ members: PREFERRED, lnsYaml: stranger });
    expect(await online(f, call(f), 5000)).toBeLessThan(1500);
    expect(lnsView(f, "a")).toMatchObject({
      state: "locked-out",
      reason: expect.stringContaining("StopCCN from the peer"),
    });
  });

  it("a password is neither locked out nor asked again elsewhere", async () => {
    const f = await field({ members: PREFERRED });
    const mallory = call(f, "guess");
    await world.until(() => f.side.offline.has(mallory), 20_000);
    await world.pass(5000);
    expect(f.lac.records).toMatchObject([{ cause: "lns-ended" }]);
    expect(lnsView(f, "a")).toMatchObject({ state: "up" });
    expect(f.lac.views.counters()["lns.b.calls"]).toBeUndefined();
  });

  it("as all others do makes a definite no, which says what each of them said", async () => {
    const f = await field({ lnsYaml: { a: full.a, b: full.a }, members: PREFERRED });
    await online(f, call(f), 5000);
    await online(f, call(f), 5000);
    const third = call(f);
    await world.until(() => f.side.offline.has(third), 10_000);
    await world.pass(5000);
    expect(f.lac.records.at(-1)?.reason).toMatch(
      /^a: CDN from the peer, result 4.*; b: CDN from the peer, result 4/,
    );
  });
});

describe("several tunnels to one LNS", () => {
  it("are opened one after the other as they fill, up to their number", async () => {
    const f = await field({
      members: "{ peer: a }",
      peer: "max-sessions: 2, max-tunnels: 2, tunnel-idle-timeout: 30s",
    });
    for (let i = 0; i < 4; i++) call(f);
    await world.until(() => f.side.online.size === 4, 5000);
    expect(lnsView(f, "a")).toMatchObject({ tunnels: 2, sessions: 4 });
    const fifth = call(f);
    await world.until(() => f.side.offline.has(fifth), 5000);
    await world.pass(5000);
    expect(f.lac.records).toMatchObject([{ reason: expect.stringContaining("no room for another session") }]);
  });

  it("end after a time without a session, and the LNS is not locked out for that", async () => {
    const f = await field({ peer: "tunnel-idle-timeout: 30s" });
    const caller = call(f);
    await online(f, caller, 5000);
    await world.pass(60_000);
    expect(lnsView(f, "a")).toMatchObject({ tunnels: 1 });
    caller.hangUp();
    await world.pass(29_000);
    expect(lnsView(f, "a")).toMatchObject({ tunnels: 1 });
    await world.pass(3000);
    expect(lnsView(f, "a")).toMatchObject({ state: "idle", tunnels: 0 });
    expect(f.lac.log.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("hold no more sessions than the LNS is to have; the others go to the next one", async () => {
    const f = await field({ members: PREFERRED, peer: "max-sessions-per-lns: 3" });
    for (let i = 0; i < 5; i++) call(f);
    await world.until(() => f.side.online.size === 5, 5000);
    expect(sessionsOf(f)).toEqual({ a: 3, b: 2, c: 0 });
  });
});

/** An LNS "a" that is played by hand: `answer` says what becomes of each call that it is offered. */
function playA(f: Field, answer: (player: L2tpPeer, tunnel: number, session: number) => void): L2tpPeer {
  const player = new L2tpPeer(world, "10.0.0.11", "lns-a", { secret: "tunnel-secret", accept: true });
  const send = f.lac.onDatagram;
  f.lac.onDatagram = (to, port, datagram) => {
    if (to !== player.address) send(to, port, datagram);
    else
      world.carry(() => {
        const known = player.all("call-offered").length;
        player.receiveDatagram(f.lac.address, datagram);
        for (const { tunnel, session } of player.all("call-offered").slice(known))
          answer(player, tunnel, session);
      });
  };
  player.onDatagram = (_to, _port, datagram) =>
    world.carry(() => f.lac.receiveDatagram(player.address, datagram));
  return player;
}

describe("an LNS that answers others", () => {
  /** "a" never answers the first call, and refuses all others at once. */
  const ignoresTheFirst = (f: Field) => {
    let first: number | undefined;
    return playA(f, (player, tunnel, session) => {
      first ??= session;
      if (session !== first)
        player.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, { result: 3 }));
    });
  };

  it("but not one caller loses him to an idle LNS in his patience, and counts as well all the same", async () => {
    const f = await field({ members: PREFERRED }, ["a"]);
    const player = ignoresTheFirst(f);
    const from = world.clock.now();
    const ignored = call(f);
    while (world.clock.now() - from < 12_000 && !f.side.online.has(ignored)) {
      call(f);
      await world.pass(500);
    }
    expect(f.side.online.has(ignored)).toBe(true);
    expect(world.clock.now() - from).toBeLessThan(8000);
    expect(player.all("call-offered").length).toBeGreaterThan(5);
    expect(lnsView(f, "a")).toMatchObject({ state: "up" });
    expect(f.lac.views.counters()).toMatchObject({ "lns.a.unanswered": 1 });
  });

  it("keeps a caller where those of the other LNS wait as well", async () => {
    const f = await field({ members: PREFERRED, peer: "max-sessions-per-lns: 20" }, ["a"]);
    ignoresTheFirst(f);
    const from = world.clock.now();
    await online(f, call(f), 1000);
    // b is up, and gets slow in the same moment: who comes next waits there
    call(f);
    await world.until(() => f.side.online.size === 1, 3000);
    f.dead.add("b");
    while (world.clock.now() - from < 7000) {
      call(f);
      await world.pass(500);
    }
    expect(f.lac.views.counters()["lns.a.unanswered"]).toBeUndefined();
  });
});

describe("a CDN before ICCN", () => {
  /** A LAC whose first LNS answers every ICRQ with a CDN; what becomes of a caller, and of that LNS. */
  async function refusedBy(code: ResultCode, group = ""): Promise<readonly [boolean, string | undefined]> {
    const f = await field({ members: PREFERRED, group }, ["a"]);
    const refuser = playA(f, (player, tunnel, session) =>
      player.do((endpoint, now) => endpoint.closeSession(now, tunnel, session, code)),
    );
    const gotIn = (await online(f, call(f), 10_000)) !== undefined;
    expect(refuser.all("call-offered")).toHaveLength(1);
    return [gotIn && sessionsOf(f).b === 1, lnsView(f, "a")?.state];
  }

  it.each<readonly [string, ResultCode, "locked-out" | "up"]>([
    ["result 2, error 4 (no resources)", { result: 2, error: 4 }, "locked-out"],
    ["result 2, error 7 (try another)", { result: 2, error: 7 }, "locked-out"],
    ["result 2, error 6 (vendor specific)", { result: 2, error: 6 }, "up"],
    ["result 3 (administrative)", { result: 3 }, "up"],
    ["result 4 (no facilities now)", { result: 4 }, "locked-out"],
    ["result 5 (no facilities)", { result: 5 }, "locked-out"],
    ["result 6 (invalid destination)", { result: 6 }, "locked-out"],
    ["result 10 (not in time)", { result: 10 }, "up"],
  ])(
    "of %s sends the call to the next LNS, and locks this one out where the policy says so, if it is about the LNS",
    async (_, code, state) => {
      expect(await refusedBy(code)).toEqual([true, "up"]);
      expect(await refusedBy(code, "lockout-on-cdn: true")).toEqual([true, state]);
    },
  );
});
