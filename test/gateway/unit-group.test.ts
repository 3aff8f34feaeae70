import { describe, expect, it } from "vitest";
import type { LocalUser } from "../../src/aaa/local-users.ts";
import type { UnitQueues, UnitSpec } from "../../src/channel/dataplane.ts";
import { DataplaneError } from "../../src/channel/errors.ts";
import type { UnitConfig } from "../../src/config/config.ts";
import type { Session } from "../../src/gateway/session.ts";
import type { Surroundings } from "../../src/gateway/surroundings.ts";
import { UnitGroup } from "../../src/gateway/unit-group.ts";

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
  group.release(ADDRESS, stale.session);
  // it is the new one's
  expect(await group.lease(ALICE, next.session)).toEqual({ ok: true, address: ADDRESS });
  expect(next.ends()).toBe(0);
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
      config: { users: [] },
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
});
