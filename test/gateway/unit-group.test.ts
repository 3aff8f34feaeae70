import { describe, expect, it } from "vitest";
import type { LocalUser } from "../../src/aaa/local-users.ts";
import type { UnitQueues, UnitSpec } from "../../src/channel/dataplane.ts";
import { DataplaneError } from "../../src/channel/errors.ts";
import type { UnitConfig } from "../../src/config/config.ts";
import type { Session } from "../../src/gateway/session.ts";
import type { Surroundings } from "../../src/gateway/surroundings.ts";
import { UnitGroup } from "../../src/gateway/unit-group.ts";
import { UnitGroups } from "../../src/gateway/unit-groups.ts";
import type { RouteChange } from "../../src/io/host-network.ts";
import { memoryHostNetwork } from "../../src/io/memory-host-network.ts";
import { parseIpv4Range } from "../../src/wire/ipv4-range.ts";
import { startAlone, World } from "../support/world.ts";

const ADDRESS = "192.0.2.7";
const ALICE = { name: "alice", address: ADDRESS } as LocalUser;
const CONFIG = { mode: "device", name: "u%d", address: "192.0.2.1", mtuBytes: 1492 } as UnitConfig;
const AROUND = { config: { users: [ALICE] } } as unknown as Surroundings;

/** One that has ended when it is told to, and gives nothing back. */
function session(): { readonly session: Session; readonly ends: () => number } {
  let ends = 0;
  const end = (): void => {
    ends += 1;
    if (ends > 1) throw new Error("he has been told before");
  };
  const fake = { end, ended: Promise.resolve(), isOver: false };
  return { session: fake as unknown as Session, ends: () => ends };
}

it("a fixed address is taken over from a session that has ended without giving it back", async () => {
  const group = new UnitGroup("subscribers", CONFIG, AROUND);
  const stale = session();
  const next = session();
  expect(await group.lease(ALICE, stale.session)).toEqual({ ok: true, address: ADDRESS });
  expect(await group.lease(ALICE, next.session)).toEqual({ ok: true, address: ADDRESS });
  expect(stale.ends()).toBe(1);
  await group.release(ADDRESS, stale.session);
  // it is the new one's
  expect(await group.lease(ALICE, next.session)).toEqual({ ok: true, address: ADDRESS });
  expect(next.ends()).toBe(0);
});

describe("a fixed address, with several groups", () => {
  /** Groups of shared devices, by name and network namespace; routes are changed when `carryOut` is called for them. */
  async function sharing(netns: Readonly<Record<string, string>>) {
    const shared = { ...CONFIG, mode: "shared", ipv6: false } as UnitConfig;
    const units = new Map(
      Object.entries(netns).map(([name, of]) => [name, { ...shared, name, ...(of && { netns: of }) }]),
    );
    const changes: string[] = [];
    let isHeld = false;
    const held: (() => void)[] = [];
    const host = {
      changeRoutes: async ({ device, added, removed }: RouteChange) => {
        if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
        for (const route of removed) changes.push(`${device} -${route}`);
        for (const route of added) changes.push(`${device} +${route}`);
      },
    };
    const dataplane = { createUnit: async () => 1 };
    const around = { config: { users: [ALICE], units }, host, dataplane, logger: { info: () => {} } };
    const groups = new UnitGroups(around as unknown as Surroundings);
    await groups.start();
    const hold = () => {
      isHeld = true;
    };
    /** The newest first, as nothing says in which order they are done. */
    const carryOut = async (): Promise<void> => {
      for (let turns = 0; turns < 20; turns++) {
        await new Promise(setImmediate);
        held.pop()?.();
      }
    };
    return { group: (name: string) => groups.get(name)!, changes, hold, carryOut };
  }

  /** A session online with the address in a group; it gives back what it has when it is told to end. */
  function online(group: UnitGroup) {
    let ends = 0;
    let done = (): void => {};
    const ended = new Promise<void>((resolve) => {
      done = resolve;
    });
    const session = { mruBytes: 1492, isOver: false, ended, end } as unknown as Session;
    function end(): void {
      ends += 1;
      setImmediate(() => void group.release(ADDRESS, session).then(done));
    }
    const come = async (): Promise<void> => {
      expect(await group.lease(ALICE, session)).toEqual({ ok: true, address: ADDRESS });
      await group.openUnit(ADDRESS, session);
    };
    return { come, leave: () => group.release(ADDRESS, session), session, ends: () => ends };
  }

  it("is taken over from a session in another group, with the route to it", async () => {
    const { group, changes } = await sharing({ a: "", b: "" });
    const [first, second] = [online(group("a")), online(group("b"))];
    await first.come();
    await second.come();
    expect([first.ends(), second.ends()]).toEqual([1, 0]);
    expect(changes).toEqual([`a +${ADDRESS}/32`, `a -${ADDRESS}/32`, `b +${ADDRESS}/32`]);
  });

  it("is the last one's, of two who come to two groups at once", async () => {
    const { group } = await sharing({ a: "", b: "" });
    const all = [online(group("a")), online(group("a")), online(group("b"))];
    await all[0]!.come();
    await Promise.all([all[1]!.come(), all[2]!.come()]);
    // the first may be told by both
    expect(all.slice(1).map(({ ends }) => ends())).toEqual([1, 0]);
  });

  it("is taken over from a session that has ended without giving it back in another group", async () => {
    const { group, changes } = await sharing({ a: "", b: "" });
    const stale = session();
    await group("a").lease(ALICE, stale.session);
    await group("a").openUnit(ADDRESS, stale.session);
    await online(group("b")).come();
    expect(stale.ends()).toBe(1);
    expect(changes).toEqual([`a +${ADDRESS}/32`, `a -${ADDRESS}/32`, `b +${ADDRESS}/32`]);
  });

  it("is one subscriber's in a gateway, whichever of its groups he calls for", async () => {
    const world = new World(3);
    const yaml = `
name: pta
access: [{ interface: acc0, service-names: [one, two] }]
services: { one: { terminate: a }, two: { terminate: b } }
default: { refuse: true }
units:
  a: { name: "a%d", address: 192.0.2.1 }
  b: { name: "b%d", address: 192.0.2.2 }
users-file: users.yaml
`;
    const users = `- { name: alice, password: secret, address: ${ADDRESS} }\n`;
    const { node, side } = await startAlone(world, yaml, users);
    for (const [i, service] of ["one", "two", "one"].entries()) {
      const caller = side.subscriber(i + 1, "alice", "secret", undefined, service);
      caller.start();
      expect(await world.until(() => side.online.has(caller), 5000)).toBe(true);
      await world.pass(100);
      const { sessions } = await node.operations.sessions({ limit: 9 });
      expect(sessions.map(({ address, unit }) => [address, unit])).toEqual([[ADDRESS, "aba"[i]]]);
    }
  });

  it("may be somebody's in every network namespace", async () => {
    const { group } = await sharing({ a: "red", b: "blue" });
    const [first, second] = [online(group("a")), online(group("b"))];
    await first.come();
    await second.come();
    expect(first.ends()).toBe(0);
  });

  it("stays routed to whom it has been given to while the route to the one before was being removed", async () => {
    const { group, changes, hold, carryOut } = await sharing({ a: "red", b: "red" });
    const [first, second] = [online(group("a")), online(group("a"))];
    await first.come();
    hold();
    const both = [first.leave(), second.come()];
    await carryOut();
    await Promise.all(both);
    const added = changes.lastIndexOf(`a +${ADDRESS}/32`);
    expect(changes.lastIndexOf(`a -${ADDRESS}/32`)).toBeLessThan(added);
    expect(changes.length % 2).toBe(1);
  });
});

describe("a unit group with IPv6", () => {
  const CODES = { none: undefined, disabled: "no-ipv6", other: "device-refused" } as const;

  /** A group on a host that refuses IPv6 addresses with that code; what it makes, and what it says. */
  function group(refusal: keyof typeof CODES) {
    const made: UnitSpec[] = [];
    const warnings: string[] = [];
    const createUnit = async (spec: UnitSpec): Promise<number> => {
      const code = CODES[refusal];
      if (code !== undefined && spec.addresses.some((address) => address.includes(":")))
        throw new DataplaneError(code, "refused");
      return made.push(spec);
    };
    const around = {
      config: { users: [] },
      dataplane: { createUnit },
      logger: { warn: (_fields: unknown, text: string) => warnings.push(text) },
    } as unknown as Surroundings;
    const config = { ...CONFIG, ipv6: true } as UnitConfig;
    const units = new UnitGroup("subscribers", config, around);
    const open = (mruBytes: number) => units.openUnit(ADDRESS, { mruBytes } as Session);
    return { open, addresses: () => made.map(({ addresses }) => addresses), warnings };
  }

  it("puts the same link-local address on every device", async () => {
    const { open, addresses } = group("none");
    for (let i = 0; i < 2; i++)
      expect((await open(1492)).interfaceIdentifier).toEqual(Uint8Array.of(0, 0, 0, 0, 192, 0, 2, 1));
    const both = ["192.0.2.1/32", "fe80::c000:201/64"];
    expect(addresses()).toEqual([both, both]);
  });

  it("has none on a device whose MTU is too small for IPv6", async () => {
    const { open, addresses } = group("none");
    expect((await open(1279)).interfaceIdentifier).toBeUndefined();
    expect((await open(1280)).interfaceIdentifier).toBeDefined();
    expect(addresses().map(({ length }) => length)).toEqual([1, 2]);
  });

  it("does without where the host has IPv6 disabled, and says so once, also of those that begin together", async () => {
    const { open, addresses, warnings } = group("disabled");
    const units = [...(await Promise.all([open(1492), open(1492)])), await open(1492)];
    expect(units.map(({ interfaceIdentifier }) => interfaceIdentifier)).toEqual(units.map(() => undefined));
    expect(addresses()).toEqual(units.map(() => ["192.0.2.1/32"]));
    expect(warnings).toHaveLength(1);
  });

  it("passes other refusals on", async () => {
    await expect(group("other").open(1492)).rejects.toMatchObject({ code: "device-refused" });
  });
});

describe("a shared unit", () => {
  /** What is said when its device has such queues. */
  async function said(queues: UnitQueues | undefined): Promise<readonly string[]> {
    const lines: string[] = [];
    const line =
      (level: string) =>
      (fields: Readonly<Record<string, unknown>>): void =>
        void lines.push(`${level} ${fields.queues ?? ""}${fields.reason ?? ""}`);
    const around = {
      config: { users: [], units: new Map() },
      dataplane: { createUnit: async () => 1, unitQueues: () => queues },
      logger: { info: line("info"), warn: line("warn") },
    } as unknown as Surroundings;
    const config = { ...CONFIG, mode: "shared", name: "subscribers", ipv6: false } as UnitConfig;
    await new UnitGroup("subscribers", config, around).start();
    return lines;
  }

  it("says how many workers may serve it, and why only one", async () => {
    expect(await said({ count: 4 })).toEqual(["info 4"]);
    expect(await said({ count: 1, refusal: "bpf: EPERM" })).toEqual(["info 1", "warn bpf: EPERM"]);
    expect(await said(undefined)).toEqual(["info "]);
  });

  it("has the route to a fixed address while its user is there, where he may come to another group, too", async () => {
    const routed: string[] = [];
    const host = memoryHostNetwork();
    const shared = { ...CONFIG, mode: "shared", ipv6: false } as UnitConfig;
    const units = new Map([
      ["a", { ...shared, name: "a" }],
      ["b", { ...shared, name: "b" }],
    ]);
    const config = { users: [ALICE, { name: "bob", address: "192.0.2.8", unit: "b" }], units };
    const dataplane = {
      createUnit: async ({ name, routes }: UnitSpec) => routed.push(...routes.map((to) => `${name} ${to}`)),
    };
    const logger = { info: () => {} };
    const around = { config, host, dataplane, logger } as unknown as Surroundings;
    const [a, b] = [...units].map(([name, unit]) => new UnitGroup(name, unit, around)) as [
      UnitGroup,
      UnitGroup,
    ];
    await Promise.all([a.start(), b.start()]);
    expect(routed).toEqual(["b 192.0.2.8/32"]);
    const { session: hers } = session();
    await a.lease(ALICE, hers);
    await a.openUnit(ADDRESS, hers);
    const added = { device: "a", added: [`${ADDRESS}/32`], removed: [] };
    expect(host.routeChanges).toEqual([added]);
    await a.release(ADDRESS, hers);
    expect(host.routeChanges).toEqual([added, { device: "a", added: [], removed: [`${ADDRESS}/32`] }]);
    // with the other group gone, she can come to this one only
    await a.lease(ALICE, hers);
    await a.openUnit(ADDRESS, hers);
    units.delete("b");
    await a.reconfigure(units.get("a")!);
    await a.open();
    await a.release(ADDRESS, hers);
    expect(host.routeChanges.slice(2)).toEqual([added]);
  });

  it("gets what was another's when it is that one's no more", async () => {
    const prefixes = (prefix: string) => ({ pool: [{ ...parseIpv4Range(prefix)!, prefixes: [prefix] }] });
    const [first, second] = ["198.51.100.0/24", "203.0.113.0/24"].map(prefixes);
    const shared = { ...CONFIG, mode: "shared", ipv6: false } as UnitConfig;
    const units = (ofA: object | undefined, ofB: object | undefined) =>
      new Map(Object.entries({ a: { ...shared, name: "a", ...ofA }, b: { ...shared, name: "b", ...ofB } }));
    const host = memoryHostNetwork();
    const around = {
      config: { users: [], units: units(first, second) },
      host,
      dataplane: { createUnit: async () => 1 },
      logger: { info: () => {} },
    };
    const groups = new UnitGroups(around as unknown as Surroundings);
    await groups.start();
    around.config = { users: [], units: units(second, undefined) };
    expect(await groups.reconfigure()).toEqual([]);
    expect(host.routeChanges).toEqual([
      { device: "a", added: [], removed: ["198.51.100.0/24"] },
      { device: "b", added: [], removed: ["203.0.113.0/24"] },
      { device: "a", added: ["203.0.113.0/24"], removed: [] },
    ]);
  });

  it("gets a prefix of another's in which somebody keeps his fixed address there, but for that address", async () => {
    const prefixes = (prefix: string) => ({ pool: [parseIpv4Range(prefix)!] });
    const [first, second] = ["192.0.2.0/24", "203.0.113.0/24"].map(prefixes);
    const shared = { ...CONFIG, mode: "shared", ipv6: false } as UnitConfig;
    const configOf = (ofA: object | undefined, ofB: object | undefined) => ({
      users: [ALICE],
      units: new Map(
        Object.entries({ a: { ...shared, name: "a", ...ofA }, b: { ...shared, name: "b", ...ofB } }),
      ),
    });
    const host = memoryHostNetwork();
    const logger = { info: () => {} };
    const around = {
      config: configOf(first, second),
      host,
      dataplane: { createUnit: async () => 1 },
      logger,
    };
    const groups = new UnitGroups(around as unknown as Surroundings);
    await groups.start();
    const { session: hers } = session();
    await groups.get("a")!.lease(ALICE, hers);
    await groups.get("a")!.openUnit(ADDRESS, hers);
    around.config = configOf(second, first);
    expect(await groups.reconfigure()).toEqual([]);
    await groups.get("a")!.release(ADDRESS, hers);
    expect(host.routeChanges).toEqual([
      { device: "a", added: [`${ADDRESS}/32`], removed: [] },
      { device: "a", added: [], removed: ["192.0.2.0/24"] },
      { device: "b", added: [], removed: ["203.0.113.0/24"] },
      { device: "a", added: ["203.0.113.0/24"], removed: [] },
      { device: "b", added: ["192.0.2.0/24"], removed: [] },
      { device: "a", added: [], removed: [`${ADDRESS}/32`] },
    ]);
  });
});
