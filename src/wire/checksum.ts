/** The Internet checksum (RFC 1071) and its incremental update (RFC 1624). */

import { readU16, writeU16 } from "../base/bytes.ts";

/**
 * Adds the 16-bit words of a stretch to a running sum; an odd last octet counts as if a zero followed, so
 * only the last stretch may have an odd length. Fits a double for any packet: fold when done.
 */
export function addToSum(sum: number, bytes: Uint8Array, offset: number, length: number): number {
  let total = sum;
  const even = length & ~1;
  for (let at = offset; at < offset + even; at += 2) total += readU16(bytes, at);
  if (even !== length) total += bytes[offset + even]! << 8;
  return total;
}

/** The checksum of a running sum: folded to 16 bits and complemented. */
export function checksumOf(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded % 0x10000) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

/** The checksum of one stretch. Over octets that contain their own checksum it is 0 when that is right. */
export function internetChecksum(bytes: Uint8Array, offset: number, length: number): number {
  return checksumOf(addToSum(0, bytes, offset, length));
}

/** The checksum after the 16-bit word `before` became `after` (RFC 1624 equation 3). */
export function updateChecksum(checksum: number, before: number, after: number): number {
  let sum = (~checksum & 0xffff) + (~before & 0xffff) + after;
  sum = (sum & 0xffff) + (sum >>> 16);
  sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/**
 * Sum over the pseudo-header of UDP, TCP and ICMPv6: RFC 768 and RFC 8200 §8.1 give the same sum for the
 * same fields. Addresses are 4 or 16 octets each; `length` counts the upper-layer header too.
 */
export function pseudoHeaderSum(
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
  length: number,
): number {
  const addresses = addToSum(addToSum(0, source, 0, source.length), destination, 0, destination.length);
  return addresses + protocol + (length >>> 16) + (length & 0xffff);
}

/**
 * Computes the checksum of an upper-layer segment, of which the word at `checksumOffset` is still zero, and
 * puts it there.
 */
export function fillTransportChecksum(
  segment: Uint8Array,
  checksumOffset: number,
  source: Uint8Array,
  destination: Uint8Array,
  protocol: number,
): void {
  const pseudo = pseudoHeaderSum(source, destination, protocol, segment.length);
  writeU16(segment, checksumOffset, checksumOf(addToSum(pseudo, segment, 0, segment.length)));
}
