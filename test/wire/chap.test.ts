import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { type ChapPacket, emitChap, parseChap } from "../../src/wire/chap.ts";

/** Laid out after the diagrams of RFC 1994 §4. */
const GOLDEN: readonly { hex: string; packet: ChapPacket }[] = [
  {
    hex: "01 10 000c 04 01020304 6c6e73",
    packet: { kind: "challenge", identifier: 16, value: fromHex("01020304"), name: utf8("lns") },
  },
  {
    hex: "02 10 0018 10 000102030405060708090a0b0c0d0e0f 626f62",
    packet: {
      kind: "response",
      identifier: 16,
      value: fromHex("000102030405060708090a0b0c0d0e0f"),
      name: utf8("bob"),
    },
  },
  { hex: "03 10 0004", packet: { kind: "success", identifier: 16, message: new Uint8Array(0) } },
  { hex: "04 10 0006 6e6f", packet: { kind: "failure", identifier: 16, message: utf8("no") } },
];

describe("CHAP packets", () => {
  it.each(GOLDEN)("reads and writes $packet.kind", ({ hex, packet }) => {
    expect(parseChap(fromHex(hex))).toEqual(packet);
    expect(toHex(emitChap(packet))).toBe(hex.replaceAll(" ", ""));
  });

  it.each([
    { name: "a challenge without Value-Size", hex: "01100004" },
    { name: "an empty value", hex: "01100006 00 61" },
    { name: "a value longer than the packet", hex: "02100007 03 0102" },
    { name: "an unknown code", hex: "05100004" },
  ])("refuses $name", ({ hex }) => {
    expect(parseChap(fromHex(hex))).toBeUndefined();
  });

  it("reads what it wrote", () => {
    const octets = fc.uint8Array({ minLength: 1, maxLength: 255 });
    fc.assert(
      fc.property(fc.nat(255), octets, octets, (identifier, value, name) => {
        const response: ChapPacket = { kind: "response", identifier, value, name };
        expect(parseChap(emitChap(response))).toEqual(response);
        const failure: ChapPacket = { kind: "failure", identifier, message: name };
        expect(parseChap(emitChap(failure))).toEqual(failure);
      }),
    );
  });
});
