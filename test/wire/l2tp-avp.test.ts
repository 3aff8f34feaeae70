import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import { AVP_VALUE_MAX_BYTES, type Avp, emitAvps, parseAvps } from "../../src/wire/l2tp-avp.ts";

const avps: fc.Arbitrary<Avp> = fc.record({
  mandatory: fc.boolean(),
  hidden: fc.boolean(),
  reserved: fc.constant(false),
  vendorId: fc.integer({ min: 0, max: 0xffff }),
  type: fc.integer({ min: 0, max: 0xffff }),
  value: fc.uint8Array({ maxLength: AVP_VALUE_MAX_BYTES }),
});

describe("AVPs", () => {
  it("are read and written with their bits", () => {
    const hex = "8008 0000 0000 0001 c00a 0000 0021 aabbccdd 0006 0de9 0001 400807d0ffff0102".replaceAll(
      " ",
      "",
    );
    const bit = { mandatory: false, hidden: false, reserved: false };
    const values = [
      { ...bit, mandatory: true, vendorId: 0, type: 0, value: fromHex("0001") },
      { ...bit, mandatory: true, hidden: true, vendorId: 0, type: 33, value: fromHex("aabbccdd") },
      { ...bit, vendorId: 3561, type: 1, value: new Uint8Array(0) },
      { ...bit, hidden: true, vendorId: 2000, type: 0xffff, value: fromHex("0102") },
    ];
    expect(parseAvps(fromHex(hex))).toEqual(values);
    expect(toHex(emitAvps(values))).toBe(hex);
  });

  it("are the same after writing and reading", () => {
    fc.assert(
      fc.property(fc.array(avps, { maxLength: 5 }), (list) => {
        expect(parseAvps(emitAvps(list))).toEqual(list);
      }),
    );
  });

  it("show a reserved bit", () => {
    expect(parseAvps(fromHex("8406 0000 0001"))).toMatchObject([{ reserved: true }]);
  });

  it.each([
    ["a header that is cut off", "8006 0000 00"],
    ["a Length below six", "8005 0000 0001"],
    ["a Length of zero", "8000 0000 0001"],
    ["a Length beyond the end", "8009 0000 0001 0000"],
    ["a rest behind the last one", "8006 0000 0001 00"],
  ])("are refused: %s", (_, hex) => {
    expect(parseAvps(fromHex(hex))).toBeUndefined();
  });

  it("never throw, and end, whatever they are read from", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const list = parseAvps(bytes) ?? [];
        expect(list.length * 6).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it("cannot be longer than ten bits can count", () => {
    const avp = { mandatory: true, hidden: false, vendorId: 0, type: 1 };
    expect(emitAvps([{ ...avp, value: new Uint8Array(1017) }])).toHaveLength(1023);
    expect(() => emitAvps([{ ...avp, value: new Uint8Array(1018) }])).toThrow(RangeError);
  });
});
