/*
 * Attribute-Value Pairs of L2TPv2 control messages (RFC 2661 §4.1).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |M|H| rsvd  |      Length       |           Vendor ID           |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |         Attribute Type        |        Attribute Value...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { readU16, writeU16 } from "../base/bytes.ts";

const HEADER_BYTES = 6;
const MANDATORY_BIT = 0x8000;
const HIDDEN_BIT = 0x4000;
const RESERVED_BITS = 0x3c00;
const LENGTH_MASK = 0x03ff;

/** Octets that an Attribute Value can have: the Length field has ten bits and counts the header. */
export const AVP_VALUE_MAX_BYTES = LENGTH_MASK - HEADER_BYTES;

export interface Avp {
  /** M: who does not recognise it ends the session or tunnel. */
  readonly mandatory: boolean;
  /** H: `value` is hidden (§4.3). */
  readonly hidden: boolean;
  /** A reserved bit is set: to be treated as not recognised. */
  readonly reserved: boolean;
  /** 0: IETF. */
  readonly vendorId: number;
  readonly type: number;
  readonly value: Uint8Array;
}

/** Reads the body of a control message; undefined when lengths do not add up. Values are views of `body`. */
export function parseAvps(body: Uint8Array): readonly Avp[] | undefined {
  const avps: Avp[] = [];
  let at = 0;
  while (at < body.length) {
    if (body.length - at < HEADER_BYTES) return undefined;
    const head = readU16(body, at);
    const length = head & LENGTH_MASK;
    if (length < HEADER_BYTES || length > body.length - at) return undefined;
    avps.push({
      mandatory: (head & MANDATORY_BIT) !== 0,
      hidden: (head & HIDDEN_BIT) !== 0,
      reserved: (head & RESERVED_BITS) !== 0,
      vendorId: readU16(body, at + 2),
      type: readU16(body, at + 4),
      value: body.subarray(at + HEADER_BYTES, at + length),
    });
    at += length;
  }
  return avps;
}

/** Writes AVPs one behind the other; the reserved bits are sent as zero. Throws a RangeError on a value that is too long. */
export function emitAvps(avps: readonly Omit<Avp, "reserved">[]): Uint8Array {
  let total = 0;
  for (const avp of avps) {
    if (avp.value.length > AVP_VALUE_MAX_BYTES)
      throw new RangeError(`AVP ${avp.type} with a value of ${avp.value.length} octets`);
    total += HEADER_BYTES + avp.value.length;
  }
  const body = new Uint8Array(total);
  let at = 0;
  for (const avp of avps) {
    const length = HEADER_BYTES + avp.value.length;
    writeU16(body, at, (avp.mandatory ? MANDATORY_BIT : 0) | (avp.hidden ? HIDDEN_BIT : 0) | length);
    writeU16(body, at + 2, avp.vendorId);
    writeU16(body, at + 4, avp.type);
    body.set(avp.value, at + HEADER_BYTES);
    at += length;
  }
  return body;
}
