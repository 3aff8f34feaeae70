import { describe, expect, it } from "vitest";
import type { Dataplane } from "../../src/channel/dataplane.ts";
import type { Subscriber } from "../../src/dial/subscriber.ts";
import type { ReloadReport } from "../../src/gateway/reload.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Node, type Pair, type SubscriberSide, startAlone, startPair, World } from "../support/world.ts";

const PTA_YAML = `
name: pta
access: [{ interface: acc0 }]
realms: { isp.example: { terminate: home } }
default: { terminate: office }
units:
  home: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
  office: { mode: shared, name: office, address: 100.65.0.1, pool: 100.65.0.0/24 }
users-file: users.yaml
`;

const PTA_USERS = `
- { name: alice@isp.example, password: wonderland }
- { name: bob, password: builder }
- { name: carol, password: christmas, address: 100.65.0.77 }
`;

const PASSWORDS: Readonly<Record<string, string>> = {
  "alice@isp.example": "wonderland",
  bob: "builder",
  carol: "christmas",
};

let world: World;
let callers = 0;

async function pta(): Promise<{ node: Node; side: SubscriberSide }> {
  world = new World(21);
  return startAlone(world, PTA_YAML, PTA_USERS);
}

async function pair(lac = LAC_YAML, lns = LNS_YAML): Promise<Pair> {
  world = new World(22);
  return startPair(world, lac, lns, USERS_YAML);
}

/** Calls, and is online or refused when this resolves. */
async function call(
  side: SubscriberSide,
  user: string,
  password = PASSWORDS[user] ?? "",
): Promise<Subscriber> {
  callers += 1;
  const subscriber = side.subscriber(callers, user, password);
  subscriber.start();
  await world.until(() => side.online.has(subscriber) || side.offline.has(subscriber), 30_000);
  await world.pass(20);
  return subscriber;
}

/** Reloads with `yaml`, which must be another one than before, as the plan says that it would. */
async function reload(node: Node, yaml: string, users = PTA_USERS): Promise<ReloadReport> {
  const next = world.config(yaml, users);
  const plan = node.gateway.planReload(next);
  expect(plan.changes.length).toBeGreaterThan(0);
  let report: ReloadReport | undefined;
  void node.gateway.reload(next).then((done) => {
    report = done;
  });
  expect(await world.until(() => report !== undefined, 20_000)).toBe(true);
  expect(report).toEqual({ ...plan, problems: [] });
  await world.pass(100);
  return report!;
}

function changed(yaml: string, from: string | RegExp, to: string): string {
  const text = yaml.replace(from, to);
  expect(text).not.toBe(yaml);
  return text;
}

/** Longer than three echoes that nobody answers. */
async function aWhile(): Promise<void> {
  await world.pass(150_000);
}

describe("a LAC that is given another configuration", () => {
  it("keeps its sessions through everything that they do not rest on, and decides anew about new ones", async () => {
    const { lac, lns, side } = await pair();
    const before = await call(side, "alice@isp.example");
    const yaml = `
name: lac
log: { level: debug }
access: [{ interface: acc0, service-names: [video, ""], padi-rate: 500, sessions-per-mac: 3, authentication: [pap] }]
l2tp:
  listen: [{ address: 10.0.0.2 }]
  peers:
    - { name: lns, address: 10.0.0.11, secret: tunnel-secret, dscp: 46, hello-interval: 20s, calling-number: "{name}" }
    - { name: other, address: 10.0.0.12, secret: another }
lns-groups: { both: { members: [{ peer: lns }, { peer: other, preference: 5 }] } }
realms: { isp.example: { lns: both }, b.example: { refuse: true } }
services: { video: { refuse: true } }
`;
    expect((await reload(lac, yaml)).endingSessions).toBe(0);
    // discovery still knows whose session that is
    expect(lac.views.counters()).toMatchObject({ "pppoe.acc0.now.sessions": 1, "pppoe.acc0.padsSent": 1 });
    await aWhile();
    expect(side.online.has(before)).toBe(true);
    const after = await call(side, "alice@isp.example");
    expect(side.online.has(after)).toBe(true);
    expect(lac.views.lns().map(({ group, peer }) => [group, peer])).toEqual([
      ["both", "lns"],
      ["both", "other"],
    ]);
    // both are in one tunnel: nothing of how it was opened has changed
    expect(lac.views.tunnels().filter(({ state }) => state === "established")).toHaveLength(1);
    expect(lns.views.sessions()).toHaveLength(2);
    expect(lac.records).toEqual([]);
  });

  it("ends the sessions of an access interface that is taken out, and no others, and serves it again when it is back", async () => {
    const { lac, lns, side } = await pair();
    const caller = await call(side, "alice@isp.example");
    const without = changed(LAC_YAML, "interface: acc0", "interface: acc1");
    expect((await reload(lac, without)).endingSessions).toBe(1);
    expect(side.offline.has(caller)).toBe(true);
    expect(lac.records).toMatchObject([{ cause: "operator" }]);
    expect(lns.records).toMatchObject([{ cause: "lac-ended" }]);
    expect(lac.openFramePorts).toBe(0);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(false);
    await reload(lac, LAC_YAML);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
  });

  it("ends the sessions of a peer that is taken out, by CDN and StopCCN", async () => {
    const { lac, lns, side } = await pair();
    const caller = await call(side, "alice@isp.example");
    const without = changed(
      changed(LAC_YAML, /peers: .*/, "peers: []"),
      /realms.*/,
      "default: { refuse: true }",
    );
    expect((await reload(lac, without)).endingSessions).toBe(1);
    expect(side.offline.has(caller)).toBe(true);
    expect(lac.views.sessions()).toEqual([]);
    expect(lns.views.sessions()).toEqual([]);
    expect(lns.views.tunnels().filter(({ state }) => state === "established")).toEqual([]);
    await reload(lac, LAC_YAML);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
  });

  it("keeps a tunnel under its old secret for its sessions, and opens another one for new calls", async () => {
    const hidden = changed(LAC_YAML, "secret: tunnel-secret", "secret: tunnel-secret, hide-avps: true");
    const { lac, lns, side } = await pair(hidden);
    const before = await call(side, "alice@isp.example");
    const with2 = (yaml: string) => changed(yaml, "secret: tunnel-secret", "secret: another-one");
    expect((await reload(lac, with2(hidden))).endingSessions).toBe(0);
    await reload(lns, with2(LNS_YAML), USERS_YAML);
    const after = await call(side, "alice@isp.example");
    expect([before, after].map((each) => side.online.has(each))).toEqual([true, true]);
    const [old, fresh] = lac.views.sessions().map(({ onward }) => onward?.localTunnelId);
    expect(fresh).not.toBe(old);
    await aWhile();
    expect(side.online.size).toBe(2);
    // what is hidden in the old tunnel is still understood by both
    before.hangUp();
    await world.pass(1000);
    expect(lns.views.sessions()).toHaveLength(1);
    const states = new Map(lac.views.tunnels().map(({ localTunnelId, state }) => [localTunnelId, state]));
    expect(states.get(old!)).not.toBe("established");
    expect(states.get(fresh!)).toBe("established");
    expect(lac.views.lns()).toMatchObject([{ state: "up" }]);
  });

  it("goes to a peer's new address with new calls, also with one that is on its way to the old", async () => {
    const dead = changed(LAC_YAML, "address: 10.0.0.11", "address: 10.0.0.99");
    const { lac, side } = await pair(dead);
    callers += 1;
    const caller = side.subscriber(callers, "alice@isp.example", "wonderland");
    caller.start();
    await world.until(() => lac.views.tunnels().length === 1, 10_000);
    await world.pass(200);
    await reload(lac, LAC_YAML);
    // sooner than he would have been taken elsewhere for want of an answer
    expect(await world.until(() => side.online.has(caller), 300)).toBe(true);
    await aWhile();
    expect(lac.views.lns()).toMatchObject([{ state: "up", lockedForSeconds: null }]);
    expect(side.online.has(caller)).toBe(true);
  });

  it("ends what goes through a local address that is taken out, and speaks from the one that has come", async () => {
    const { lac, side } = await pair();
    const caller = await call(side, "alice@isp.example");
    const moved = changed(
      LAC_YAML,
      "listen: [{ address: 10.0.0.2 }]",
      "listen: [{ address: 10.0.0.2, port: 1702 }]",
    );
    expect((await reload(lac, moved)).endingSessions).toBe(1);
    expect(side.offline.has(caller)).toBe(true);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
    // another address beside it changes nothing
    const two = changed(
      LAC_YAML,
      "listen: [{ address: 10.0.0.2 }]",
      'listen: [{ address: 10.0.0.2, port: 1702 }, { address: "::" }]',
    );
    expect((await reload(lac, two)).endingSessions).toBe(0);
    expect(side.online.size).toBe(1);
    expect(lac.operations.listeners().map(({ state }) => state)).not.toContain("no-device");
  });

  it("changes how data is sent in the tunnels that stand", async () => {
    const { lac, side } = await pair();
    await call(side, "alice@isp.example");
    const dscps: number[] = [];
    const update = lac.dataplane.updatePeer.bind(lac.dataplane);
    lac.dataplane.updatePeer = (peer, spec) => {
      if (spec.kind === "udp") dscps.push(spec.dscp ?? 0);
      update(peer, spec);
    };
    await reload(lac, changed(LAC_YAML, "secret: tunnel-secret", "secret: tunnel-secret, dscp: 46"));
    await reload(
      lac,
      changed(LAC_YAML, "secret: tunnel-secret", "secret: tunnel-secret, dscp: 46, max-sessions: 9"),
    );
    expect(dscps).toEqual([46]);
    expect(side.online.size).toBe(1);
  });

  it("has as many workers and as large a journal as the file says now, or says why not", async () => {
    const { lac } = await pair();
    const asked: unknown[] = [];
    const dataplane: Dataplane = lac.dataplane;
    dataplane.setWorkers = async (workers) => {
      asked.push(workers);
      if (workers === 64) throw new Error("64 workers are not 1 to 2");
    };
    const sized = `${LAC_YAML}\ndata-plane: { workers: auto }\njournal: { size: 1MiB }\n`;
    await reload(lac, sized);
    expect(lac.journal.view().sizeBytes).toBe(2 ** 20);
    let report: ReloadReport | undefined;
    void lac.gateway.reload(world.config(changed(sized, "workers: auto", "workers: 64"))).then((done) => {
      report = done;
    });
    await world.until(() => report !== undefined, 1000);
    expect(report?.problems).toEqual(["data-plane.workers: 64 workers are not 1 to 2"]);
    expect(asked).toEqual(["auto", 64]);
  });

  it("takes more workers than there is room for with the next start, and asks the host again for what it refused", async () => {
    const { lac } = await pair();
    let reconsidered = 0;
    const unexpected = () => Promise.reject(new Error("there is no room"));
    Object.assign(lac.dataplane, {
      mostWorkers: 16,
      setWorkers: unexpected,
      reconsider: () => {
        reconsidered += 1;
      },
    });
    const many = `${LAC_YAML}\ndata-plane: { workers: 17 }\n`;
    expect(await reload(lac, many)).toMatchObject({
      changes: [{ path: "data-plane.workers", effect: "restart" }],
      problems: [],
    });
    expect(reconsidered).toBe(1);
    // it is still told, as it is still so
    expect(lac.gateway.planReload(world.config(many)).changes).toHaveLength(1);
    expect(reconsidered).toBe(1);
  });

  it("goes on under its name and its limits, which only a restart can change", async () => {
    const { lac, side } = await pair();
    await call(side, "alice@isp.example");
    const renamed = `${changed(LAC_YAML, "name: lac", "name: renamed")}\ndata-plane: { max-channels: 64 }\n`;
    const { changes } = await reload(lac, renamed);
    expect(changes.map(({ path, effect }) => [path, effect])).toEqual([
      ["name", "restart"],
      ["data-plane.max-channels", "restart"],
    ]);
    expect(lac.views.status().name).toBe("lac");
    // the LNS knows it by the old one
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
    expect(lac.gateway.planReload(world.config(renamed)).changes).toHaveLength(2);
  });

  it("ends as ever when it is told to stop in the middle", async () => {
    const { lac, side } = await pair();
    const caller = await call(side, "alice@isp.example");
    const reloading = lac.gateway.reload(world.config(changed(LAC_YAML, "acc0", "acc1")));
    let stopped = false;
    void lac.gateway.stop("test").then(() => {
      stopped = true;
    });
    expect(await world.until(() => stopped, 5_000)).toBe(true);
    await reloading;
    expect(side.offline.has(caller)).toBe(true);
    expect(lac.openFramePorts).toBe(0);
    expect(lac.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("an LNS that is given another configuration", () => {
  it("ends the calls of a LAC that is taken out, and refuses it", async () => {
    const { lac, lns, side } = await pair();
    const caller = await call(side, "alice@isp.example");
    const without = changed(LNS_YAML, /peers: .*/, "peers: []");
    const next = world.config(without, USERS_YAML);
    expect(lns.gateway.planReload(next).endingSessions).toBe(1);
    let report: ReloadReport | undefined;
    void lns.gateway.reload(next).then((done) => {
      report = done;
    });
    // somebody who calls while its tunnel is not closed yet
    await world.until(() => true, 0);
    lac.gateway.tunnels?.place(
      "lns",
      {},
      { accepted() {}, connected() {}, report: () => false, ended() {} },
      false,
    );
    await world.until(() => report !== undefined, 5_000);
    expect(report?.endingSessions).toBe(1);
    expect(lns.views.counters()["sessions.opened"]).toBe(1);
    await world.pass(1000);
    expect(side.offline.has(caller)).toBe(true);
    expect(lac.records).toHaveLength(1);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(false);
    await reload(lns, LNS_YAML, USERS_YAML);
    await world.pass(310_000);
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
  });
});

describe("a PTA that is given another configuration", () => {
  it("asks new logins for what the users file says now, and lets those be who are in", async () => {
    const { node, side } = await pta();
    const there = await call(side, "alice@isp.example");
    const users = changed(
      changed(PTA_USERS, "wonderland", "looking-glass"),
      /- \{ name: bob.*\n/,
      "- { name: dave, password: dd }\n",
    );
    await reload(node, PTA_YAML, users);
    expect(side.online.has(await call(side, "alice@isp.example", "wonderland"))).toBe(false);
    expect(side.online.has(await call(side, "alice@isp.example", "looking-glass"))).toBe(true);
    expect(side.online.has(await call(side, "bob"))).toBe(false);
    expect(side.online.has(await call(side, "dave", "dd"))).toBe(true);
    await aWhile();
    expect(side.online.has(there)).toBe(true);
  });

  it("gives new sessions devices and addresses as the group says now; old ones keep theirs", async () => {
    const { node, side } = await pta();
    const before = await call(side, "alice@isp.example");
    const home = /home: .*/;
    const next =
      'home: { name: "new%d", address: 100.64.1.1, pool: 100.64.1.0/24, mtu: 1400, dns: [192.0.2.1] }';
    expect((await reload(node, changed(PTA_YAML, home, next))).endingSessions).toBe(0);
    await call(side, "alice@isp.example");
    expect(node.views.sessions().map(({ device, address }) => [device, address])).toEqual([
      ["sub0", "100.64.0.2"],
      ["new1", "100.64.1.2"],
    ]);
    before.hangUp();
    await world.pass(1000);
    // the old address is nobody's now
    await call(side, "alice@isp.example");
    expect(node.views.sessions().map(({ address }) => address)).toEqual(["100.64.1.2", "100.64.1.3"]);
  });

  it("ends the sessions of a group that is taken out, or whose shared device is made anew, and no others", async () => {
    const { node, side } = await pta();
    const alice = await call(side, "alice@isp.example");
    const bob = await call(side, "bob");
    expect((await reload(node, changed(PTA_YAML, "name: office", "name: bureau"))).endingSessions).toBe(1);
    expect([alice, bob].map((each) => side.online.has(each))).toEqual([true, false]);
    const again = await call(side, "bob");
    expect(node.views.sessions().map(({ device }) => device)).toEqual(["sub0", "bureau"]);
    const without = changed(changed(PTA_YAML, "name: office", "name: bureau"), / {2}home: .*\n/, "");
    expect((await reload(node, changed(without, /realms: .*/, ""))).endingSessions).toBe(1);
    expect([alice, again].map((each) => side.online.has(each))).toEqual([false, true]);
    // by the default now, with the other group
    expect(side.online.has(await call(side, "alice@isp.example"))).toBe(true);
  });

  it("routes what a shared device's pool has gained to it, and what it has lost no more once nobody is there", async () => {
    const { node, side } = await pta();
    const bob = await call(side, "bob");
    expect(node.views.sessions()).toMatchObject([{ address: "100.65.0.2" }]);
    const moved = changed(PTA_YAML, "pool: 100.65.0.0/24", "pool: 100.65.1.0/24");
    expect((await reload(node, moved)).endingSessions).toBe(0);
    const device = "office";
    expect(node.host.routeChanges).toEqual([{ device, added: ["100.65.1.0/24"], removed: [] }]);
    expect(side.online.has(bob)).toBe(true);
    bob.hangUp();
    await world.pass(1000);
    await reload(node, changed(moved, "pool: 100.65.1.0/24", "pool: [100.65.1.0/24, 100.65.2.0/24]"));
    expect(node.host.routeChanges.slice(1)).toEqual([
      { device, added: [], removed: ["100.65.0.0/24"] },
      { device, added: ["100.65.2.0/24"], removed: [] },
    ]);
    await call(side, "bob");
    expect(node.views.sessions()).toMatchObject([{ address: "100.65.1.1" }]);
  });

  it("ends who has an address that another group gives out now, and no others", async () => {
    const { node, side } = await pta();
    const alice = await call(side, "alice@isp.example");
    const bob = await call(side, "bob");
    const swapped = changed(
      changed(PTA_YAML, "pool: 100.64.0.0/24", "pool: 100.66.0.0/24"),
      "units:",
      'units:\n  more: { name: "m%d", address: 100.66.1.1, pool: 100.64.0.0/24 }',
    );
    expect((await reload(node, swapped)).endingSessions).toBe(1);
    expect([alice, bob].map((each) => side.online.has(each))).toEqual([false, true]);
  });

  it("lets somebody else have a fixed address that was taken from its user", async () => {
    const { node, side } = await pta();
    const carol = await call(side, "carol");
    expect(node.views.sessions()).toMatchObject([{ address: "100.65.0.77" }]);
    const users = changed(
      PTA_USERS,
      /- \{ name: bob.*\n.*\n/,
      "- { name: bob, password: builder, address: 100.65.0.77 }\n",
    );
    expect((await reload(node, PTA_YAML, users)).endingSessions).toBe(0);
    expect(side.online.has(carol)).toBe(true);
    expect(side.online.has(await call(side, "bob"))).toBe(true);
    await world.pass(1000);
    expect(side.online.has(carol)).toBe(false);
    expect(node.records).toMatchObject([{ cause: "replaced", user: "carol" }]);
  });

  it("says what the system refuses, does the rest, and tries again the next time", async () => {
    const { node, side } = await pta();
    const alice = await call(side, "alice@isp.example");
    const create = node.dataplane.createUnit.bind(node.dataplane);
    node.dataplane.createUnit = () => Promise.reject(new Error("no more devices"));
    const yaml = changed(
      changed(PTA_YAML, "name: office", "name: bureau"),
      "interface: acc0",
      "interface: acc0, mru: 1400",
    );
    const next = world.config(yaml, PTA_USERS);
    let report: ReloadReport | undefined;
    void node.gateway.reload(next).then((done) => {
      report = done;
    });
    await world.until(() => report !== undefined, 10_000);
    expect(report).toMatchObject({ problems: ["units[office]: no more devices"], endingSessions: 0 });
    expect(side.online.has(alice)).toBe(true);
    expect(node.gateway.lines[0]?.config.mruBytes).toBe(1400);
    node.dataplane.createUnit = create;
    await world.until(() => true, 0);
    report = undefined;
    void node.gateway.reload(next).then((done) => {
      report = done;
    });
    await world.until(() => report !== undefined, 10_000);
    expect(report).toEqual({ changes: [], endingSessions: 0, problems: [] });
    expect(side.online.has(await call(side, "bob"))).toBe(true);
  });

  it("drains an access interface, or takes calls on it again, when the file says otherwise than before", async () => {
    const { node, side } = await pta();
    const draining = changed(PTA_YAML, "interface: acc0", "interface: acc0, drain: true");
    await reload(node, draining);
    expect(side.online.has(await call(side, "bob"))).toBe(false);
    node.gateway.drain(false);
    await reload(node, changed(draining, "drain: true", "drain: true, pado-delay: 1ms"));
    expect(node.gateway.lines[0]?.draining).toBe(false);
  });
});
