/** Fields of control messages where they lie in a ring: without an allocation, as far as their octets go. */

import { readU16 } from "../base/bytes.ts";
import { ATTRIBUTES } from "../wire/l2tp-attributes.ts";
import { AVP_HEADER_BYTES, avpIsHidden, avpLength, avpType, avpVendorId } from "../wire/l2tp-avp.ts";
import { L2TP_CONTROL_HEADER_BYTES } from "../wire/l2tp-control-header.ts";

/** Message Types that are about a tunnel as a whole. */
export const TUNNEL_MESSAGES: readonly number[] = [1, 2, 3, 4];
export const HELLO = 6;
export const CDN = 14;
const ICRQ = 10;
const ICRP = 11;
const OCRQ = 7;
const OCRP = 8;

const TUNNEL_OFFSET = 4;
const SESSION_OFFSET = 6;
const TYPE_OFFSET = L2TP_CONTROL_HEADER_BYTES + AVP_HEADER_BYTES;

/** The Tunnel ID of the header. */
export function tunnelAt(octets: Uint8Array, message: number): number {
  return readU16(octets, message + TUNNEL_OFFSET);
}

/** The Session ID of the header. */
export function sessionAt(octets: Uint8Array, message: number): number {
  return readU16(octets, message + SESSION_OFFSET);
}

/** The Message Type, or 0. */
export function typeAt(octets: Uint8Array, message: number, end: number): number {
  return message + TYPE_OFFSET + 2 <= end ? readU16(octets, message + TYPE_OFFSET) : 0;
}

export function isRequest(type: number): boolean {
  return type === ICRQ || type === OCRQ;
}

export function isReply(type: number): boolean {
  return type === ICRP || type === OCRP;
}

/** The Assigned Session ID, or 0 when there is none in the clear. */
export function assignedAt(octets: Uint8Array, message: number, end: number): number {
  for (let at = message + L2TP_CONTROL_HEADER_BYTES; at + AVP_HEADER_BYTES + 2 <= end; ) {
    const length = avpLength(octets, at);
    if (length < AVP_HEADER_BYTES || at + length > end) return 0;
    const isIt = avpVendorId(octets, at) === 0 && avpType(octets, at) === ATTRIBUTES.assignedSessionId.type;
    if (isIt && !avpIsHidden(octets, at) && length === AVP_HEADER_BYTES + 2)
      return readU16(octets, at + AVP_HEADER_BYTES);
    at += length;
  }
  return 0;
}
