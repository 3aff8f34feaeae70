/**
 * The IPv6 header (RFC 8200 §3).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+---------------+---------------------------------------+
 *   |   6   | traffic class |              flow label               |
 *   +-------+---------------+-------+---------------+---------------+
 *   |        payload length         |  next header  |   hop limit   |
 *   +-------------------------------+---------------+---------------+
 *   |                   source address (16 octets)                  |
 *   +---------------------------------------------------------------+
 *   |                destination address (16 octets)                |
 *   +---------------------------------------------------------------+
 */

import { readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";

export const IPV6_PAYLOAD_LENGTH = 4;
export const IPV6_NEXT_HEADER = 6;
export const IPV6_HOP_LIMIT = 7;
export const IPV6_SOURCE = 8;
export const IPV6_DESTINATION = 24;
export const IPV6_HEADER_BYTES = 40;
/** What every IPv6 link must carry (RFC 8200 §5). */
export const IPV6_MIN_MTU = 1280;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const DESTINATION_OPTIONS = 60;
export const PROTOCOL_ICMPV6 = 58;

/**
 * View form: octets of the packet at `offset` by its own header, of which `available` are there; −1 when the
 * version is wrong or the packet is cut off. There are no jumbograms on PPP.
 */
export function ipv6PacketBytes(bytes: Uint8Array, offset: number, available: number): number {
  if (available < IPV6_HEADER_BYTES || bytes[offset]! >>> 4 !== 6) return -1;
  const total = IPV6_HEADER_BYTES + readU16(bytes, offset + IPV6_PAYLOAD_LENGTH);
  return total > available ? -1 : total;
}

/**
 * View form: where the header of upper-layer `protocol` stands in the packet that ends at `end`, behind
 * hop-by-hop options, routing headers and destination options; −1 when the packet carries something else, is
 * a fragment, or is cut off.
 */
export function ipv6UpperOffset(bytes: Uint8Array, offset: number, end: number, protocol: number): number {
  let next = bytes[offset + IPV6_NEXT_HEADER]!;
  let at = offset + IPV6_HEADER_BYTES;
  while (next === HOP_BY_HOP || next === ROUTING || next === DESTINATION_OPTIONS) {
    if (at + 8 > end) return -1;
    next = bytes[at]!;
    at += 8 + bytes[at + 1]! * 8;
  }
  return next === protocol && at <= end ? at : -1;
}

/** An IPv6 packet; extension headers are part of the payload. */
export interface Ipv6Packet {
  readonly trafficClass: number;
  readonly flowLabel: number;
  readonly nextHeader: number;
  readonly hopLimit: number;
  /** Sixteen octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payload: Uint8Array;
}

/** Undefined when it is no whole IPv6 packet. What follows it is padding. */
export function parseIpv6(bytes: Uint8Array): Ipv6Packet | undefined {
  const total = ipv6PacketBytes(bytes, 0, bytes.length);
  if (total < 0) return undefined;
  const first = readU32(bytes, 0);
  return {
    trafficClass: (first >>> 20) & 0xff,
    flowLabel: first & 0xfffff,
    nextHeader: bytes[IPV6_NEXT_HEADER]!,
    hopLimit: bytes[IPV6_HOP_LIMIT]!,
    source: bytes.slice(IPV6_SOURCE, IPV6_SOURCE + 16),
    destination: bytes.slice(IPV6_DESTINATION, IPV6_DESTINATION + 16),
    payload: bytes.slice(IPV6_HEADER_BYTES, total),
  };
}

export function emitIpv6(packet: Ipv6Packet): Uint8Array {
  const bytes = new Uint8Array(IPV6_HEADER_BYTES + packet.payload.length);
  writeU32(bytes, 0, ((6 << 28) | (packet.trafficClass << 20) | packet.flowLabel) >>> 0);
  writeU16(bytes, IPV6_PAYLOAD_LENGTH, packet.payload.length);
  bytes[IPV6_NEXT_HEADER] = packet.nextHeader;
  bytes[IPV6_HOP_LIMIT] = packet.hopLimit;
  bytes.set(packet.source, IPV6_SOURCE);
  bytes.set(packet.destination, IPV6_DESTINATION);
  bytes.set(packet.payload, IPV6_HEADER_BYTES);
  return bytes;
}
