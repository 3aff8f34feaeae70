import { beforeEach, describe, expect, it } from "vitest";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import { meaningOf } from "../../src/gateway/counter-meanings.ts";
import { GatewayOperations } from "../../src/gateway/gateway-operations.ts";
import type { Operations, SessionQuery } from "../../src/gateway/operations.ts";
import { type Field, startField } from "../support/lns-field.ts";
import { type Alone, Node, startAlone, World } from "../support/world.ts";

const PTA = `
name: pta
access: [{ interface: acc0 }]
realms: { gone.example: { refuse: true } }
default: { terminate: local }
units:
  local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
users-file: users.yaml
`;
const USERS = ["anna", "bert", "cora"]
  .map((name) => `- { name: ${name}@isp.example, password: secret }\n`)
  .join("");

let world: World;
beforeEach(() => {
  world = new World(7);
});

/** Somebody calls, and is online. */
async function online(
  side: Alone["side"],
  number: number,
  user: string,
  password: string,
): Promise<Subscriber> {
  const subscriber = side.subscriber(number, user, password);
  subscriber.start();
  expect(await world.until(() => side.online.has(subscriber), 5000)).toBe(true);
  return subscriber;
}

async function three(): Promise<Alone & { operations: GatewayOperations }> {
  const alone = await startAlone(world, PTA, USERS);
  for (const [i, name] of ["bert", "Anna", "cora"].entries())
    await online(alone.side, i + 1, `${name.toLowerCase()}@isp.example`, "secret");
  return { ...alone, operations: alone.node.operations };
}

async function names(operations: Operations, query: Partial<SessionQuery>): Promise<(string | null)[]> {
  const { sessions } = await operations.sessions({ limit: 10, ...query });
  return sessions.map(({ user }) => user?.split("@")[0] ?? null);
}

/** How often others get their turn while something is done. */
async function meanwhile<Outcome>(
  act: () => Promise<Outcome>,
): Promise<{ readonly outcome: Outcome; readonly turns: number }> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const outcome = await act();
  isOver = true;
  return { outcome, turns };
}

describe("the list of sessions", () => {
  it("is filtered by whatever is given", async () => {
    const { operations } = await three();
    expect(await names(operations, {})).toEqual(["bert", "anna", "cora"]);
    expect(await names(operations, { user: "*R?@*" })).toEqual(["bert", "cora"]);
    expect(await names(operations, { user: "anna@isp.example" })).toEqual(["anna"]);
    expect(await names(operations, { realm: "ISP.example" })).toHaveLength(3);
    expect(await names(operations, { realm: "example" })).toEqual([]);
    expect(await names(operations, { mac: "02:00:00:01:00:02" })).toEqual(["anna"]);
    expect(await names(operations, { interface: "acc0", state: "open", role: "pta" })).toHaveLength(3);
    expect(await names(operations, { state: "closing" })).toEqual([]);
    await expect(operations.sessions({ limit: 10, lns: "a" })).rejects.toMatchObject({ code: "no-such" });
    const [, second] = (await operations.sessions({ limit: 3 })).sessions;
    expect(await names(operations, { since: Date.parse(second!.startedAt) })).toEqual(["anna", "cora"]);
  });

  it("comes in parts that follow each other, in every order", async () => {
    const { operations } = await three();
    const orders = {
      id: ["bert", "anna", "cora"],
      user: ["anna", "bert", "cora"],
      started: ["bert", "anna", "cora"],
    } as const;
    for (const [sort, expected] of Object.entries(orders))
      for (const descending of [false, true]) {
        const query = { sort: sort as keyof typeof orders, descending, limit: 1 };
        const seen: (string | null)[] = [];
        let cursor: string | undefined;
        do {
          const page = await operations.sessions({ ...query, cursor });
          expect(page).toMatchObject({ total: 3, matched: 3 });
          seen.push(...page.sessions.map(({ user }) => user?.split("@")[0] ?? null));
          cursor = page.next ?? undefined;
        } while (cursor !== undefined);
        expect(seen, `${sort} ${descending}`).toEqual(descending ? [...expected].reverse() : expected);
      }
  });

  it("takes no cursor of another order", async () => {
    const { operations } = await three();
    const { next } = await operations.sessions({ limit: 1 });
    for (const cursor of ["", "nonsense", "bnVsbA", next!])
      await expect(operations.sessions({ limit: 1, sort: "user", cursor })).rejects.toThrow(
        "the cursor is not one",
      );
  });

  it("makes views of what it shows only, and holds nobody up, with 64,000 sessions", async () => {
    const { node } = await three();
    const [real] = node.gateway.sessions;
    let views = 0;
    const sessions = Array.from({ length: 64_000 }, (_, i) =>
      Object.create(real!, {
        id: { value: `s${i + 1}` },
        number: { value: i + 1 },
        user: { value: `user${(i * 7919) % 64_000}@isp.example` },
        view: {
          value: () => {
            views += 1;
            return { id: `s${i + 1}` };
          },
        },
        traffic: { value: { octetsIn: i, octetsOut: 1, framesIn: 1, framesOut: 1 } },
        hasEnded: { value: false },
        wasOpen: { value: true },
        isOpen: { value: true },
        startedAt: { value: i },
        onwardPeer: { value: undefined },
      }),
    );
    const many = {
      get sessions() {
        return sessions;
      },
      lines: [],
    } as unknown as typeof node.gateway;
    const operations = new GatewayOperations(many, node.around, node);
    const page = await operations.sessions({ limit: 50, sort: "user", user: "user1*" });
    expect(page).toMatchObject({ total: 64_000, matched: 11_111 });
    expect(views).toBe(50);
    expect((await operations.sessions({ limit: 3, sort: "in", descending: true })).sessions).toEqual([
      { id: "s64000" },
      { id: "s63999" },
      { id: "s63998" },
    ]);
    expect(views).toBe(53);
    // what has to look at all of them lets others work in between
    const flows = await meanwhile(() => operations.flows());
    expect(flows.outcome.total).toMatchObject({ framesIn: 64_000, sessions: 64_000 });
    expect(flows.turns).toBeGreaterThan(60);
    const users = await meanwhile(() => operations.users({ limit: 2, user: "user1*" }));
    expect(users.outcome).toMatchObject({
      total: 64_000,
      matched: 11_111,
      users: [{ user: "user10000@isp.example", sessions: 1 }, { user: "user10001@isp.example" }],
    });
    expect(users.turns).toBeGreaterThan(3);
    const sorted = await meanwhile(() => operations.sessions({ limit: 1000, sort: "user" }));
    expect(sorted.outcome.sessions).toHaveLength(1000);
    expect(sorted.turns).toBeGreaterThan(1);
  });
});

describe("other reads", () => {
  it("show one session with its channels, and none that is not there", async () => {
    const { operations } = await three();
    expect(operations.session("s2")).toMatchObject({
      user: "anna@isp.example",
      channels: [{ session: "s2" }],
    });
    expect(operations.session("s9")).toBeUndefined();
  });

  it("show users with their sessions", async () => {
    const { operations } = await three();
    const page = await operations.users({ limit: 2 });
    expect(page).toMatchObject({
      total: 3,
      matched: 3,
      users: [{ user: "anna@isp.example", ids: ["s2"] }, {}],
    });
    expect((await operations.users({ limit: 2, cursor: page.next! })).users).toMatchObject([
      { user: "cora@isp.example", sessions: 1, openSessions: 1 },
    ]);
  });

  it("show channels in parts", async () => {
    const { operations } = await three();
    const { channels, next } = await operations.channels({ limit: 2 });
    expect(channels.map(({ session }) => session)).toEqual(["s1", "s2"]);
    expect((await operations.channels({ limit: 2, cursor: next! })).channels).toMatchObject([
      { session: "s3" },
    ]);
  });

  it("show drops with what they mean, and the configuration without its users", async () => {
    const { operations } = await three();
    expect(operations.drops()).toContainEqual({
      reason: "unknown-tunnel",
      frames: 0,
      meaning: "L2TP data of tunnels that nobody has",
    });
    expect(operations.config()).toMatchObject({ name: "pta", users: 3, units: { local: { name: "sub%d" } } });
    expect(JSON.stringify(operations.config())).not.toContain("secret");
  });

  it("show what flows in a second, by port", async () => {
    const { operations, side } = await three();
    const rates = operations.rates();
    await world.pass(100);
    const before = (await operations.flows()).total.framesIn;
    await online(side, 9, "nobody@other.example", "x").catch(() => {});
    await world.pass(1000);
    const { total, ports, seconds } = await rates;
    expect(before).toBeGreaterThan(0);
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(total.framesInPerSecond).toBeGreaterThan(0);
    expect(ports).toMatchObject([{ name: "acc0", framesInPerSecond: total.framesInPerSecond }]);
  });

  it("fail, and nothing else does, when the data plane is closed", async () => {
    const { operations, node } = await three();
    node.dataplane.counters = () => {
      throw new Error("closed");
    };
    await expect(operations.rates()).rejects.toThrow("closed");
    await expect(operations.flows()).rejects.toThrow("closed");
  });

  it("count what sessions had that have ended", async () => {
    const { operations } = await three();
    const before = await operations.flows();
    await operations.end({ user: "*" }, "test");
    await world.pass(5000);
    const after = await operations.flows();
    expect(after.total.sessions).toBe(0);
    expect(after.total.octetsIn).toBeGreaterThan(before.total.octetsIn);
    expect(after.ports.get("acc0")?.octetsIn).toBe(after.total.octetsIn);
  });
});

describe("health", () => {
  it("is without a problem when all is well", async () => {
    const { operations } = await three();
    expect(operations.health()).toMatchObject({
      problems: [],
      sessionsByState: { open: 3 },
      sessionsByRole: { pta: 3 },
      interfaces: [{ interface: "acc0", state: "open", sessions: 3, padsSent: 3 }],
      pools: [{ pool: "local", size: 253, used: 3 }],
    });
    expect(operations.readiness()).toEqual({ ready: true, reasons: [] });
  });

  it("says that a pool is nearly full, and that it is full", async () => {
    const small = PTA.replace("100.64.0.0/24", "100.64.0.2-100.64.0.11");
    const { side, node } = await startAlone(world, small, USERS);
    for (let i = 1; i <= 9; i++) await online(side, i, "anna@isp.example", "secret");
    expect(node.operations.health().problems).toMatchObject([
      {
        severity: "warning",
        code: "pool-nearly-full",
        text: "Address pool local is nearly full: 9 of 10 addresses are given out.",
      },
    ]);
    await online(side, 10, "anna@isp.example", "secret");
    expect(node.operations.health().problems).toMatchObject([
      { severity: "error", code: "pool-full", text: expect.stringContaining("all 10 addresses") },
    ]);
    await node.operations.end({ session: "s10" }, "moved");
    expect(await world.until(() => node.operations.pools()[0]?.used === 9, 5000)).toBe(true);
  });

  it("says first what keeps subscribers out", async () => {
    const { operations, node } = await three();
    operations.drain(true);
    expect(operations.health().problems).toMatchObject([{ severity: "warning", code: "interface-draining" }]);
    expect(operations.readiness()).toEqual({ ready: false, reasons: ["all access interfaces are draining"] });
    node.host.announce({ kind: "gone", ifindex: 1, name: "acc0" });
    await world.pass(10);
    expect(operations.health().problems).toMatchObject([{ severity: "error", code: "interface-waiting" }]);
    expect(operations.readiness()).toEqual({
      ready: false,
      reasons: ["access interface acc0 is not there, or not up"],
    });
  });
});

describe("a local address of L2TP", () => {
  const LISTENING = (address: string) => `
name: lns
l2tp:
  listen: [{ address: "${address}" }]
  peers: [{ name: lac, role: lac, address: 10.0.0.2 }]
default: { terminate: local }
units: { local: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 } }
users-file: users.yaml
`;

  it.each([
    ["10.0.0.11", "10.0.0.11:1701"],
    ["2001:db8::11", "[2001:db8::11]:1701"],
  ])(
    "%s that the host does not have is the first problem, as long as it is so",
    async (address, listener) => {
      const { operations, gateway, host, log } = new Node(world, address, LISTENING(address), USERS);
      host.missing.add(address);
      await gateway.start();
      expect(log).toContainEqual(
        expect.objectContaining({ message: "the address that L2TP is spoken on is not there yet" }),
      );
      const away = {
        problems: [{ severity: "error", code: "address-missing", text: expect.stringContaining(listener) }],
      };
      expect(operations.health()).toMatchObject(away);
      expect(operations.readiness()).toEqual({
        ready: false,
        reasons: [`L2TP is to be spoken on ${address}, which is no address of the host`],
      });
      expect(operations.listeners()).toEqual([{ listener, address, state: "no-address" }]);
      host.missing.clear();
      expect(operations.health().problems).toEqual([]);
      expect(operations.readiness()).toEqual({ ready: true, reasons: [] });
      host.missing.add(address);
      expect(operations.health()).toMatchObject(away);
    },
  );

  it.each(["0.0.0.0", "::"])("%s is every one, whatever the host has", async (address) => {
    const { operations, gateway, host } = new Node(world, address, LISTENING(address), USERS);
    host.missing.add(address);
    await gateway.start();
    expect(operations.health().problems).toEqual([]);
    expect(operations.readiness().ready).toBe(true);
  });
});

describe("an order", () => {
  it("ends one session, those of a user, those of a realm", async () => {
    const { operations, side } = await three();
    expect(await operations.end({ session: "s1" }, "moved")).toEqual({ sessions: 1, tunnels: 0 });
    await expect(operations.end({ session: "s1" }, "moved")).rejects.toThrow("there is no session s1");
    expect(await operations.end({ user: "ANNA@*" }, "moved")).toEqual({ sessions: 1, tunnels: 0 });
    expect(await operations.end({ realm: "isp.example" }, "moved")).toEqual({ sessions: 1, tunnels: 0 });
    expect(await operations.end({ realm: "isp.example" }, "moved")).toEqual({ sessions: 0, tunnels: 0 });
    expect(await world.until(() => side.offline.size === 3, 5000)).toBe(true);
  });

  it("drains an access interface and lets it take calls again", async () => {
    const { operations, side } = await three();
    expect(operations.drain(true, "acc0")).toEqual({ draining: true, interfaces: ["acc0"], l2tp: false });
    const late = side.subscriber(8, "anna@isp.example", "secret");
    late.start();
    expect(await world.until(() => side.online.has(late), 5000)).toBe(false);
    operations.drain(false);
    expect(await world.until(() => side.online.has(late), 60_000)).toBe(true);
    expect(() => operations.drain(true, "acc9")).toThrow("there is no access interface acc9");
  });
});

describe("a reload", () => {
  it("tells what is different, goes on with it, and changes nothing when the file is wrong", async () => {
    const { node } = await three();
    let yaml = PTA.replace("pool: 100.64.0.0/24", "pool: 100.64.0.0/24, dns: [192.0.2.53]");
    const applied: string[] = [];
    const operations = new GatewayOperations(node.gateway, node.around, {
      views: node.views,
      events: node.events,
      reading: {
        read: async () => world.config(yaml, USERS),
        async applied({ name }) {
          applied.push(name);
          return ["control.listen: it is taken"];
        },
      },
    });
    const change = { path: "units[local].dns", effect: "new-sessions" };
    expect(await operations.reload(true)).toMatchObject({
      applied: false,
      changes: [change],
      endingSessions: 0,
    });
    expect(applied).toEqual([]);
    const problems = ["control.listen: it is taken"];
    expect(await operations.reload(false)).toMatchObject({ applied: true, changes: [change], problems });
    expect(applied).toEqual(["pta"]);
    expect(await operations.reload(true)).toMatchObject({ changes: [] });
    yaml = "nmae: pta";
    await expect(operations.reload(false)).rejects.toThrow('unknown key "nmae"');
    await expect(node.operations.reload(false)).rejects.toThrow("there is no configuration file");
  });
});

describe("events", () => {
  it("tell of sessions that come, go and are refused", async () => {
    const { node, operations, side } = await three();
    const refused = side.subscriber(8, "anna@gone.example", "secret");
    refused.start();
    await world.until(() => side.offline.has(refused), 20_000);
    await operations.end({ session: "s1" }, "moved");
    await world.pass(100);
    const told = node.events.since(0)!.map(({ event }) => event);
    expect(told.slice(0, 3)).toMatchObject([
      { kind: "session-up", session: "s1", user: "bert@isp.example", role: "pta", origin: "acc0", lns: null },
      { kind: "session-up", session: "s2" },
      { kind: "session-up", session: "s3" },
    ]);
    expect(told[3]).toMatchObject({ kind: "session-down", user: "anna@gone.example", wasUp: false });
    expect(told[4]).toMatchObject({
      kind: "session-down",
      session: "s1",
      wasUp: true,
      cause: "operator",
      reason: "moved",
    });
    expect(told).toHaveLength(5);
  });
});

describe("with LNSes", () => {
  async function field(dead: readonly ("a" | "b" | "c")[] = []): Promise<Field> {
    return startField(world, { members: "{ peer: a }, { peer: b, preference: 1 }" }, dead);
  }

  async function tested(run: Promise<unknown>): Promise<unknown> {
    let result: unknown;
    void run.then((value) => {
      result = value;
    });
    await world.until(() => result !== undefined, 60_000);
    return result;
  }

  it("a test of the tunnel opens one, places a call and hangs up", async () => {
    const { lac, lns } = await field();
    const result = await tested(lac.operations.testTunnel({ user: "alice@isp.example" }));
    expect(result).toMatchObject({
      ok: true,
      steps: [
        {
          step: "destination",
          text: expect.stringContaining("goes to the LNS wholesale (`realms` says so)"),
        },
        { step: "candidates", text: expect.stringContaining("a: preference 0, idle") },
        {
          step: "tunnel",
          text: "a took a new tunnel: SCCRP came after SCCRQ.",
          milliseconds: expect.closeTo(2, 3),
        },
        { step: "call", text: "a took the call: ICRP came after ICRQ.", milliseconds: expect.any(Number) },
        { step: "end", ok: true },
      ],
    });
    await world.pass(100);
    expect(lac.views.tunnels()).toMatchObject([{ peer: "a", state: "established", sessions: 0 }]);
    expect(lns.a.views.sessions()).toEqual([]);
    const again = await tested(lac.operations.testTunnel({ lns: "a" }));
    expect(again).toMatchObject({
      ok: true,
      steps: [{}, { text: "There is a tunnel with a already." }, {}, {}],
    });
  });

  it("a test says what keeps calls from getting through", async () => {
    const { lac } = await field(["a", "b"]);
    const result = await tested(lac.operations.testTunnel({ realm: "isp.example" }));
    expect(result).toMatchObject({ ok: false });
    expect(JSON.stringify(result)).toContain("a: SCCRQ sent 3 times, no SCCRP, nothing ever came back");
    expect(lac.operations.health().problems).toMatchObject([
      {
        severity: "error",
        code: "no-lns",
        text: "No LNS of the group wholesale takes calls: its subscribers cannot get in.",
      },
      { code: "lns-locked-out" },
      { code: "lns-locked-out" },
    ]);
    expect(lac.operations.clearLockout("b")).toEqual({ cleared: ["b"] });
    expect(lac.operations.clearLockout()).toEqual({ cleared: ["a"] });
    expect(lac.operations.lns().map(({ state }) => state)).toEqual(["idle", "idle", "idle"]);
    expect(() => lac.operations.clearLockout("z")).toThrow("there is no LNS z");
    const kinds = lac.events.since(0)!.map(({ event }) => event.kind);
    expect(kinds.filter((kind) => kind === "lns-locked-out")).toHaveLength(2);
    expect(kinds.slice(-2)).toEqual(["lns-back", "lns-back"]);
  });

  it("an LNS that is locked out keeps out whose calls go to it alone, though its group has others", async () => {
    const members = "{ peer: a }, { peer: b, preference: 1 }";
    const { lac } = await startField(world, { members, lac: "default: { lns: a }" }, ["a"]);
    await tested(lac.operations.testTunnel({ user: "bob" }));
    expect(lac.operations.health().problems).toEqual([
      {
        severity: "error",
        code: "no-lns",
        text: "LNS a takes no calls, and there is no other for whoever is left: these subscribers cannot get in.",
        hint: expect.stringContaining("lacewing test tunnel --lns a"),
      },
      expect.objectContaining({ code: "lns-locked-out" }),
    ]);
    expect(await tested(lac.operations.testTunnel({ realm: "isp.example" }))).toMatchObject({ ok: true });
    lac.operations.clearLockout();
    expect(lac.operations.health().problems).toEqual([]);
  });

  it("a test of who does not go to an LNS places no call", async () => {
    const { lac } = await field();
    expect(await tested(lac.operations.testTunnel({ user: "bob" }))).toEqual({
      ok: false,
      steps: [
        { step: "destination", ok: false, milliseconds: null, text: expect.stringContaining("is refused") },
      ],
    });
    await expect(lac.operations.testTunnel({ lns: "z" })).rejects.toThrow("there is no LNS or group z");
  });

  it("events tell of tunnels that are refused", async () => {
    const lnsYaml = { a: (yaml: string) => yaml.replace("host-name: lac", "host-name: somebody-else") };
    const { lac, lns } = await startField(world, { members: "{ peer: a }", lnsYaml });
    await tested(lac.operations.testTunnel({ lns: "a" }));
    expect(lns.a.events.since(0)!.map(({ event }) => event)).toContainEqual({
      kind: "tunnel-refused",
      address: "10.0.0.2",
      hostName: "lac",
      reason: expect.stringContaining("StopCCN from us, result 4"),
    });
  });

  it("every counter has a meaning", async () => {
    const { lac, side } = await field();
    (await online(side, 1, "alice@isp.example", "wonderland")).hangUp();
    await world.pass(1000);
    const names = Object.keys(lac.operations.counters());
    expect(names).toEqual(expect.arrayContaining(["sessions.ended.lns-ended", "pppoe.acc0.padsSent"]));
    expect(names.filter((name) => meaningOf(name) === undefined)).toEqual([]);
  });

  it("events name nobody who has ended a call that was given up before its tunnel was up", async () => {
    const { lac, side } = await startField(world, { members: "{ peer: a }" }, ["a"]);
    const alice = side.subscriber(1, "alice@isp.example", "wonderland");
    alice.start();
    expect(await world.until(() => lac.operations.tunnels({}).length === 1, 2000)).toBe(true);
    await world.pass(500);
    alice.hangUp();
    await world.pass(500);
    expect(lac.events.since(0)!.map(({ event }) => event)).toContainEqual({
      kind: "call-down",
      tunnel: expect.any(Number),
      peer: "a",
      connected: false,
      reason: expect.stringContaining("given up before it was placed"),
      result: null,
      by: "nobody",
    });
  });

  it("no read tells a secret", async () => {
    const { lac, side } = await field();
    await online(side, 1, "alice@isp.example", "wonderland");
    const { operations } = lac;
    const reads = [
      operations.config(),
      operations.health(),
      operations.counters(),
      await operations.sessions({ limit: 9 }),
      operations.session("s1"),
      operations.tunnels({}),
      operations.lns(),
      await operations.why({ session: "s1" }),
      lac.events.since(0),
    ];
    const text = JSON.stringify(reads);
    expect(text).toContain("[secret]");
    expect(text).not.toContain("tunnel-secret");
    expect(text).not.toContain("wonderland");
  });

  it("a tunnel is ended with its sessions", async () => {
    const { lac, side } = await field();
    await online(side, 1, "alice@isp.example", "wonderland");
    const [tunnel] = lac.operations.tunnels({ peer: "a" });
    const query = { limit: 9, tunnel: tunnel!.localTunnelId, lns: "a" };
    expect((await lac.operations.sessions(query)).matched).toBe(1);
    expect(await lac.operations.end({ tunnel: tunnel!.localTunnelId }, "maintenance")).toEqual({
      sessions: 1,
      tunnels: 1,
    });
    await world.pass(4000);
    expect(lac.views.sessions()).toEqual([]);
    await expect(lac.operations.end({ tunnel: tunnel!.localTunnelId }, "")).rejects.toThrow(
      "there is no tunnel",
    );
    expect(lac.events.since(0)!.map(({ event }) => event.kind)).toEqual([
      "tunnel-up",
      "session-up",
      "tunnel-down",
      "session-down",
    ]);
  });

  it("count for an LNS what sessions had that it took, and never less than before", async () => {
    const { lac, side, dead } = await startField(
      world,
      { members: "{ peer: a, preference: 0 }, { peer: b, preference: 1 }" },
      ["a"],
    );
    const subscriber = side.subscriber(1, "alice@isp.example", "wonderland");
    subscriber.start();
    const octets = async () => {
      const { lnses, total } = await lac.operations.flows();
      return { a: lnses.get("a")?.octetsIn ?? 0, b: lnses.get("b")?.octetsIn ?? 0, all: total.octetsIn };
    };
    let last = await octets();
    const passes = async (ms: number, isOver: () => boolean): Promise<void> => {
      for (let t = 0; t < ms && !isOver(); t += 20) {
        await world.pass(20);
        const now = await octets();
        expect(now.a).toBe(0);
        expect(now.b).toBeGreaterThanOrEqual(last.b);
        last = now;
      }
      expect(isOver()).toBe(true);
    };
    await passes(10_000, () => side.online.has(subscriber));
    expect(last.b).toBe(last.all);
    expect(last.b).toBeGreaterThan(0);
    dead.add("b");
    await passes(200_000, () => !side.online.has(subscriber));
    expect(last.b).toBeGreaterThan(0);
  });
});
