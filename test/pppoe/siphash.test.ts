import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SIPHASH_BYTES, SIPHASH_KEY_BYTES, sipHash } from "../../src/pppoe/siphash.ts";

const counting = (length: number) => Uint8Array.from({ length }, (_, i) => i);

function hash(key: Uint8Array, message: Uint8Array): string {
  const out = new Uint8Array(SIPHASH_BYTES);
  sipHash(key, message, out, 0);
  return toHex(out);
}

describe("SipHash-2-4", () => {
  // the paper's appendix A is the one of 15 octets; all are what OpenSSL's SIPHASH says
  it.each([
    [0, "310e0edd47db6f72"],
    [1, "fd67dc93c539f874"],
    [3, "2d7efbd796666785"],
    [8, "6224939a79f5f593"],
    [15, "e545be4961ca29a1"],
    [23, "c8ce5ccd8c030ca8"],
    [24, "94af49f6c650adb8"],
  ])("of the octets 0, 1, 2… under the key 00 to 0f, %d of them", (length, expected) => {
    expect(hash(counting(SIPHASH_KEY_BYTES), counting(length))).toBe(expected);
  });

  it("is another one under every key, and stands where it was asked for", () => {
    const keys = Array.from({ length: 128 }, (_, bit) => {
      const key = counting(SIPHASH_KEY_BYTES);
      key[bit >> 3]! ^= 1 << (bit & 7);
      return key;
    });
    expect(new Set(keys.map((key) => hash(key, counting(24)))).size).toBe(128);
    const out = new Uint8Array(12);
    sipHash(counting(SIPHASH_KEY_BYTES), counting(1), out, 2);
    expect(toHex(out)).toBe("0000fd67dc93c539f8740000");
  });
});
