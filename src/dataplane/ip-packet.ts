import { readU16 } from "../base/bytes.ts";

/** Where the source and destination addresses are in an IP header. */
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;

/**
 * Octets of the IPv4 packet at `offset` by its own header, or -1 when its version or lengths are wrong or it
 * does not fit the `length` octets that are there (RFC 791 §3.1).
 */
export function ipv4PacketBytes(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 20 || bytes[offset]! >>> 4 !== 4) return -1;
  const headerBytes = (bytes[offset]! & 0x0f) * 4;
  const total = readU16(bytes, offset + 2);
  return headerBytes < 20 || total < headerBytes || total > length ? -1 : total;
}

/** The same for IPv6 (RFC 8200 §3); there are no jumbograms on PPP. */
export function ipv6PacketBytes(bytes: Uint8Array, offset: number, length: number): number {
  if (length < 40 || bytes[offset]! >>> 4 !== 6) return -1;
  const total = 40 + readU16(bytes, offset + 4);
  return total > length ? -1 : total;
}
