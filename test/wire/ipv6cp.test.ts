import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../src/base/bytes.ts";
import { emitIpv6cpOption, type Ipv6cpOption, parseIpv6cpOption } from "../../src/wire/ipv6cp.ts";

/** Types of RFC 5072 §4. */
const OPTIONS: readonly { hex: string; option: Ipv6cpOption }[] = [
  {
    hex: "01 0211223344556677",
    option: { kind: "interface-identifier", identifier: fromHex("0211223344556677") },
  },
  { hex: "01 02112233", option: { kind: "malformed", type: 1, data: fromHex("02112233") } },
  { hex: "02 004f", option: { kind: "unknown", type: 2, data: fromHex("004f") } },
];

describe("IPV6CP options", () => {
  it.each(OPTIONS)("reads and writes $option.kind of $hex", ({ hex, option }) => {
    const octets = fromHex(hex);
    const raw = { type: octets[0]!, data: octets.slice(1) };
    expect(parseIpv6cpOption(raw)).toEqual(option);
    expect(emitIpv6cpOption(option)).toEqual(raw);
  });

  it("writes again what it read", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.uint8Array({ maxLength: 10 }), (type, data) => {
        expect(emitIpv6cpOption(parseIpv6cpOption({ type, data }))).toEqual({ type, data });
      }),
    );
  });
});
