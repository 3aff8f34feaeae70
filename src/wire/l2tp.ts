/*
 * The L2TPv2 header (RFC 2661 §3.1), control and data.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |T|L|x|x|S|x|O|P|x|x|x|x|  Ver  |          Length (opt)         |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |           Tunnel ID           |           Session ID          |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |             Ns (opt)          |             Nr (opt)          |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      Offset Size (opt)        |    Offset pad... (opt)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 * Optional fields that are absent take no space, so all but the first two octets move. Reserved bits are
 * sent as zero and ignored on receipt. Length counts the whole message; what a datagram has after it is
 * padding.
 */

import { readU16, writeU16 } from "../base/bytes.ts";

/** The UDP port that tunnels are called on (§8.1). */
export const L2TP_UDP_PORT = 1701;

/** Bits of the first octet. */
export const L2TP_TYPE_BIT = 0x80;
const L2TP_LENGTH_BIT = 0x40;
const L2TP_SEQUENCE_BIT = 0x08;
const L2TP_OFFSET_BIT = 0x02;
const L2TP_PRIORITY_BIT = 0x01;

const VERSION = 2;
const VERSION_MASK = 0x0f;
const LONGEST_MESSAGE = 0xffff;

/** What l2tpPayloadStart() gives in place of an offset. */
export const L2TP_TRUNCATED = -1;
export const L2TP_BAD_VERSION = -2;
export const L2TP_BAD_LENGTH = -3;

/** The T bit; the datagram has at least one octet at `offset`. */
export function isL2tpControl(bytes: Uint8Array, offset: number): boolean {
  return (bytes[offset]! & L2TP_TYPE_BIT) !== 0;
}

function idsAt(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! & L2TP_LENGTH_BIT) === 0 ? offset + 2 : offset + 4;
}

/**
 * Checks a message of `end - offset` octets and gives the offset of its payload: behind the header and the
 * offset padding. A negative number is the reason why it is none (L2TP_TRUNCATED and the like).
 */
export function l2tpPayloadStart(bytes: Uint8Array, offset: number, end: number): number {
  if (end - offset < 6) return L2TP_TRUNCATED;
  if ((bytes[offset + 1]! & VERSION_MASK) !== VERSION) return L2TP_BAD_VERSION;
  const flags = bytes[offset]!;
  let start = idsAt(bytes, offset) + 4;
  if ((flags & L2TP_SEQUENCE_BIT) !== 0) start += 4;
  if ((flags & L2TP_OFFSET_BIT) !== 0) {
    start += 2;
    if (start > end) return L2TP_TRUNCATED;
    start += readU16(bytes, start - 2);
  }
  if (start > end) return L2TP_TRUNCATED;
  if ((flags & L2TP_LENGTH_BIT) !== 0) {
    const last = offset + readU16(bytes, offset + 2);
    if (last > end) return L2TP_TRUNCATED;
    if (last < start) return L2TP_BAD_LENGTH;
  }
  return start;
}

/** Where the payload ends; l2tpPayloadStart() has accepted the message. */
export function l2tpPayloadEnd(bytes: Uint8Array, offset: number, end: number): number {
  return (bytes[offset]! & L2TP_LENGTH_BIT) === 0 ? end : offset + readU16(bytes, offset + 2);
}

/** l2tpPayloadStart() has accepted the message. */
export function l2tpTunnelId(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, idsAt(bytes, offset));
}

/** l2tpPayloadStart() has accepted the message. */
export function l2tpSessionId(bytes: Uint8Array, offset: number): number {
  return readU16(bytes, idsAt(bytes, offset) + 2);
}

/** The sequence number, or -1 when the S bit is off; l2tpPayloadStart() has accepted the message. */
export function l2tpNs(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! & L2TP_SEQUENCE_BIT) === 0 ? -1 : readU16(bytes, idsAt(bytes, offset) + 4);
}

/** Octets of a data header as writeL2tpDataHeader() writes it. */
export function l2tpDataHeaderBytes(lengthBit: boolean, sequenced: boolean): number {
  return (lengthBit ? 8 : 6) + (sequenced ? 4 : 0);
}

/**
 * Writes the header of a data message before a payload of `payloadBytes` octets. `ns`: negative for none; Nr, which
 * data messages reserve (§3.1), is 0.
 */
export function writeL2tpDataHeader(
  bytes: Uint8Array,
  offset: number,
  lengthBit: boolean,
  payloadBytes: number,
  tunnelId: number,
  sessionId: number,
  ns: number,
): void {
  bytes[offset] = (lengthBit ? L2TP_LENGTH_BIT : 0) | (ns < 0 ? 0 : L2TP_SEQUENCE_BIT);
  bytes[offset + 1] = VERSION;
  if (lengthBit) writeU16(bytes, offset + 2, l2tpDataHeaderBytes(lengthBit, ns >= 0) + payloadBytes);
  const ids = idsAt(bytes, offset);
  writeU16(bytes, ids, tunnelId);
  writeU16(bytes, ids + 2, sessionId);
  if (ns < 0) return;
  writeU16(bytes, ids + 4, ns);
  writeU16(bytes, ids + 6, 0);
}

/** A header as a value. */
export interface L2tpHeader {
  /** T: a control message. */
  readonly control: boolean;
  /** L: the Length field is there; its value is that of the message. */
  readonly lengthBit: boolean;
  readonly tunnelId: number;
  readonly sessionId: number;
  /** S. */
  readonly sequence?: { readonly ns: number; readonly nr: number };
  /** O: octets of padding between header and payload. */
  readonly offsetBytes?: number;
  /** P. */
  readonly priority: boolean;
}

interface L2tpPacket {
  readonly header: L2tpHeader;
  /** A view of the octets it was read from. */
  readonly payload: Uint8Array;
}

/** Why octets are no L2TP message; "bad-flags": a control message without L or S, or with O. */
type L2tpMalformed = "truncated" | "bad-version" | "bad-length" | "bad-flags";

/** Reads one datagram. */
export function parseL2tp(bytes: Uint8Array): L2tpPacket | L2tpMalformed {
  const start = l2tpPayloadStart(bytes, 0, bytes.length);
  if (start === L2TP_TRUNCATED) return "truncated";
  if (start === L2TP_BAD_VERSION) return "bad-version";
  if (start === L2TP_BAD_LENGTH) return "bad-length";
  const flags = bytes[0]!;
  const control = isL2tpControl(bytes, 0);
  const lengthBit = (flags & L2TP_LENGTH_BIT) !== 0;
  const sequenceBit = (flags & L2TP_SEQUENCE_BIT) !== 0;
  const offsetBit = (flags & L2TP_OFFSET_BIT) !== 0;
  if (control && (!lengthBit || !sequenceBit || offsetBit)) return "bad-flags";
  const ids = idsAt(bytes, 0);
  return {
    header: {
      control,
      lengthBit,
      tunnelId: readU16(bytes, ids),
      sessionId: readU16(bytes, ids + 2),
      priority: (flags & L2TP_PRIORITY_BIT) !== 0,
      ...(sequenceBit && { sequence: { ns: readU16(bytes, ids + 4), nr: readU16(bytes, ids + 6) } }),
      ...(offsetBit && { offsetBytes: readU16(bytes, ids + (sequenceBit ? 8 : 4)) }),
    },
    payload: bytes.subarray(start, l2tpPayloadEnd(bytes, 0, bytes.length)),
  };
}

/** Writes one message. Throws a RangeError when a message with Length would exceed 65,535 octets. */
export function emitL2tp(header: L2tpHeader, payload: Uint8Array): Uint8Array {
  let start = header.lengthBit ? 8 : 6;
  if (header.sequence !== undefined) start += 4;
  if (header.offsetBytes !== undefined) start += 2 + header.offsetBytes;
  const length = start + payload.length;
  if (header.lengthBit && length > LONGEST_MESSAGE) throw new RangeError(`L2TP message of ${length} octets`);
  const bytes = new Uint8Array(length);
  bytes[0] =
    (header.control ? L2TP_TYPE_BIT : 0) |
    (header.lengthBit ? L2TP_LENGTH_BIT : 0) |
    (header.sequence === undefined ? 0 : L2TP_SEQUENCE_BIT) |
    (header.offsetBytes === undefined ? 0 : L2TP_OFFSET_BIT) |
    (header.priority ? L2TP_PRIORITY_BIT : 0);
  bytes[1] = VERSION;
  if (header.lengthBit) writeU16(bytes, 2, length);
  let at = idsAt(bytes, 0);
  writeU16(bytes, at, header.tunnelId);
  writeU16(bytes, at + 2, header.sessionId);
  at += 4;
  if (header.sequence !== undefined) {
    writeU16(bytes, at, header.sequence.ns);
    writeU16(bytes, at + 2, header.sequence.nr);
    at += 4;
  }
  if (header.offsetBytes !== undefined) writeU16(bytes, at, header.offsetBytes);
  bytes.set(payload, start);
  return bytes;
}
