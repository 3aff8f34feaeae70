import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { emitPap, type PapPacket, parsePap } from "../../src/wire/pap.ts";

/** Laid out after the diagrams of RFC 1334 §2.2. */
const GOLDEN: readonly { hex: string; packet: PapPacket }[] = [
  {
    hex: "01 07 0010 05 616c696365 05 776f6e6472",
    packet: {
      kind: "authenticate-request",
      identifier: 7,
      peerId: utf8("alice"),
      password: utf8("wondr"),
    },
  },
  {
    hex: "01 08 0006 00 00",
    packet: {
      kind: "authenticate-request",
      identifier: 8,
      peerId: new Uint8Array(0),
      password: new Uint8Array(0),
    },
  },
  { hex: "02 07 0007 02 4f4b", packet: { kind: "authenticate-ack", identifier: 7, message: utf8("OK") } },
  { hex: "03 07 0005 00", packet: { kind: "authenticate-nak", identifier: 7, message: new Uint8Array(0) } },
];

describe("PAP packets", () => {
  it.each(GOLDEN)("reads and writes $packet.kind $hex", ({ hex, packet }) => {
    expect(parsePap(fromHex(hex))).toEqual(packet);
    expect(toHex(emitPap(packet))).toBe(hex.replaceAll(" ", ""));
  });

  it("reads an Ack without Msg-Length", () => {
    expect(parsePap(fromHex("02070004"))).toEqual({
      kind: "authenticate-ack",
      identifier: 7,
      message: new Uint8Array(0),
    });
  });

  it.each([
    { name: "a request without Peer-Id", hex: "01070004" },
    { name: "a Peer-Id longer than the packet", hex: "01070006 0561" },
    { name: "a request without a password", hex: "01070006 0161" },
    { name: "a password longer than the packet", hex: "01070008 0161 0261" },
    { name: "a message longer than the packet", hex: "03070006 0261" },
    { name: "an unknown code", hex: "04070004" },
  ])("refuses $name", ({ hex }) => {
    expect(parsePap(fromHex(hex))).toBeUndefined();
  });

  it("reads what it wrote", () => {
    const octets = fc.uint8Array({ maxLength: 255 });
    fc.assert(
      fc.property(fc.nat(255), octets, octets, (identifier, peerId, password) => {
        const request: PapPacket = { kind: "authenticate-request", identifier, peerId, password };
        expect(parsePap(emitPap(request))).toEqual(request);
        const nak: PapPacket = { kind: "authenticate-nak", identifier, message: peerId };
        expect(parsePap(emitPap(nak))).toEqual(nak);
      }),
    );
  });
});
