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

export const AVP_HEADER_BYTES = 6;
const MANDATORY_BIT = 0x8000;
const HIDDEN_BIT = 0x4000;
const RESERVED_BITS = 0x3c00;
const LENGTH_MASK = 0x03ff;

/** Octets that an Attribute Value can have: the Length field has ten bits and counts the header. */
export const AVP_VALUE_MAX_BYTES = LENGTH_MASK - AVP_HEADER_BYTES;

/** Whether octets are AVPs one behind the other, each of a length that fits; the accessors below rely on it. */
export function areAvps(bytes: Uint8Array): boolean {
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < AVP_HEADER_BYTES) return false;
    const length = avpLength(bytes, at);
    if (length < AVP_HEADER_BYTES || length > bytes.length - at) return false;
    at += length;
  }
  return true;
}

/** Octets of the AVP, its header included. */
export function avpLength(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at) & LENGTH_MASK;
}

export function avpIsMandatory(bytes: Uint8Array, at: number): boolean {
  return (readU16(bytes, at) & MANDATORY_BIT) !== 0;
}

export function avpIsHidden(bytes: Uint8Array, at: number): boolean {
  return (readU16(bytes, at) & HIDDEN_BIT) !== 0;
}

/** A reserved bit is set. */
export function avpIsReserved(bytes: Uint8Array, at: number): boolean {
  return (readU16(bytes, at) & RESERVED_BITS) !== 0;
}

export function avpVendorId(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + 2);
}

export function avpType(bytes: Uint8Array, at: number): number {
  return readU16(bytes, at + 4);
}

/** Writes the header of an AVP whose value has `valueBytes` octets. */
export function writeAvpHeader(
  bytes: Uint8Array,
  at: number,
  mandatory: boolean,
  hidden: boolean,
  vendorId: number,
  type: number,
  valueBytes: number,
): void {
  const bits = (mandatory ? MANDATORY_BIT : 0) | (hidden ? HIDDEN_BIT : 0);
  writeU16(bytes, at, bits | (AVP_HEADER_BYTES + valueBytes));
  writeU16(bytes, at + 2, vendorId);
  writeU16(bytes, at + 4, type);
}

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
  if (!areAvps(body)) return undefined;
  const avps: Avp[] = [];
  for (let at = 0; at < body.length; at += avpLength(body, at)) {
    avps.push({
      mandatory: avpIsMandatory(body, at),
      hidden: avpIsHidden(body, at),
      reserved: avpIsReserved(body, at),
      vendorId: avpVendorId(body, at),
      type: avpType(body, at),
      value: body.subarray(at + AVP_HEADER_BYTES, at + avpLength(body, at)),
    });
  }
  return avps;
}

/** Writes AVPs one behind the other; the reserved bits are sent as zero. Throws a RangeError on a value that is too long. */
export function emitAvps(avps: readonly Omit<Avp, "reserved">[]): Uint8Array {
  let total = 0;
  for (const avp of avps) {
    if (avp.value.length > AVP_VALUE_MAX_BYTES)
      throw new RangeError(`AVP ${avp.type} with a value of ${avp.value.length} octets`);
    total += AVP_HEADER_BYTES + avp.value.length;
  }
  const body = new Uint8Array(total);
  let at = 0;
  for (const { mandatory, hidden, vendorId, type, value } of avps) {
    writeAvpHeader(body, at, mandatory, hidden, vendorId, type, value.length);
    body.set(value, at + AVP_HEADER_BYTES);
    at += AVP_HEADER_BYTES + value.length;
  }
  return body;
}
