import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import {
  emitL2tp,
  isL2tpControl,
  L2TP_BAD_LENGTH,
  L2TP_BAD_VERSION,
  L2TP_TRUNCATED,
  L2TP_TYPE_BIT,
  type L2tpHeader,
  l2tpDataHeaderBytes,
  l2tpNs,
  l2tpPayloadEnd,
  l2tpPayloadStart,
  l2tpSessionId,
  l2tpTunnelId,
  parseL2tp,
  writeL2tpDataHeader,
} from "../../src/wire/l2tp.ts";

const u16 = fc.integer({ min: 0, max: 0xffff });
const headers: fc.Arbitrary<L2tpHeader> = fc
  .record({
    control: fc.boolean(),
    lengthBit: fc.boolean(),
    tunnelId: u16,
    sessionId: u16,
    sequence: fc.option(fc.record({ ns: u16, nr: u16 }), { nil: undefined }),
    offsetBytes: fc.option(fc.integer({ min: 0, max: 40 }), { nil: undefined }),
    priority: fc.boolean(),
  })
  .map(({ sequence, offsetBytes, ...header }) => ({
    ...header,
    ...(sequence !== undefined && { sequence }),
    ...(offsetBytes !== undefined && { offsetBytes }),
  }));

function isPossible(header: L2tpHeader): boolean {
  const { control, lengthBit, sequence, offsetBytes } = header;
  return !control || (lengthBit && sequence !== undefined && offsetBytes === undefined);
}

describe("the L2TP header", () => {
  const payload = fromHex("ff03c021");
  it.each([
    ["nothing optional", "0002 0007 0009", { lengthBit: false }],
    ["L", "4002 000c 0007 0009", { lengthBit: true }],
    ["S", "0802 0007 0009 0005 0006", { lengthBit: false, sequence: { ns: 5, nr: 6 } }],
    ["O", "0202 0007 0009 0002 0000", { lengthBit: false, offsetBytes: 2 }],
    ["P", "0102 0007 0009", { lengthBit: false, priority: true }],
    [
      "L, S, O and P",
      "4b02 0015 0007 0009 0005 0006 0003 000000",
      { lengthBit: true, sequence: { ns: 5, nr: 6 }, offsetBytes: 3, priority: true },
    ],
    [
      "T, L and S",
      "c802 0010 0007 0009 0005 0006",
      { control: true, lengthBit: true, sequence: { ns: 5, nr: 6 } },
    ],
  ])("is read and written with %s", (_, hex, given) => {
    const header = { control: false, priority: false, tunnelId: 7, sessionId: 9, ...given };
    const bytes = concatBytes(fromHex(hex), payload);
    expect(parseL2tp(bytes)).toEqual({ header, payload });
    expect(toHex(emitL2tp(header, payload))).toBe(toHex(bytes));
  });

  it("is the same after writing and reading, whatever its bits", () => {
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 64 }), (header, body) => {
        const parsed = parseL2tp(emitL2tp(header, body));
        if (isPossible(header)) expect(parsed).toEqual({ header, payload: body });
        else expect(parsed).toBe("bad-flags");
      }),
    );
  });

  it("is seen alike in place, at any offset, and as a value", () => {
    fc.assert(
      fc.property(
        headers.filter(isPossible),
        fc.uint8Array({ maxLength: 64 }),
        fc.nat({ max: 9 }),
        (header, body, offset) => {
          const bytes = concatBytes(new Uint8Array(offset).fill(0xee), emitL2tp(header, body));
          const start = l2tpPayloadStart(bytes, offset, bytes.length);
          expect(bytes.subarray(start, l2tpPayloadEnd(bytes, offset, bytes.length))).toEqual(body);
          expect(isL2tpControl(bytes, offset)).toBe(header.control);
          expect(l2tpTunnelId(bytes, offset)).toBe(header.tunnelId);
          expect(l2tpSessionId(bytes, offset)).toBe(header.sessionId);
          expect(l2tpNs(bytes, offset)).toBe(header.sequence?.ns ?? -1);
        },
      ),
    );
  });

  it.each([
    [true, -1],
    [false, -1],
    [true, 0],
    [false, 0xffff],
  ])("of a data message is written in place as the value form does, L %s, Ns %i", (lengthBit, ns) => {
    const bytes = new Uint8Array(40).fill(0xee);
    const length = l2tpDataHeaderBytes(lengthBit, ns >= 0);
    bytes.set(payload, 10 + length);
    writeL2tpDataHeader(bytes, 10, lengthBit, payload.length, 0xabcd, 0x1234, ns);
    const ids = { tunnelId: 0xabcd, sessionId: 0x1234 };
    const sequence = ns < 0 ? {} : { sequence: { ns, nr: 0 } };
    const header = { control: false, lengthBit, ...ids, ...sequence, priority: false };
    expect(bytes.slice(10, 10 + length + payload.length)).toEqual(emitL2tp(header, payload));
  });

  it("leaves out what a datagram has behind its Length", () => {
    const packet = parseL2tp(fromHex("4002 0009 0001 0002 aa bbcc"));
    expect(packet).toMatchObject({ payload: Uint8Array.of(0xaa) });
  });

  it("takes no notice of reserved bits", () => {
    expect(parseL2tp(fromHex("34f2 0001 0002"))).toMatchObject({ header: { tunnelId: 1, sessionId: 2 } });
  });

  it.each([
    ["an empty datagram", "", "truncated"],
    ["five octets", "0002 0001 00", "truncated"],
    ["no room for Length", "4002 0008 0001", "truncated"],
    ["no room for Ns and Nr", "0802 0001 0002 0003", "truncated"],
    ["no room for Offset Size", "0202 0001 0002 00", "truncated"],
    ["an offset beyond the end", "0202 0001 0002 0001", "truncated"],
    ["a Length beyond the end", "4002 0009 0001 0002", "truncated"],
    ["a Length shorter than the header", "4002 0007 0001 0002", "bad-length"],
    ["a Length that ends in the offset padding", "4202 000b 0001 0002 0004 00000000", "bad-length"],
    ["version 1, which is L2F", "0001 0001 0002", "bad-version"],
    ["version 3", "0003 0001 0002", "bad-version"],
    ["a control message without L", "8802 0001 0002 0000 0000", "bad-flags"],
    ["a control message without S", "c002 0008 0001 0002", "bad-flags"],
    ["a control message with O", "ca02 000e 0001 0002 0000 0000 0000", "bad-flags"],
  ])("is refused: %s", (_, hex, reason) => {
    expect(parseL2tp(fromHex(hex))).toBe(reason);
  });

  it("is refused in place for the same reasons", () => {
    const reasons = new Map([
      [L2TP_TRUNCATED, "truncated"],
      [L2TP_BAD_VERSION, "bad-version"],
      [L2TP_BAD_LENGTH, "bad-length"],
    ]);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        if (bytes.length > 1) bytes[1] = (bytes[1]! & 0xfc) | 2;
        const start = l2tpPayloadStart(bytes, 0, bytes.length);
        const packet = parseL2tp(bytes);
        if (start < 0) expect(packet).toBe(reasons.get(start));
        else if (typeof packet === "string") expect(bytes[0]! & L2TP_TYPE_BIT).not.toBe(0);
        else expect(start).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it("cannot be written for a message that Length cannot count", () => {
    const header = { control: false, lengthBit: true, tunnelId: 1, sessionId: 1, priority: false };
    expect(() => emitL2tp(header, new Uint8Array(65_528))).toThrow(RangeError);
  });
});
