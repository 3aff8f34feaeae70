/*
 * The header of control messages (RFC 2661 §3.1), in which every optional field but the offset must be there, so
 * that all stand at fixed places.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |1|1|x|x|1|x|0|0|x|x|x|x|   2   |            Length             |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |           Tunnel ID           |           Session ID          |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |              Ns               |              Nr               |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import {
  isL2tpControl,
  L2TP_BAD_LENGTH,
  L2TP_BAD_VERSION,
  L2TP_TRUNCATED,
  l2tpPayloadEnd,
  l2tpPayloadStart,
} from "./l2tp.ts";

export const L2TP_CONTROL_HEADER_BYTES = 12;

/** T, L and S. */
const CONTROL_FLAGS = 0xc8;
const OFFSET_FLAG = 0x02;
const VERSION = 2;

/** Why octets are no control message; "bad-flags": T without L or S, or with O. */
type NoControlMessage = "truncated" | "bad-version" | "bad-length" | "bad-flags" | "not-control";

/** Undefined when the accessors below may be used. */
export function notL2tpControl(bytes: Uint8Array): NoControlMessage | undefined {
  switch (l2tpPayloadStart(bytes, 0, bytes.length)) {
    case L2TP_TRUNCATED:
      return "truncated";
    case L2TP_BAD_VERSION:
      return "bad-version";
    case L2TP_BAD_LENGTH:
      return "bad-length";
  }
  if (!isL2tpControl(bytes, 0)) return "not-control";
  const flags = bytes[0]!;
  if ((flags & CONTROL_FLAGS) !== CONTROL_FLAGS || (flags & OFFSET_FLAG) !== 0) return "bad-flags";
  return undefined;
}

export function controlTunnelId(bytes: Uint8Array): number {
  return readU16(bytes, 4);
}

export function controlSessionId(bytes: Uint8Array): number {
  return readU16(bytes, 6);
}

export function controlNs(bytes: Uint8Array): number {
  return readU16(bytes, 8);
}

export function controlNr(bytes: Uint8Array): number {
  return readU16(bytes, 10);
}

/** The AVPs: a view. What a datagram has after its Length is padding. Empty: a ZLB. */
export function controlBody(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(L2TP_CONTROL_HEADER_BYTES, l2tpPayloadEnd(bytes, 0, bytes.length));
}

/** Writes the header of a message that fills `bytes`. */
export function writeControlHeader(
  bytes: Uint8Array,
  tunnelId: number,
  sessionId: number,
  ns: number,
  nr: number,
): void {
  bytes[0] = CONTROL_FLAGS;
  bytes[1] = VERSION;
  writeU16(bytes, 2, bytes.length);
  writeU16(bytes, 4, tunnelId);
  writeU16(bytes, 6, sessionId);
  writeU16(bytes, 8, ns);
  writeU16(bytes, 10, nr);
}
