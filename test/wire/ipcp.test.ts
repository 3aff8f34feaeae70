import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../src/base/bytes.ts";
import { emitIpcpOption, type IpcpOption, parseIpcpOption } from "../../src/wire/ipcp.ts";

const address = Uint8Array.of(192, 0, 2, 1);

/** Types of RFC 1332 §3 and RFC 1877 §1. */
const OPTIONS: readonly { hex: string; option: IpcpOption }[] = [
  { hex: "02 002d0f01", option: { kind: "ip-compression", protocol: 0x002d, data: fromHex("0f01") } },
  { hex: "03 c0000201", option: { kind: "ip-address", address } },
  { hex: "81 c0000201", option: { kind: "primary-dns", address } },
  { hex: "82 c0000201", option: { kind: "primary-nbns", address } },
  { hex: "83 c0000201", option: { kind: "secondary-dns", address } },
  { hex: "84 c0000201", option: { kind: "secondary-nbns", address } },
  {
    hex: "01 c0000201c0000202",
    option: { kind: "unknown", type: 1, data: fromHex("c0000201c0000202") },
  },
  { hex: "02 00", option: { kind: "malformed", type: 2, data: fromHex("00") } },
  { hex: "03 c00002", option: { kind: "malformed", type: 3, data: fromHex("c00002") } },
  { hex: "81 c000020100", option: { kind: "malformed", type: 0x81, data: fromHex("c000020100") } },
];

describe("IPCP options", () => {
  it.each(OPTIONS)("reads and writes $option.kind of $hex", ({ hex, option }) => {
    const octets = fromHex(hex);
    const raw = { type: octets[0]!, data: octets.slice(1) };
    expect(parseIpcpOption(raw)).toEqual(option);
    expect(emitIpcpOption(option)).toEqual(raw);
  });

  it("writes again what it read", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 10 }), (type, data) => {
        expect(emitIpcpOption(parseIpcpOption({ type, data }))).toEqual({ type, data });
      }),
    );
  });
});
