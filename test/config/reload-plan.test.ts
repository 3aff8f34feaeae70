import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { toHex } from "../../src/base/bytes.ts";
import type { Secret } from "../../src/base/secret.ts";
import type { Config } from "../../src/config/config.ts";
import { applicable, planReload } from "../../src/config/reload-plan.ts";
import { configSchema } from "../../src/config/schema.ts";
import { usersSchema } from "../../src/config/users-schema.ts";
import { ConfigFolder } from "./config-folder.ts";

function config(file: unknown, users: unknown = []): Config {
  return { ...configSchema.parse(file), users: usersSchema.parse(users) };
}

const BEFORE = `
name: gw
access: [{ interface: acc0 }, { interface: acc1 }]
l2tp:
  listen: [{ address: 10.0.0.2 }, { address: 10.0.0.3, port: 1702 }]
  peers:
    - { name: lns1, address: 10.0.0.11, secret: one }
    - { name: lns2, address: 10.0.0.12, secret: two }
realms: { a.example: { lns: lns1 }, b.example: { terminate: home } }
units:
  home: { name: "sub%d", address: 100.64.0.1, pool: 100.64.0.0/24 }
  office: { mode: shared, name: office, address: 100.65.0.1, pool: 100.65.0.0/24 }
`;

/** What the plan says about the file with `from` replaced. */
function planned(from: string | RegExp, to: string): string[] {
  const after = BEFORE.replace(from, to);
  expect(after).not.toBe(BEFORE);
  return planReload(config(parse(BEFORE)), config(parse(after))).changes.map(({ text }) => text);
}

describe("the plan of a reload", () => {
  it("is empty when nothing is different, however it is written", () => {
    expect(planReload(config(parse(BEFORE)), config(parse(BEFORE)))).toEqual({ changes: [] });
    expect(planned("name: gw", "name: gw\nlog: { level: info }\ndata-plane: { workers: 1 }")).toEqual([]);
    expect(planned("name: lns1,", "name: lns1, hello-interval: 1m,")).toEqual([]);
    expect(
      planned(/realms: .*/, "realms: { B.example: { terminate: home }, a.example: { lns: lns1 } }"),
    ).toEqual([]);
  });

  it("says what a value was, what it will be, and from when on", () => {
    expect(
      planned("name: lns1,", "name: lns1, dscp: 46, hello-interval: 30s, calling-number: '{mac}',"),
    ).toEqual([
      "l2tp.peers[lns1].hello-interval: 1m becomes 30s, at once",
      "l2tp.peers[lns1].dscp: 0 becomes 46, at once",
      "l2tp.peers[lns1].calling-number: set to {mac}, for new sessions",
    ]);
    expect(planned("{ lns: lns1 }", "{ lns: lns2, idle-timeout: 10m }")).toEqual([
      "realms[a.example]: { lns: lns1 } becomes { lns: lns2, idle-timeout: 10m }, for new sessions",
    ]);
    expect(planned("name: gw", "name: gw\ndefault: { terminate: home }\njournal: { size: 0 }")).toEqual([
      "journal.size: 32MiB becomes 0, at once",
      "default: refuse becomes { terminate: home }, for new sessions",
    ]);
  });

  it("tells what comes and what goes, and whose sessions end", () => {
    expect(planned(", { interface: acc1 }", ", { interface: acc2 }")).toEqual([
      "access[acc1]: removed, which ends the sessions that go through it",
      "access[acc2]: added, at once",
    ]);
    expect(planned(/ {4}- \{ name: lns2.*\n/, "")).toEqual([
      "l2tp.peers[lns2]: removed, which ends the sessions that go through it",
    ]);
    expect(planned("port: 1702", "port: 1703")).toEqual([
      "l2tp.listen[10.0.0.3:1702]: removed, which ends the sessions that go through it",
      "l2tp.listen[10.0.0.3:1703]: added, at once",
    ]);
    expect(
      planned(/listen: .*/, "listen: [{ address: 10.0.0.3, port: 1702 }, { address: 10.0.0.2 }]"),
    ).toEqual([
      "l2tp.listen: [10.0.0.2:1701, 10.0.0.3:1702] becomes [10.0.0.3:1702, 10.0.0.2:1701], for new sessions",
    ]);
  });

  it("knows that a shared device has to be made anew, and a subscriber's own does not", () => {
    expect(planned("address: 100.64.0.1", "address: 100.64.0.2")).toEqual([
      "units[home].address: 100.64.0.1 becomes 100.64.0.2, for new sessions",
    ]);
    expect(planned("address: 100.65.0.1", "address: 100.65.0.2")).toEqual([
      "units[office].address: 100.65.0.1 becomes 100.65.0.2, which ends the sessions that go through it",
    ]);
    expect(planned("pool: 100.65.0.0/24", "pool: [100.65.0.0/24, 100.66.0.9-100.66.0.10]")).toEqual([
      "units[office].pool: [100.65.0.0/24] becomes [100.65.0.0/24, 100.66.0.9-100.66.0.10], for new sessions",
    ]);
  });

  it("shows no secret and no password", () => {
    expect(planned("secret: one", "secret: another")).toEqual([
      "l2tp.peers[lns1].secret: changed, for new sessions",
    ]);
    const users = [
      { name: "alice", password: "wonderland" },
      { name: "bob", password: "builder" },
    ];
    const next = [
      { name: "alice", password: "looking-glass" },
      { name: "carol", password: "christmas" },
    ];
    expect(planReload(config({ name: "gw" }, users), config({ name: "gw" }, next)).changes).toEqual([
      {
        path: "users-file[alice]",
        change: "changed",
        effect: "new-sessions",
        text: "users-file[alice]: changed, for new sessions",
      },
      {
        path: "users-file[bob]",
        change: "removed",
        effect: "new-sessions",
        text: "users-file[bob]: removed, for new sessions",
      },
      {
        path: "users-file[carol]",
        change: "added",
        effect: "new-sessions",
        text: "users-file[carol]: added, for new sessions",
      },
    ]);
  });

  it("counts users where there are too many to be read", () => {
    const users = Array.from({ length: 101 }, (_, i) => ({ name: `user${i}`, password: "x" }));
    const text = (before: unknown, after: unknown) =>
      planReload(config({ name: "gw" }, before), config({ name: "gw" }, after)).changes.map(
        (each) => each.text,
      );
    expect(text([], users)).toEqual(["users-file: 101 users added, 0 changed, 0 removed, for new sessions"]);
    expect(text([], users.slice(1))).toHaveLength(100);
    expect(text(users, [{ name: "user0", password: "y" }])).toEqual([
      "users-file: 0 users added, 1 changed, 100 removed, for new sessions",
    ]);
  });

  it("leaves what only a restart can change out of what the gateway goes on with", () => {
    const running = config(parse(BEFORE));
    const file = { ...(parse(BEFORE) as object), name: "other", control: { socket: "/tmp/x" } };
    const next = config({ ...file, "data-plane": { engine: "auto", workers: 2, "max-channels": 64 } });
    const effects = Object.fromEntries(
      planReload(running, next).changes.map(({ path, effect }) => [path, effect]),
    );
    expect(effects).toEqual({
      name: "restart",
      "control.socket": "restart",
      "data-plane.engine": "restart",
      "data-plane.max-channels": "restart",
      "data-plane.workers": "live",
    });
    const applied = applicable(running, next);
    expect(planReload(running, applied).changes.map(({ path }) => path)).toEqual(["data-plane.workers"]);
    expect(planReload(applied, next).changes.every(({ effect }) => effect === "restart")).toBe(true);
  });

  it("has addresses of the HTTP API come, go and ask for something else at once, and what is in their files does not show", () => {
    const folder = new ConfigFolder();
    const load = (token: string, listen: string) => {
      folder.write("token", token);
      return folder.load(`name: gw\ncontrol: { listen: [${listen}] }`);
    };
    const ONE = "{ address: 127.0.0.1, port: 9180, token-file: token }";
    const OTHER = "{ address: '::1', port: 9180, token-file: token }";
    const running = load("0123456789abcdef", ONE);
    const texts = (next: Config) => planReload(running, next).changes.map(({ text }) => text);
    expect(texts(load("0123456789abcdef", ONE))).toEqual([]);
    expect(texts(load("fedcba9876543210", ONE))).toEqual([
      "control.listen[127.0.0.1:9180].token: changed, at once",
    ]);
    expect(texts(load("0123456789abcdef", OTHER))).toEqual([
      "control.listen[127.0.0.1:9180]: removed, at once",
      "control.listen[[::1]:9180]: added, at once",
    ]);
    const next = load("0123456789abcdef", OTHER);
    expect(applicable(running, next).control).toEqual(next.control);
  });

  it("says that there is no room for so many forwarding threads before a restart, and goes on with those that there are", () => {
    const withWorkers = (workers: unknown) => config({ name: "gw", "data-plane": { workers } });
    const limits = { mostWorkers: 16 };
    expect(planReload(withWorkers(2), withWorkers(17), limits).changes).toEqual([
      {
        path: "data-plane.workers",
        change: "changed",
        effect: "restart",
        text: "data-plane.workers: 2 becomes 17, which needs a restart: at the start room was made for 16",
      },
    ]);
    expect(applicable(withWorkers(2), withWorkers(17), limits).dataPlane.workers).toBe(2);
    for (const workers of [16, "auto"]) {
      expect(planReload(withWorkers(2), withWorkers(workers), limits).changes).toMatchObject([
        { effect: "live", text: `data-plane.workers: 2 becomes ${workers}, at once` },
      ]);
      expect(applicable(withWorkers(2), withWorkers(workers), limits).dataPlane.workers).toBe(workers);
    }
  });

  it("is empty if and only if nothing is different", () => {
    let same = 0;
    fc.assert(
      fc.property(files(), files(), (a, b) => {
        const [before, after] = [config(a.file, a.users), config(b.file, b.users)];
        const isSame = canonical(before) === canonical(after);
        if (isSame) same += 1;
        expect(planReload(before, after).changes.length === 0).toBe(isSame);
        expect(planReload(before, before).changes).toEqual([]);
      }),
      { numRuns: 400, seed: 5 },
    );
    expect(same).toBeGreaterThan(5);
  });
});

/** Small enough that two of them are often alike. */
function files(): fc.Arbitrary<{ file: unknown; users: unknown }> {
  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { freq: 1, nil: undefined });
  const destination = fc.constantFrom({ lns: "p" }, { terminate: "u" }, { lns: "p", "idle-timeout": "5m" });
  const list = <T>(one: fc.Arbitrary<T>, id: (item: T) => unknown) =>
    maybe(fc.uniqueArray(one, { maxLength: 2, selector: id }));
  const file = fc.record({
    name: fc.constant("gw"),
    log: maybe(fc.record({ level: fc.constantFrom("info", "debug") })),
    access: list(
      fc.record({ interface: fc.constantFrom("a", "b"), drain: fc.boolean() }),
      (each) => each.interface,
    ),
    l2tp: maybe(
      fc.record({
        listen: fc.uniqueArray(fc.record({ address: fc.constantFrom("10.0.0.1", "::") }), {
          maxLength: 2,
          selector: (each) => each.address,
        }),
        peers: fc.uniqueArray(
          fc.record({
            name: fc.constantFrom("p", "q"),
            secret: fc.constantFrom("x", "y"),
            address: fc.constant("10.0.0.9"),
          }),
          { maxLength: 2, selector: (each) => each.name },
        ),
      }),
    ),
    realms: maybe(fc.dictionary(fc.constantFrom("r", "s"), destination, { maxKeys: 2 })),
    lines: maybe(fc.array(fc.record({ interface: fc.constant("a"), to: destination }), { maxLength: 2 })),
  });
  const users = fc.uniqueArray(
    fc.record({ name: fc.constantFrom("u", "v"), password: fc.constantFrom("x", "y") }),
    { maxLength: 2, selector: (each) => each.name },
  );
  const present = file.map((each) =>
    Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined)),
  );
  return fc.oneof(
    { weight: 1, arbitrary: fc.record({ file: fc.constant({ name: "gw" }), users: fc.constant([]) }) },
    { weight: 4, arbitrary: fc.record({ file: present, users }) },
  );
}

/** Where order says something, in order; where it says nothing, sorted. */
function canonical(config: Config): string {
  const { access, l2tp, users, ...rest } = config;
  // of access lines, peers and users only who calls first could tell the order
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name);
  return JSON.stringify({ ...rest, users: [...users].sort(byName), access, l2tp }, (_, value) => {
    if (value instanceof Map) return [...value].sort(([a], [b]) => String(a).localeCompare(String(b)));
    return value;
  }).concat(secrets(config));
}

function secrets({ l2tp, users }: Config): string {
  const hex = (secret: Secret | undefined) => (secret === undefined ? "" : toHex(secret.octets()));
  const names = [...users].sort((a, b) => a.name.localeCompare(b.name));
  return JSON.stringify([
    l2tp.peers.map(({ secret }) => hex(secret)),
    names.map(({ password }) => hex(password)),
  ]);
}
