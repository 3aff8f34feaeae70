import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressLookup, AddressMap } from "../../../src/dataplane/loop/address-map.ts";
import { addressCapacity, Tables } from "../../../src/dataplane/loop/tables.ts";
import { prefixOf } from "../../../src/dataplane/specs.ts";
import { cidrContains, parseIpAddress } from "../../../src/wire/ip-address.ts";

const SIZES = { workers: 1, ports: 1, peers: 1, channels: 16, units: 2 };

function make() {
  const tables = Tables.view(SIZES, Tables.allocate(SIZES));
  const map = new AddressMap(tables.subscribers);
  const lookup = new AddressLookup(tables.subscribers);
  return {
    map,
    add(unit: number, text: string, channel: number) {
      const { address, prefixLength } = prefixOf(text);
      return map.add(unit, address, prefixLength, channel);
    },
    find(unit: number, text: string): number {
      const octets = parseIpAddress(text)!;
      const view = new DataView(octets.buffer, octets.byteOffset);
      const word = (i: number) => view.getInt32(4 * i);
      return octets.length === 4
        ? lookup.ipv4(unit, word(0))
        : lookup.ipv6(unit, word(0), word(1), word(2), word(3));
    },
  };
}

describe("the map of subscribers' addresses", () => {
  it("finds addresses of both families in their own unit, by the longest prefix", () => {
    const { add, find } = make();
    add(1, "198.51.100.7", 10);
    add(1, "198.51.100.0/24", 11);
    add(1, "2001:db8:1::/64", 12);
    add(1, "2001:db8:1::5", 13);
    add(2, "198.51.100.7", 14);
    add(1, "0.0.0.0/0", 15);
    expect(find(1, "198.51.100.7")).toBe(10);
    expect(find(1, "198.51.100.8")).toBe(11);
    expect(find(1, "203.0.113.1")).toBe(15);
    expect(find(2, "198.51.100.7")).toBe(14);
    expect(find(2, "198.51.100.8")).toBe(0);
    expect(find(1, "2001:db8:1::5")).toBe(13);
    expect(find(1, "2001:db8:1::6")).toBe(12);
    expect(find(1, "2001:db8:2::6")).toBe(0);
  });

  it("stays right while prefixes come and go, long enough to fill its table with traces of them", () => {
    const pool = [
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.0/24",
      "10.0.0.0/8",
      "2001:db8::1",
      "2001:db8::/64",
      "2001:db8::/48",
    ];
    const probes = [
      "10.0.0.1",
      "10.0.0.2",
      "10.0.0.3",
      "10.9.9.9",
      "2001:db8::1",
      "2001:db8::2",
      "2001:db8:0:1::1",
    ];
    // by the prefix of each, longest first
    const holders = new Map(
      probes.map((probe) => [
        probe,
        pool
          .filter((prefix) => cidrContains(prefixOf(prefix), parseIpAddress(probe)!))
          .sort((a, b) => prefixOf(b).prefixLength - prefixOf(a).prefixLength),
      ]),
    );
    fc.assert(
      fc.property(fc.array(fc.nat({ max: pool.length - 1 }), { minLength: 300, maxLength: 600 }), (steps) => {
        const { map, add, find } = make();
        const model = new Map<string, { record: number; channel: number }>();
        for (const [i, step] of steps.entries()) {
          const text = pool[step]!;
          const entry = model.get(text);
          if (entry === undefined) {
            model.set(text, { record: add(1, text, i + 1)!, channel: i + 1 });
          } else {
            map.remove(entry.record);
            map.release(entry.record);
            model.delete(text);
            if (map.rebuildIfCrowded()) map.otherIsFree();
          }
          for (const probe of probes) {
            const holder = holders.get(probe)!.find((prefix) => model.has(prefix));
            const expected = holder === undefined ? 0 : model.get(holder)!.channel;
            // expect() for each would take longer than all else
            if (find(1, probe) !== expected) expect.fail(`${probe} after step ${i} is not ${expected}'s`);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it("moves to a clean table before searches get long", () => {
    const { map, add, find } = make();
    let rebuilt = 0;
    for (let i = 0; i < 16 * addressCapacity(SIZES); i++) {
      const record = add(1, `10.${i >>> 16}.${(i >>> 8) & 255}.${i & 255}`, 1)!;
      map.remove(record);
      map.release(record);
      if (!map.rebuildIfCrowded()) continue;
      rebuilt += 1;
      map.otherIsFree();
    }
    expect(rebuilt).toBeGreaterThan(1);
    expect(find(1, "10.0.0.1")).toBe(0);
  });
});
