import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressPool } from "../../src/aaa/address-pool.ts";
import { parseIpv4Range } from "../../src/wire/ipv4-range.ts";

function pool(ranges: readonly string[], reserved: readonly string[] = []): AddressPool<string> {
  return new AddressPool({ ranges: ranges.map((text) => parseIpv4Range(text)!), reserved });
}

/** The next `count` addresses, or the reasons why there are none. */
function take(from: AddressPool<string>, count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const lease = from.lease(`holder ${i}`);
    return lease.ok ? lease.address : lease.reason;
  });
}

describe("a pool", () => {
  it("hands out a prefix's addresses but not its network, broadcast and our own", () => {
    expect(take(pool(["192.0.2.8/29"], ["192.0.2.9"]), 6)).toEqual([
      "192.0.2.10",
      "192.0.2.11",
      "192.0.2.12",
      "192.0.2.13",
      "192.0.2.14",
      "address pool exhausted",
    ]);
  });

  it("goes from range to range", () => {
    expect(take(pool(["192.0.2.1-192.0.2.2", "198.51.100.7", "203.0.113.0/31"]), 6)).toEqual([
      "192.0.2.1",
      "192.0.2.2",
      "198.51.100.7",
      "203.0.113.0",
      "203.0.113.1",
      "address pool exhausted",
    ]);
  });

  it("has reasons of its own when there are no ranges", () => {
    expect(take(pool([]), 1)).toEqual(["no address pool"]);
  });

  it("reuses what has been free for longest", () => {
    const some = pool(["192.0.2.1-192.0.2.4"]);
    take(some, 3);
    some.release("192.0.2.2", "holder 1");
    some.release("192.0.2.1", "holder 0");
    expect(take(some, 4)).toEqual(["192.0.2.4", "192.0.2.2", "192.0.2.1", "address pool exhausted"]);
  });

  it("says how many addresses it has for whoever comes, and how many of them are given out", () => {
    const some = pool(["192.0.2.1-192.0.2.6"], ["192.0.2.2", "203.0.113.9"]);
    expect(some.fill()).toEqual({ size: 5, used: 0 });
    take(some, 6);
    some.leaseFixed("192.0.2.2", "fixed");
    expect(some.fill()).toEqual({ size: 5, used: 5 });
    some.release("192.0.2.2", "fixed");
    some.release("192.0.2.3", "somebody else");
    expect(some.fill()).toEqual({ size: 5, used: 5 });
    some.release("192.0.2.3", "holder 1");
    expect(some.fill()).toEqual({ size: 5, used: 4 });
    // who has an address that is in no range any more, or is somebody's own by now, keeps it and is counted nowhere
    some.reconfigure({
      ranges: ["192.0.2.4-192.0.2.9"].map((text) => parseIpv4Range(text)!),
      reserved: ["192.0.2.5"],
    });
    expect(some.fill()).toEqual({ size: 5, used: 2 });
    some.release("192.0.2.1", "holder 0");
    some.release("192.0.2.5", "holder 3");
    expect(some.fill()).toEqual({ size: 5, used: 2 });
    some.release("192.0.2.4", "holder 2");
    expect(some.fill()).toEqual({ size: 5, used: 1 });
  });

  it("of a /8 costs nothing until it is used", () => {
    const huge = pool(["10.0.0.0/8"], ["10.0.0.1"]);
    expect(take(huge, 2)).toEqual(["10.0.0.2", "10.0.0.3"]);
  });

  it("keeps fixed addresses for their users", () => {
    const some = pool(["192.0.2.1-192.0.2.3"], ["192.0.2.2"]);
    expect(take(some, 3)).toEqual(["192.0.2.1", "192.0.2.3", "address pool exhausted"]);
    expect(() => some.leaseFixed("192.0.2.1", "alice")).toThrow(/192\.0\.2\.1 is not a reserved address/);
    some.leaseFixed("192.0.2.2", "alice");
    some.release("192.0.2.2", "alice");
    expect(some.holderOf("192.0.2.2")).toBeUndefined();
    expect(take(some, 1)).toEqual(["address pool exhausted"]);
  });

  it("lets a new login take over a fixed address, and the stale session's release changes nothing", () => {
    const some = pool([], ["192.0.2.2"]);
    some.leaseFixed("192.0.2.2", "old session");
    expect(some.holderOf("192.0.2.2")).toBe("old session");
    some.leaseFixed("192.0.2.2", "new session");
    some.release("192.0.2.2", "old session");
    expect(some.holderOf("192.0.2.2")).toBe("new session");
  });

  it("ignores a release by anybody but the holder, and a second one", () => {
    const some = pool(["192.0.2.1-192.0.2.2"]);
    take(some, 2);
    some.release("192.0.2.1", "somebody");
    expect(take(some, 1)).toEqual(["address pool exhausted"]);
    some.release("192.0.2.1", "holder 0");
    some.release("192.0.2.1", "holder 0");
    expect(take(some, 2)).toEqual(["192.0.2.1", "address pool exhausted"]);
  });

  it("never leases an address twice, and everything that is free can be leased", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(19), { maxLength: 300 }), (steps) => {
        const some = pool(["192.0.2.0/28", "198.51.100.1"], ["192.0.2.5"]);
        const held = new Map<string, string>();
        for (const [i, step] of steps.entries()) {
          const [address, holder] = [...held][step] ?? [];
          if (address !== undefined && holder !== undefined) {
            some.release(address, holder);
            held.delete(address);
            continue;
          }
          const lease = some.lease(`holder ${i}`);
          expect(lease.ok).toBe(held.size < 14);
          if (!lease.ok) continue;
          expect(held.has(lease.address)).toBe(false);
          expect(lease.address).not.toBe("192.0.2.5");
          held.set(lease.address, `holder ${i}`);
        }
      }),
    );
  });
});

describe("a pool that gets other ranges", () => {
  const range = (text: string) => parseIpv4Range(text)!;

  it("lets everybody keep what he has, and gives no address twice", () => {
    const pool = new AddressPool<string>({ ranges: [range("192.0.2.1-192.0.2.4")], reserved: [] });
    for (const name of ["a", "b", "c"]) pool.lease(name);
    pool.release("192.0.2.1", "a");
    pool.reconfigure({ ranges: [range("192.0.2.3-192.0.2.6")], reserved: ["192.0.2.5"] });
    expect(["192.0.2.2", "192.0.2.3"].map((address) => pool.holderOf(address))).toEqual(["b", "c"]);
    expect([pool.lease("d"), pool.lease("e")]).toMatchObject([
      { address: "192.0.2.4" },
      { address: "192.0.2.6" },
    ]);
    expect(pool.lease("f")).toMatchObject({ ok: false });
    // one that is the pool's comes back to it, one that is not does not
    pool.release("192.0.2.2", "b");
    expect(pool.lease("f")).toMatchObject({ ok: false });
    pool.release("192.0.2.3", "c");
    expect(pool.lease("f")).toMatchObject({ address: "192.0.2.3" });
    expect(pool.usedOf("192.0.2.4/31")).toEqual(["192.0.2.4"]);
    expect(pool.usedOf("192.0.2.8/29")).toEqual([]);
  });

  it("gives out an address that is nobody's fixed one any more", () => {
    const pool = new AddressPool<string>({ ranges: [range("192.0.2.1-192.0.2.2")], reserved: ["192.0.2.1"] });
    pool.lease("a");
    pool.leaseFixed("192.0.2.1", "bob");
    pool.reconfigure({ ranges: [range("192.0.2.1-192.0.2.2")], reserved: [] });
    expect(pool.lease("b")).toMatchObject({ ok: false });
    pool.release("192.0.2.1", "bob");
    expect(pool.lease("b")).toMatchObject({ address: "192.0.2.1" });
  });

  it("never gives one address to two, whatever comes and goes", () => {
    const step = fc.oneof(
      fc.constant({ kind: "lease" as const }),
      fc.record({ kind: fc.constant("release" as const), which: fc.nat(20) }),
      fc.record({
        kind: fc.constant("change" as const),
        first: fc.nat(20),
        count: fc.integer({ min: 1, max: 12 }),
        reserved: fc.uniqueArray(fc.nat(30), { maxLength: 3 }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const pool = new AddressPool<number>({ ranges: [range("192.0.2.1-192.0.2.9")], reserved: [] });
        const held = new Map<string, number>();
        let holders = 0;
        for (const each of steps) {
          if (each.kind === "lease") {
            holders += 1;
            const lease = pool.lease(holders);
            if (!lease.ok) continue;
            expect(held.has(lease.address)).toBe(false);
            held.set(lease.address, holders);
          } else if (each.kind === "release") {
            const [address, holder] = [...held][each.which] ?? [];
            if (address === undefined) continue;
            held.delete(address);
            pool.release(address, holder!);
          } else {
            const ranges = [range(`192.0.2.${each.first}-192.0.2.${each.first + each.count}`)];
            pool.reconfigure({ ranges, reserved: each.reserved.map((octet) => `192.0.2.${octet}`) });
          }
          for (const [address, holder] of held) expect(pool.holderOf(address)).toBe(holder);
        }
      }),
      { numRuns: 300 },
    );
  });
});
