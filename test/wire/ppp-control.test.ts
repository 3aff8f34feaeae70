import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import {
  emitControlPacket,
  emitOptions,
  parseControlPacket,
  parseOptions,
} from "../../src/wire/ppp-control.ts";

describe("control packets", () => {
  it("reads and writes code, identifier and data", () => {
    const packet = { code: 5, identifier: 0x2a, data: fromHex("627965") };
    expect(toHex(emitControlPacket(packet))).toBe("052a0007627965");
    expect(parseControlPacket(fromHex("052a0007627965"))).toEqual(packet);
  });

  it("leaves padding out", () => {
    expect(parseControlPacket(fromHex("09010008 00000000 0000"))?.data).toEqual(new Uint8Array(4));
  });

  it.each([
    { name: "a short header", hex: "010100" },
    { name: "a length below the header", hex: "01010003" },
    { name: "a length beyond the packet", hex: "01010005" },
  ])("refuses $name", ({ hex }) => {
    expect(parseControlPacket(fromHex(hex))).toBeUndefined();
  });

  it("gives options that are copies, also of a Buffer", () => {
    const buffer = Buffer.from(fromHex("ffff 01010008 010405d4")).subarray(2);
    const options = parseOptions(parseControlPacket(buffer)!.data)!;
    buffer.fill(0);
    expect(options).toEqual([{ type: 1, data: fromHex("05d4") }]);
  });

  it("reads what it wrote", () => {
    fc.assert(
      fc.property(fc.nat(255), fc.nat(255), fc.uint8Array({ maxLength: 300 }), (code, identifier, data) => {
        expect(parseControlPacket(emitControlPacket({ code, identifier, data }))).toEqual({
          code,
          identifier,
          data,
        });
      }),
    );
  });
});

describe("Configuration Options", () => {
  it.each([
    { name: "half a header", hex: "01" },
    { name: "length 0", hex: "0100" },
    { name: "length 1", hex: "010100" },
    { name: "a length beyond the packet", hex: "010405" },
    { name: "a good one and half of another", hex: "010405d4 05" },
  ])("refuses $name", ({ hex }) => {
    expect(parseOptions(fromHex(hex))).toBeUndefined();
  });

  it("writes what it read: whatever parses is the same again", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (data) => {
        const options = parseOptions(data);
        if (options !== undefined) expect(emitOptions(options)).toEqual(data);
      }),
    );
    const option = fc.record({ type: fc.nat(255), data: fc.uint8Array({ maxLength: 253 }) });
    fc.assert(
      fc.property(fc.array(option, { maxLength: 5 }), (options) => {
        expect(parseOptions(emitOptions(options))).toEqual(options);
      }),
    );
  });
});
