import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  concatBytes,
  equalBytes,
  fromHex,
  fromUtf8,
  readU16,
  readU32,
  toHex,
  utf8,
  utf8Within,
  writeU16,
  writeU32,
} from "../../src/base/bytes.ts";

describe("octets", () => {
  it("are read and written in network order at any offset", () => {
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(0xffffffff), fc.nat(5), (u16, u32, offset) => {
        const bytes = new Uint8Array(offset + 6);
        const view = new DataView(bytes.buffer);
        writeU16(bytes, offset, u16);
        writeU32(bytes, offset + 2, u32);
        expect([view.getUint16(offset), view.getUint32(offset + 2)]).toEqual([u16, u32]);
        expect([readU16(bytes, offset), readU32(bytes, offset + 2)]).toEqual([u16, u32]);
      }),
    );
  });

  it("become hexadecimal and come back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString("hex"));
        expect(fromHex(toHex(bytes))).toEqual(bytes);
      }),
    );
    expect(fromHex("02:00 5E\n10")).toEqual(Uint8Array.of(2, 0, 0x5e, 0x10));
  });

  it.each(["0", "0g", "abc", "0x00"])("that are not hexadecimal are refused: %s", (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });

  it("are joined and compared by value", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 6 }), (parts) => {
        expect(concatBytes(...parts)).toEqual(Uint8Array.from(parts.flatMap((part) => [...part])));
      }),
    );
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 3))).toBe(false);
  });

  it("are UTF-8 and stay readable where they are not", () => {
    expect(fromUtf8(utf8("Zürich"))).toBe("Zürich");
    expect(fromUtf8(Uint8Array.of(0x61, 0xff))).toBe("a�");
  });

  it("are UTF-8 with a byte order mark, too, which stays", () => {
    expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(fromUtf8(utf8(text))).toBe(text);
      }),
    );
  });

  it("are cut to a length between two characters", () => {
    expect(fromUtf8(utf8Within("Zürich", 2))).toBe("Z");
    expect(fromUtf8(utf8Within("Zürich", 3))).toBe("Zü");
    expect(fromUtf8(utf8Within("a😀", 4))).toBe("a");
    expect(fromUtf8(utf8Within("Zürich", 7))).toBe("Zürich");
    expect(utf8Within("Zürich", 0)).toEqual(new Uint8Array(0));
  });
});
