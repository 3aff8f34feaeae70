import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, toHex, utf8 } from "../../src/base/bytes.ts";
import { md5 } from "../../src/wire/md5.ts";

describe("MD5", () => {
  it.each([
    ["", "d41d8cd98f00b204e9800998ecf8427e"],
    ["abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
  ])("of RFC 1321's test suite: %j", (text, digest) => {
    expect(toHex(md5(utf8(text)))).toBe(digest);
  });

  it("is the system's, of any number of parts of any length", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 150 }), { maxLength: 4 }), (parts) => {
        const expected = createHash("md5")
          .update(concatBytes(...parts))
          .digest("hex");
        expect(toHex(md5(...parts))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });

  it.each([55, 56, 63, 64, 119, 120, 1000])("is the system's at the edge of a block: %i octets", (length) => {
    const bytes = new Uint8Array(length).fill(length);
    expect(toHex(md5(bytes))).toBe(createHash("md5").update(bytes).digest("hex"));
  });
});
