import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, fromUtf8, toHex, utf8 } from "../../src/base/bytes.ts";
import { parseEthernet } from "../../src/wire/ethernet.ts";
import {
  type DiscoveryPacket,
  emitDiscovery,
  PADI,
  PADO,
  PADR,
  PADS,
  PADT,
  PPPOE_BAD_VERSION,
  PPPOE_TRUNCATED,
  parseDiscovery,
  pppoePayloadLength,
  writePppoeHeader,
} from "../../src/wire/pppoe.ts";
import { TAG_GENERIC_ERROR } from "../../src/wire/pppoe-tags.ts";
import { DEBIAN_EXCHANGE, RFC2516_PADO } from "../vectors/pppoe-debian.ts";

const COOKIE = fromHex("56f71f1f79469ae642f2c55e8607ad1567150000");
const ISP = { type: 0x0101, value: utf8("isp") };
const UNIQ = { type: 0x0103, value: utf8("15b4") };

function text(type: number, value: string) {
  return { type, value: utf8(value) };
}

const GOLDEN: readonly (readonly [string, string, DiscoveryPacket])[] = [
  ["Debian's PADI", DEBIAN_EXCHANGE.padi, { code: PADI, sessionId: 0, tags: [ISP, UNIQ] }],
  [
    "Debian's PADO",
    DEBIAN_EXCHANGE.pado,
    {
      code: PADO,
      sessionId: 0,
      tags: [text(0x0102, "Debian AC"), ISP, { type: 0x0104, value: COOKIE }, UNIQ],
    },
  ],
  [
    "Debian's PADR",
    DEBIAN_EXCHANGE.padr,
    { code: PADR, sessionId: 0, tags: [ISP, UNIQ, { type: 0x0104, value: COOKIE }] },
  ],
  ["Debian's PADS", DEBIAN_EXCHANGE.pads, { code: PADS, sessionId: 1, tags: [ISP, UNIQ] }],
  [
    "Debian's PADT",
    DEBIAN_EXCHANGE.padtOfServer,
    { code: PADT, sessionId: 1, tags: [text(0x0203, "RP-PPPoE: Child pppd process terminated")] },
  ],
  [
    "the PADO of RFC 2516",
    RFC2516_PADO,
    { code: PADO, sessionId: 0, tags: [text(0x0101, ""), text(0x0102, "Go RedBack - eshsheshoot")] },
  ],
];

const packet: fc.Arbitrary<DiscoveryPacket> = fc.record({
  code: fc.nat(255),
  sessionId: fc.nat(0xffff),
  tags: fc.array(
    fc.record({ type: fc.integer({ min: 1, max: 0xffff }), value: fc.uint8Array({ maxLength: 30 }) }),
    { maxLength: 8 },
  ),
});

describe("PPPoE discovery packets", () => {
  it.each(GOLDEN)("%s is read and written", (_name, hex, value) => {
    const { payload } = parseEthernet(fromHex(hex))!;
    expect(parseDiscovery(payload)).toEqual(value);
    expect(toHex(emitDiscovery(value))).toBe(toHex(payload));
  });

  it("may be followed by the padding of a short frame", () => {
    const { payload } = parseEthernet(fromHex(DEBIAN_EXCHANGE.pads))!;
    expect(parseDiscovery(concatBytes(payload, new Uint8Array(25).fill(0xee)))).toEqual(GOLDEN[3]![2]);
  });

  it("end at End-Of-List, whatever follows", () => {
    const read = parseDiscovery(fromHex("1109 0000 000a 01010000 00000000 ffff"));
    expect(read).toEqual({ code: PADI, sessionId: 0, tags: [text(0x0101, "")] });
  });

  it("tell the reason of a PADT", () => {
    const { payload } = parseEthernet(fromHex(DEBIAN_EXCHANGE.padtOfClient))!;
    const read = parseDiscovery(payload) as DiscoveryPacket;
    const reason = read.tags.find(({ type }) => type === TAG_GENERIC_ERROR);
    expect(fromUtf8(reason!.value)).toBe("Received PADT from peer");
  });

  it.each([
    ["", "truncated"],
    ["11", "truncated"],
    ["1109 0000 00", "truncated"],
    ["1109 0000 0001", "truncated"],
    ["1109 0000 ffff 01010000", "truncated"],
    ["2109 0000 0004 01010000", "bad-version"],
    ["1209 0000 0004 01010000", "bad-version"],
    ["1009 0000 0000", "bad-version"],
    ["1109 0000 0003 010100", "bad-tag"],
    ["1109 0000 0004 01010001", "bad-tag"],
    ["1109 0000 0004 0101ffff", "bad-tag"],
    ["1109 0000 0005 01010000 01", "bad-tag"],
    // the value lies in the padding
    ["1109 0000 0004 01010002 6162", "bad-tag"],
  ])("%j is refused: %s", (hex, reason) => {
    expect(parseDiscovery(fromHex(hex))).toBe(reason);
  });

  it("come back from what was written", () => {
    fc.assert(
      fc.property(packet, (value) => {
        expect(parseDiscovery(emitDiscovery(value))).toEqual(value);
      }),
    );
  });

  it("of damaged octets are refused or read again to the same", () => {
    fc.assert(
      fc.property(packet, fc.nat(), fc.nat(255), fc.nat(20), (value, position, octet, cut) => {
        const bytes = emitDiscovery(value);
        bytes[position % bytes.length] = octet;
        const read = parseDiscovery(bytes.subarray(0, bytes.length - Math.min(cut, bytes.length)));
        if (typeof read !== "string") expect(parseDiscovery(emitDiscovery(read))).toEqual(read);
      }),
    );
  });
});

describe("the PPPoE header in place", () => {
  const bytes = concatBytes(new Uint8Array(3), fromHex("1100 1234 0004 c0210901 ee ee"));

  it("gives the length of its payload, not that of the frame", () => {
    expect(pppoePayloadLength(bytes, 3, bytes.length - 3)).toBe(4);
    expect(pppoePayloadLength(bytes, 3, 10)).toBe(4);
  });

  it("is refused when the payload is cut off or the version is another", () => {
    expect(pppoePayloadLength(bytes, 3, 9)).toBe(PPPOE_TRUNCATED);
    expect(pppoePayloadLength(bytes, 3, 5)).toBe(PPPOE_TRUNCATED);
    expect(pppoePayloadLength(bytes, 0, bytes.length)).toBe(PPPOE_BAD_VERSION);
  });

  it("is written as it is read", () => {
    const written = new Uint8Array(9);
    writePppoeHeader(written, 3, 0, 0x1234, 4);
    expect(toHex(written)).toBe("000000110012340004");
  });
});
