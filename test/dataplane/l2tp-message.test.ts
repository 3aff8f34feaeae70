import { describe, expect, it } from "vitest";
import { concatBytes, fromHex } from "../../src/base/bytes.ts";
import { DROP_REASONS } from "../../src/channel/dataplane.ts";
import { ACCEPT } from "../../src/dataplane/drop-codes.ts";
import {
  emitL2tpMessage,
  framingOf,
  L2tpMessage,
  readL2tpMessage,
  sequencedFraming,
} from "../../src/dataplane/l2tp-message.ts";

const PPP = fromHex("c021 0901 0008 deadbeef");

function read(octets: Uint8Array) {
  const message = new L2tpMessage();
  // not at the start of the buffer: offsets are absolute
  const bytes = concatBytes(new Uint8Array(5), octets, new Uint8Array(5).fill(0xee));
  const verdict = readL2tpMessage(message, bytes, 5, octets.length);
  if (verdict !== ACCEPT) return DROP_REASONS[verdict];
  const { tunnelId, sessionId, pppOffset, pppBytes } = message;
  return { tunnelId, sessionId, ppp: bytes.slice(pppOffset, pppOffset + pppBytes) };
}

const BITS = [false, true];
const COMBINATIONS = BITS.flatMap((length) =>
  BITS.flatMap((sequence) =>
    BITS.flatMap((offset) => BITS.map((addressControl) => ({ length, sequence, offset, addressControl }))),
  ),
);

describe("an L2TP data message", () => {
  it.each(COMBINATIONS)("is read with L $length, S $sequence, O $offset, FF03 $addressControl", (bits) => {
    const flags = (bits.length ? 0x40 : 0) | (bits.sequence ? 0x08 : 0) | (bits.offset ? 0x02 : 0) | 0x01;
    const rest = concatBytes(
      fromHex("0102 0304"),
      fromHex(bits.sequence ? "aaaa bbbb" : ""),
      fromHex(bits.offset ? "0003 000000" : ""),
      fromHex(bits.addressControl ? "ff03" : ""),
      PPP,
    );
    const total = 4 + rest.length;
    const octets = concatBytes(
      Uint8Array.of(flags, 2),
      bits.length ? Uint8Array.of(total >>> 8, total) : new Uint8Array(0),
      rest,
    );
    expect(read(octets)).toEqual({ tunnelId: 0x0102, sessionId: 0x0304, ppp: PPP });
  });

  it("ends where its Length says; the rest of the datagram is padding", () => {
    const octets = fromHex("4002 000c 0102 0304 c0210901 0000 0000");
    expect(read(octets)).toMatchObject({ ppp: fromHex("c0210901") });
  });

  it.each([
    ["", "truncated"],
    ["0002 0102 03", "truncated"],
    ["0002 0102 0304", "truncated"],
    ["0002 0102 0304 ff03", "truncated"],
    ["0003 0102 0304 c021", "bad-version"],
    ["4002 0008 0102 0304 c021", "truncated"],
    ["4002 0007 0102 0304 c021", "bad-length"],
    ["4002 00ff 0102 0304 c021", "truncated"],
    ["0802 0102 0304 0001", "truncated"],
    ["0202 0102 0304 00", "truncated"],
    ["0202 0102 0304 ffff c021", "truncated"],
    // an offset that ends behind the Length, though not behind the datagram
    ["4202 000c 0102 0304 0004 0000 0000 c021", "bad-length"],
    // nothing behind the offset
    ["4202 000c 0102 0304 0002 0000", "truncated"],
    // the Offset Size itself is cut off
    ["0a02 0102 0304 0001 0000 00", "truncated"],
    ["4802 000a 0102 0304 0001 0000 c021", "bad-length"],
  ])("of %s is dropped: %s", (hex, reason) => {
    expect(read(fromHex(hex))).toBe(reason);
  });

  it.each([
    [{ lengthBit: true, addressControl: true }, "4002 0016 0102 0304 ff03"],
    [{ lengthBit: true, addressControl: false }, "4002 0014 0102 0304"],
    [{ lengthBit: false, addressControl: true }, "0002 0102 0304 ff03"],
    [{ lengthBit: false, addressControl: false }, "0002 0102 0304"],
  ])("is written as the peer wants it: %o", (peer, header) => {
    const written = emitL2tpMessage(framingOf(peer), 0x0102, 0x0304, concatBytes(PPP, fromHex("0000")), -1);
    expect(written).toEqual(concatBytes(fromHex(header), PPP, fromHex("0000")));
  });

  it.each([
    [{ lengthBit: true, addressControl: true }, "4802 001a 0102 0304 fffe 0000 ff03"],
    [{ lengthBit: false, addressControl: false }, "0802 0102 0304 fffe 0000"],
  ])("is written with a number, and Nr 0, which is reserved: %o", (peer, header) => {
    const framing = sequencedFraming(framingOf(peer));
    const written = emitL2tpMessage(framing, 0x0102, 0x0304, concatBytes(PPP, fromHex("0000")), 0xfffe);
    expect(written).toEqual(concatBytes(fromHex(header), PPP, fromHex("0000")));
  });
});
