/*
 * PPP frame (RFC 1661 §2, RFC 1662 §3.1), as it travels in PPPoE and L2TP:
 *
 *   +----------+----------+----------+-------------+
 *   | Address  | Control  | Protocol | Information |
 *   | 0xff     | 0x03     | 8/16 bits|      *      |
 *   +----------+----------+----------+-------------+
 *
 * Address and Control are there or not; a compressed Protocol field has one octet, recognised by its lowest
 * bit being 1 (all assigned numbers are odd in their second octet and even in the first).
 */

import { readU16, writeU16 } from "../base/bytes.ts";

/** Protocol numbers of PPP (the Protocol field). */
export const PPP_IPV4 = 0x0021;
export const PPP_IPV6 = 0x0057;
export const PPP_IPCP = 0x8021;
export const PPP_IPV6CP = 0x8057;
export const PPP_LCP = 0xc021;
export const PPP_PAP = 0xc023;
export const PPP_CHAP = 0xc223;

/** Octets of an uncompressed Protocol field. */
export const PPP_PROTOCOL_BYTES = 2;

/** Octets before the Information field: 1 to 4, or 0 when the frame is too short to have a whole Protocol field. */
export function pppHeaderBytes(bytes: Uint8Array, offset: number, length: number): number {
  const skip = length >= 2 && bytes[offset] === 0xff && bytes[offset + 1] === 0x03 ? 2 : 0;
  if (length <= skip) return 0;
  if ((bytes[offset + skip]! & 1) === 1) return skip + 1;
  return length >= skip + 2 ? skip + 2 : 0;
}

/** The Protocol field that ends `headerBytes` (from pppHeaderBytes, not 0) after `offset`. */
export function pppProtocol(bytes: Uint8Array, offset: number, headerBytes: number): number {
  const last = offset + headerBytes - 1;
  return headerBytes === 1 || headerBytes === 3 ? bytes[last]! : readU16(bytes, last - 1);
}

/**
 * Whether a frame of at least one octet is control: a link or network control protocol, 0x8000 and above (RFC 1661
 * §2). The protocols with compressed numbers are all the network layer's.
 */
export function isPppControl(bytes: Uint8Array, offset: number): boolean {
  return bytes[offset]! >= 0x80;
}

/** A PPP frame without address and control. */
export interface PppFrame {
  readonly protocol: number;
  /** A view into the frame it was parsed from. */
  readonly information: Uint8Array;
}

/**
 * Undefined when there is no whole Protocol field. One whose last octet is even belongs to no protocol; it is
 * given like any other that we do not have, because it is to be rejected like them (RFC 1661 §2).
 */
export function parsePpp(frame: Uint8Array): PppFrame | undefined {
  const header = pppHeaderBytes(frame, 0, frame.length);
  if (header === 0) return undefined;
  return { protocol: pppProtocol(frame, 0, header), information: frame.subarray(header) };
}

/** The frame with a two-octet Protocol field and without address and control. */
export function emitPpp(protocol: number, information: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PPP_PROTOCOL_BYTES + information.length);
  writeU16(frame, 0, protocol);
  frame.set(information, PPP_PROTOCOL_BYTES);
  return frame;
}
