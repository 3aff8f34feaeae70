import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, readU16, toHex } from "../../src/base/bytes.ts";
import {
  type EthernetFrame,
  emitEthernet,
  etherTypeOffset,
  formatMac,
  isStationMac,
  parseEthernet,
  parseMac,
  sameVlans,
} from "../../src/wire/ethernet.ts";

const MACS = "020000000001 0200000000fe";
const destination = fromHex("020000000001");
const source = fromHex("0200000000fe");

const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
const tag = fc.record({ tpid: fc.constantFrom(0x8100, 0x88a8, 0x9100), tci: fc.nat(0xffff) });
const frame: fc.Arbitrary<EthernetFrame> = fc.record({
  destination: mac,
  source: mac,
  tags: fc.array(tag, { maxLength: 2 }),
  etherType: fc.constantFrom(0x0800, 0x8863, 0x8864, 0x86dd, 0x0026),
  payload: fc.uint8Array({ maxLength: 80 }),
});

describe("Ethernet frames", () => {
  it.each([
    ["untagged", `${MACS} 8864 1100`, [], 12],
    ["under one tag", `${MACS} 8100 6064 8864 1100`, [{ tpid: 0x8100, tci: 0x6064 }], 16],
    [
      "under two tags",
      `${MACS} 88a8 0007 8100 0fff 8864 1100`,
      [
        { tpid: 0x88a8, tci: 7 },
        { tpid: 0x8100, tci: 0x0fff },
      ],
      20,
    ],
    ["under the old outer tag", `${MACS} 9100 0007 8864 1100`, [{ tpid: 0x9100, tci: 7 }], 16],
  ])("%s are read and written", (_name, hex, tags, typeAt) => {
    const bytes = fromHex(hex);
    const value = { destination, source, tags, etherType: 0x8864, payload: Uint8Array.of(0x11, 0) };
    expect(parseEthernet(bytes)).toEqual(value);
    expect(toHex(emitEthernet(value))).toBe(toHex(bytes));
    expect(etherTypeOffset(bytes, 0, bytes.length)).toBe(typeAt);
  });

  it("are found in place behind other octets, and end where the length says", () => {
    const bytes = concatBytes(new Uint8Array(7), fromHex(`${MACS} 8100 0001 8864 1100`), new Uint8Array(9));
    expect(etherTypeOffset(bytes, 7, 20)).toBe(7 + 16);
    expect(etherTypeOffset(bytes, 7, 18)).toBe(7 + 16);
    expect(etherTypeOffset(bytes, 7, 17)).toBe(-1);
  });

  it.each([0, 1, 6, 13])("of %d octets are too short", (length) => {
    expect(parseEthernet(new Uint8Array(length))).toBeUndefined();
  });

  it.each(["8100 0001", "8100 0001 88", "8100 0001 8100 0002", "8100 00"])(
    "that end within their tags are too short: %s",
    (rest) => {
      expect(parseEthernet(fromHex(MACS + rest))).toBeUndefined();
    },
  );

  it("under three tags have an EtherType that nobody serves", () => {
    const bytes = fromHex(`${MACS} 88a8 0001 8100 0002 8100 0003 8864 1100`);
    expect(parseEthernet(bytes)?.etherType).toBe(0x8100);
  });

  it("come back from what was written, and the view finds what the value has", () => {
    fc.assert(
      fc.property(frame, (value) => {
        const bytes = emitEthernet(value);
        expect(parseEthernet(bytes)).toEqual(value);
        expect(readU16(bytes, etherTypeOffset(bytes, 0, bytes.length))).toBe(value.etherType);
      }),
    );
  });

  it("of random octets never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const value = parseEthernet(bytes);
        if (value !== undefined) expect(emitEthernet(value)).toEqual(bytes);
      }),
    );
  });
});

describe("MAC addresses", () => {
  it("are read and written as text", () => {
    expect(formatMac(source)).toBe("02:00:00:00:00:fe");
    expect(parseMac("02:00:00:00:00:FE")).toEqual(source);
    for (const text of ["", "02:00:00:00:00", "02:00:00:00:00:fe:", "2:0:0:0:0:fe", "0200000000fe"])
      expect(parseMac(text)).toBeUndefined();
  });

  it("of groups and of nobody belong to no station", () => {
    expect(isStationMac(source)).toBe(true);
    expect(isStationMac(fromHex("ffffffffffff"))).toBe(false);
    expect(isStationMac(fromHex("01005e000001"))).toBe(false);
    expect(isStationMac(new Uint8Array(6))).toBe(false);
  });
});

describe("VLANs", () => {
  it("are the same under another priority, and not under another TPID, id or number of tags", () => {
    const tags = [{ tpid: 0x8100, tci: 0x0064 }];
    expect(sameVlans(tags, [{ tpid: 0x8100, tci: 0xf064 }])).toBe(true);
    expect(sameVlans(tags, [{ tpid: 0x88a8, tci: 0x0064 }])).toBe(false);
    expect(sameVlans(tags, [{ tpid: 0x8100, tci: 0x0065 }])).toBe(false);
    expect(sameVlans(tags, [])).toBe(false);
    expect(sameVlans(tags, [...tags, ...tags])).toBe(false);
  });
});
