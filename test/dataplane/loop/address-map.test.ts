import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressLookup, AddressMap } from "../../../src/dataplane/loop/address-map.ts";
import { addressCapacity, Tables } from "../../../src/dataplane/loop/tables.ts";
import { prefixOf } from "../../../src/dataplane/specs.ts";
import { cidrContains, parseIpAddress } from "../../../src/wire/ip-address.ts";

const SIZES = { workers: 1, ports: 1, peers: 1, channels: 16, units: 2 };

function make(sizes = SIZES) {
  const tables = Tables.view(sizes, Tables.allocate(sizes));
  const map = new AddressMap(tables.subscribers);
  const lookup = new AddressLookup(tables.subscribers);
  return {
    map,
    table: tables.subscribers,
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

  it("finds each of 100,000 subscribers by few steps, and nobody by an address between them", () => {
    const { map, table } = make({ ...SIZES, channels: 131_072 });
    const lookup = new AddressLookup(table);
    const subscribers = 100_000;
    /** As pools give them out: one after the other, and a /56 of IPv6 and now and then a network for each. */
    const ipv4Of = (i: number) => (0x64400000 + 2 * i) | 0;
    const network = (i: number) => (0x0a000000 + (i << 8)) | 0;
    const octets = (...words: readonly number[]) => {
      const bytes = new Uint8Array(4 * words.length);
      for (const [i, word] of words.entries()) new DataView(bytes.buffer).setInt32(4 * i, word);
      return bytes;
    };
    for (let i = 0; i < subscribers; i++) {
      map.add(1, octets(ipv4Of(i)), 32, i + 1);
      map.add(1, octets(0x20010db8, i << 8, 0, 0), 56, i + 1);
      if (i % 10 === 0) map.add(1, octets(network(i)), 24, i + 1);
    }
    map.add(1, octets(0x20010db8, 5 << 8, 0, 7), 128, 99);
    let wrong = 0;
    for (let i = 0; i < subscribers; i++) {
      if (lookup.ipv4(1, ipv4Of(i)) !== i + 1 || lookup.ipv4(1, ipv4Of(i) + 1) !== 0) wrong += 1;
      if (lookup.ipv4(2, ipv4Of(i)) !== 0) wrong += 1;
      if (lookup.ipv4(1, network(i) + (i & 0xff)) !== (i % 10 === 0 ? i + 1 : 0)) wrong += 1;
      if (lookup.ipv6(1, 0x20010db8, (i << 8) | (i & 0xff), i, 1) !== i + 1) wrong += 1;
    }
    expect(wrong).toBe(0);
    expect(lookup.ipv6(1, 0x20010db8, 5 << 8, 0, 7)).toBe(99);
    expect(lookup.ipv6(1, 0x20010db8, subscribers << 8, 0, 1)).toBe(0);
    // a search ends at the first bucket that is empty
    const buckets = table.hash.length / 2;
    let run = 0;
    let longest = 0;
    for (let bucket = 0; bucket < buckets; bucket++) {
      run = table.hash[bucket] === 0 ? 0 : run + 1;
      longest = Math.max(longest, run);
    }
    expect(longest).toBeGreaterThan(0);
    expect(longest).toBeLessThan(64);
  });
});
