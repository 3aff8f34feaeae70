import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { emitPpp, parsePpp, pppHeaderBytes, pppProtocol } from "../../src/wire/ppp.ts";

describe("PPP frames", () => {
  const golden = [
    { name: "LCP", hex: "c021 01010004", protocol: 0xc021, information: "01010004" },
    { name: "IPv4", hex: "0021 4500", protocol: 0x0021, information: "4500" },
    { name: "an empty Information field", hex: "8021", protocol: 0x8021, information: "" },
  ];
  it.each(golden)("reads and writes $name", ({ hex, protocol, information }) => {
    expect(parsePpp(fromHex(hex))).toEqual({ protocol, information: fromHex(information) });
    expect(toHex(emitPpp(protocol, fromHex(information)))).toBe(hex.replaceAll(" ", ""));
  });

  it.each([
    { name: "address and control", hex: "ff03 c021 0101", protocol: 0xc021, information: "0101" },
    { name: "a compressed protocol", hex: "21 4500", protocol: 0x21, information: "4500" },
    { name: "both", hex: "ff03 21 4500", protocol: 0x21, information: "4500" },
    { name: "a protocol whose last octet is even", hex: "c022 01", protocol: 0xc022, information: "01" },
  ])("reads $name", ({ hex, protocol, information }) => {
    expect(parsePpp(fromHex(hex))).toEqual({ protocol, information: fromHex(information) });
  });

  it.each([
    { name: "nothing", hex: "" },
    { name: "half a protocol field", hex: "c0" },
    { name: "only address and control", hex: "ff03" },
    { name: "address, control and half a protocol field", hex: "ff03 c0" },
  ])("refuses $name", ({ hex }) => {
    expect(parsePpp(fromHex(hex))).toBeUndefined();
  });

  it("is read in place at any offset", () => {
    const bytes = fromHex("aaaa ff03 0021 45");
    expect(pppHeaderBytes(bytes, 2, 5)).toBe(4);
    expect(pppProtocol(bytes, 2, 4)).toBe(0x21);
    expect(pppHeaderBytes(bytes, 4, 3)).toBe(2);
    expect(pppProtocol(bytes, 4, 2)).toBe(0x21);
  });

  it("reads what it wrote, and never throws", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7fff }), fc.uint8Array(), (n, information) => {
        const protocol = ((n << 1) | 1) & 0xfeff; // odd, with an even first octet, as RFC 1661 §2 has them
        expect(parsePpp(emitPpp(protocol, information))).toEqual({ protocol, information });
        parsePpp(information);
      }),
    );
  });
});
