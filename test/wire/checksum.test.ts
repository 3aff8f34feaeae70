import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, readU16, writeU16 } from "../../src/base/bytes.ts";
import { internetChecksum, updateChecksum } from "../../src/wire/checksum.ts";

describe("the Internet checksum", () => {
  it("of RFC 1071's example is what it says", () => {
    expect(internetChecksum(fromHex("0001 f203 f4f5 f6f7"), 0, 8)).toBe(~0xddf2 & 0xffff);
  });

  it("takes an odd last octet as if a zero followed", () => {
    expect(internetChecksum(fromHex("01f203"), 0, 3)).toBe(internetChecksum(fromHex("01f20300"), 0, 4));
  });

  it("of the largest packet does not overflow", () => {
    expect(internetChecksum(new Uint8Array(65535).fill(0xff), 0, 65534)).toBe(0);
  });

  it("updated in place is what a full computation gives", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 4, maxLength: 40 }).filter((bytes) => bytes.some((octet) => octet !== 0)),
        fc.nat(),
        fc.nat(0xffff),
        (bytes, position, after) => {
          const at = (position % (bytes.length - 1)) & ~1;
          const before = readU16(bytes, at);
          const checksum = internetChecksum(bytes, 0, bytes.length);
          const changed = Uint8Array.from(bytes);
          writeU16(changed, at, after);
          // all zero is the one case in which the two zeroes of one's complement differ (RFC 1624 §3)
          fc.pre(changed.some((octet) => octet !== 0));
          expect(updateChecksum(checksum, before, after)).toBe(internetChecksum(changed, 0, changed.length));
        },
      ),
    );
  });

  it("of RFC 1624's example is right where RFC 1141's was not", () => {
    expect(updateChecksum(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
  });
});
