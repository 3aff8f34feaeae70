import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import {
  CHAP_MD5,
  CHAP_MSCHAP_V2,
  emitLcp,
  emitLcpOption,
  type LcpOption,
  type LcpPacket,
  parseLcp,
  parseLcpOption,
} from "../../src/wire/lcp.ts";

const NONE = new Uint8Array(0);

/** Laid out after the diagrams of RFC 1661 §5 and RFC 1570 §2. */
const PACKETS: readonly { hex: string; packet: LcpPacket }[] = [
  {
    hex: "01 01 0013 0104 05d4 0305 c22305 0506 11223344",
    packet: {
      kind: "configure-request",
      identifier: 1,
      options: [
        { type: 1, data: fromHex("05d4") },
        { type: 3, data: fromHex("c22305") },
        { type: 5, data: fromHex("11223344") },
      ],
    },
  },
  { hex: "02 01 0004", packet: { kind: "configure-ack", identifier: 1, options: [] } },
  {
    hex: "03 02 0008 0104 05d4",
    packet: { kind: "configure-nak", identifier: 2, options: [{ type: 1, data: fromHex("05d4") }] },
  },
  {
    hex: "04 03 0006 0702",
    packet: { kind: "configure-reject", identifier: 3, options: [{ type: 7, data: NONE }] },
  },
  { hex: "05 04 0007 627965", packet: { kind: "terminate-request", identifier: 4, data: utf8("bye") } },
  { hex: "06 04 0004", packet: { kind: "terminate-ack", identifier: 4, data: NONE } },
  {
    hex: "07 05 0008 0f010004",
    packet: { kind: "code-reject", identifier: 5, rejectedPacket: fromHex("0f010004") },
  },
  {
    hex: "08 06 0008 8057 0101",
    packet: {
      kind: "protocol-reject",
      identifier: 6,
      rejectedProtocol: 0x8057,
      rejectedInformation: fromHex("0101"),
    },
  },
  {
    hex: "09 07 000a deadbeef 0102",
    packet: { kind: "echo-request", identifier: 7, magic: 0xdeadbeef, data: fromHex("0102") },
  },
  {
    hex: "0a 07 0008 deadbeef",
    packet: { kind: "echo-reply", identifier: 7, magic: 0xdeadbeef, data: NONE },
  },
  { hex: "0b 08 0008 00000001", packet: { kind: "discard-request", identifier: 8, magic: 1, data: NONE } },
  {
    hex: "0c 09 000a 00000001 6869",
    packet: { kind: "identification", identifier: 9, magic: 1, message: utf8("hi") },
  },
  {
    hex: "0d 0a 000c 00000001 00000e10",
    packet: { kind: "time-remaining", identifier: 10, magic: 1, seconds: 3600, message: NONE },
  },
  { hex: "0e 0b 0005 ff", packet: { kind: "unknown", code: 14, identifier: 11, data: fromHex("ff") } },
];

const OPTIONS: readonly { hex: string; option: LcpOption }[] = [
  { hex: "01 05d4", option: { kind: "mru", mruBytes: 1492 } },
  { hex: "02 000a0000", option: { kind: "accm", map: 0x000a0000 } },
  { hex: "03 c023", option: { kind: "authentication", protocol: 0xc023, data: NONE } },
  { hex: "03 c22305", option: { kind: "authentication", protocol: 0xc223, data: Uint8Array.of(CHAP_MD5) } },
  {
    hex: "03 c22381",
    option: { kind: "authentication", protocol: 0xc223, data: Uint8Array.of(CHAP_MSCHAP_V2) },
  },
  { hex: "04 c025000003e8", option: { kind: "quality", protocol: 0xc025, data: fromHex("000003e8") } },
  { hex: "05 ffffffff", option: { kind: "magic", magic: 0xffffffff } },
  { hex: "07", option: { kind: "pfc" } },
  { hex: "08", option: { kind: "acfc" } },
  { hex: "11 05dc", option: { kind: "unknown", type: 0x11, data: fromHex("05dc") } },
  { hex: "01 05", option: { kind: "malformed", type: 1, data: fromHex("05") } },
  { hex: "02 00", option: { kind: "malformed", type: 2, data: fromHex("00") } },
  { hex: "03 c2", option: { kind: "malformed", type: 3, data: fromHex("c2") } },
  { hex: "03 c223", option: { kind: "malformed", type: 3, data: fromHex("c223") } },
  { hex: "04 c0", option: { kind: "malformed", type: 4, data: fromHex("c0") } },
  { hex: "05 0102030405", option: { kind: "malformed", type: 5, data: fromHex("0102030405") } },
  { hex: "07 00", option: { kind: "malformed", type: 7, data: fromHex("00") } },
  { hex: "08 00", option: { kind: "malformed", type: 8, data: fromHex("00") } },
];

describe("LCP packets", () => {
  it.each(PACKETS)("reads and writes $packet.kind", ({ hex, packet }) => {
    expect(parseLcp(fromHex(hex))).toEqual(packet);
    expect(toHex(emitLcp(packet))).toBe(hex.replaceAll(" ", ""));
  });

  it.each([
    { name: "an option longer than the packet", hex: "01010008 010605d4" },
    { name: "an Echo-Request without a whole magic number", hex: "09010007 000000" },
    { name: "a Protocol-Reject without a whole protocol", hex: "08010005 80" },
    { name: "an Identification without a magic number", hex: "0c010004" },
    { name: "a Time-Remaining without a time", hex: "0d010008 00000001" },
  ])("refuses $name", ({ hex }) => {
    expect(parseLcp(fromHex(hex))).toBeUndefined();
  });

  it("writes again what it read, and never throws", () => {
    fc.assert(
      fc.property(fc.nat(15), fc.uint8Array({ maxLength: 40 }), (code, data) => {
        const bytes = Uint8Array.of(code, 1, 0, data.length + 4, ...data);
        const packet = parseLcp(bytes);
        if (packet !== undefined) expect(emitLcp(packet)).toEqual(bytes);
      }),
    );
  });
});

describe("LCP options", () => {
  it.each(OPTIONS)("reads and writes $option.kind of $hex", ({ hex, option }) => {
    const octets = fromHex(hex);
    const raw = { type: octets[0]!, data: octets.slice(1) };
    expect(parseLcpOption(raw)).toEqual(option);
    expect(emitLcpOption(option)).toEqual(raw);
  });

  it("writes again what it read", () => {
    fc.assert(
      fc.property(fc.nat(20), fc.uint8Array({ maxLength: 10 }), (type, data) => {
        expect(emitLcpOption(parseLcpOption({ type, data }))).toEqual({ type, data });
      }),
    );
  });
});
