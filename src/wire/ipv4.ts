/**
 * The IPv4 header (RFC 791 §3.1).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------+-------+---------------+-------------------------------+
 *   |   4   |  IHL  |      TOS      |          total length         |
 *   +-------+-------+---------------+-----+-------------------------+
 *   |        identification         |0 D M|     fragment offset     |
 *   +---------------+---------------+-----+-------------------------+
 *   |      TTL      |   protocol    |        header checksum        |
 *   +---------------+---------------+-------------------------------+
 *   |                        source address                         |
 *   +---------------------------------------------------------------+
 *   |                      destination address                      |
 *   +---------------------------------------------------------------+
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { internetChecksum } from "./checksum.ts";

export const IPV4_TOS = 1;
export const IPV4_TOTAL_LENGTH = 2;
export const IPV4_IDENTIFICATION = 4;
export const IPV4_FRAGMENT = 6;
export const IPV4_TTL = 8;
export const IPV4_PROTOCOL = 9;
export const IPV4_CHECKSUM = 10;
export const IPV4_SOURCE = 12;
export const IPV4_DESTINATION = 16;
/** Without options. */
export const IPV4_HEADER_BYTES = 20;

export const IPV4_DONT_FRAGMENT = 0x4000;
export const IPV4_MORE_FRAGMENTS = 0x2000;
export const IPV4_FRAGMENT_OFFSET_MASK = 0x1fff;

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;

/**
 * View form: octets of the packet at `offset` by its own header, of which `available` are there; −1 when
 * version or lengths are wrong or the packet is cut off.
 */
export function ipv4PacketBytes(bytes: Uint8Array, offset: number, available: number): number {
  if (available < IPV4_HEADER_BYTES || bytes[offset]! >>> 4 !== 4) return -1;
  const headerBytes = ipv4HeaderBytes(bytes, offset);
  const total = readU16(bytes, offset + IPV4_TOTAL_LENGTH);
  return headerBytes < IPV4_HEADER_BYTES || total < headerBytes || total > available ? -1 : total;
}

/** Octets of the header with its options. */
export function ipv4HeaderBytes(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! & 0x0f) * 4;
}

/** An IPv4 packet. Options are not kept. */
export interface Ipv4Packet {
  readonly tos: number;
  readonly identification: number;
  readonly dontFragment: boolean;
  readonly moreFragments: boolean;
  /** In octets, a multiple of eight. */
  readonly fragmentOffset: number;
  readonly ttl: number;
  readonly protocol: number;
  /** Four octets. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly payload: Uint8Array;
}

/** Undefined when it is no whole IPv4 packet or its header checksum is wrong. What follows it is padding. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  const total = ipv4PacketBytes(bytes, 0, bytes.length);
  if (total < 0) return undefined;
  const headerBytes = ipv4HeaderBytes(bytes, 0);
  if (internetChecksum(bytes, 0, headerBytes) !== 0) return undefined;
  const fragment = readU16(bytes, IPV4_FRAGMENT);
  return {
    tos: bytes[IPV4_TOS]!,
    identification: readU16(bytes, IPV4_IDENTIFICATION),
    dontFragment: (fragment & IPV4_DONT_FRAGMENT) !== 0,
    moreFragments: (fragment & IPV4_MORE_FRAGMENTS) !== 0,
    fragmentOffset: (fragment & IPV4_FRAGMENT_OFFSET_MASK) * 8,
    ttl: bytes[IPV4_TTL]!,
    protocol: bytes[IPV4_PROTOCOL]!,
    source: bytes.slice(IPV4_SOURCE, IPV4_SOURCE + 4),
    destination: bytes.slice(IPV4_DESTINATION, IPV4_DESTINATION + 4),
    payload: bytes.slice(headerBytes, total),
  };
}

export function emitIpv4(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(IPV4_HEADER_BYTES + packet.payload.length);
  bytes[0] = 0x40 | (IPV4_HEADER_BYTES / 4);
  bytes[IPV4_TOS] = packet.tos;
  writeU16(bytes, IPV4_TOTAL_LENGTH, bytes.length);
  writeU16(bytes, IPV4_IDENTIFICATION, packet.identification);
  const flags =
    (packet.dontFragment ? IPV4_DONT_FRAGMENT : 0) | (packet.moreFragments ? IPV4_MORE_FRAGMENTS : 0);
  writeU16(bytes, IPV4_FRAGMENT, flags | (packet.fragmentOffset / 8));
  bytes[IPV4_TTL] = packet.ttl;
  bytes[IPV4_PROTOCOL] = packet.protocol;
  bytes.set(packet.source, IPV4_SOURCE);
  bytes.set(packet.destination, IPV4_DESTINATION);
  writeU16(bytes, IPV4_CHECKSUM, internetChecksum(bytes, 0, IPV4_HEADER_BYTES));
  bytes.set(packet.payload, IPV4_HEADER_BYTES);
  return bytes;
}
