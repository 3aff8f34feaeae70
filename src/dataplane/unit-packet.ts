/** What the host hands over through a device of ours: packets whose checksums and segments are left to us. */

import { readU16 } from "../base/bytes.ts";
import {
  IPV4_FRAGMENT,
  IPV4_FRAGMENT_OFFSET_MASK,
  IPV4_HEADER_BYTES,
  IPV4_MORE_FRAGMENTS,
  IPV4_PROTOCOL,
  ipv4HeaderBytes,
  ipv4PacketBytes,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import { ipv6PacketBytes, ipv6UpperOffset } from "../wire/ipv6.ts";
import { TCP_CHECKSUM, TCP_FLAGS, TCP_HEADER_BYTES, TCP_SYN, tcpHeaderBytes } from "../wire/tcp.ts";
import { UDP_CHECKSUM, UDP_HEADER_BYTES } from "../wire/udp.ts";
import {
  VNET_FLAGS,
  VNET_GSO_ECN,
  VNET_GSO_NONE,
  VNET_GSO_TCP_IPV4,
  VNET_GSO_TCP_IPV6,
  VNET_GSO_TYPE,
  VNET_GSO_UDP,
  VNET_HEADER_BYTES,
  VNET_NEEDS_CHECKSUM,
  vnetChecksumOffset,
  vnetChecksumStart,
  vnetGsoSize,
} from "../wire/virtio-net.ts";
import { ACCEPT, type DropCode, MALFORMED_IP, TRUNCATED } from "./drop-codes.ts";

/** IP and TCP headers of a super-segment at most: with all options that there are, and some IPv6 extension headers. */
export const LARGEST_HEADERS_BYTES = 160;
/** Segments that one super-segment may become. */
export const MOST_SEGMENTS = 8192;

/** Where things are in one packet from a device. A reader has one of these and fills it again for every packet. */
export class UnitPacket {
  /** The IP packet, from the start of `bytes`, and its octets. */
  offset = 0;
  bytes = 0;
  ipv6 = false;
  /** Where the checksum is that we are to finish, from the start of `bytes`, and what it covers first; -1 when there is none. */
  checksumAt = -1;
  checksumFrom = 0;
  /** Octets of payload in each segment but the last; 0 when the packet is no super-segment, and what follows unused. */
  segmentBytes = 0;
  segments = 0;
  /** Octets of the IP and TCP or UDP headers. */
  headersBytes = 0;
}

/** Reads a vnet header and the packet behind it, `length` octets in all; ACCEPT, or why it is dropped. */
export function readUnitPacket(
  packet: UnitPacket,
  bytes: Uint8Array,
  offset: number,
  length: number,
): DropCode {
  const start = offset + VNET_HEADER_BYTES;
  const available = length - VNET_HEADER_BYTES;
  if (available <= 0) return TRUNCATED;
  const ipv6 = bytes[start]! >>> 4 === 6;
  const packetBytes = ipv6
    ? ipv6PacketBytes(bytes, start, available)
    : ipv4PacketBytes(bytes, start, available);
  if (packetBytes < 0) return MALFORMED_IP;
  packet.offset = start;
  packet.bytes = packetBytes;
  packet.ipv6 = ipv6;
  packet.checksumAt = -1;
  packet.segmentBytes = 0;
  const gso = bytes[offset + VNET_GSO_TYPE]!;
  if ((bytes[offset + VNET_FLAGS]! & VNET_NEEDS_CHECKSUM) === 0)
    return gso === VNET_GSO_NONE ? ACCEPT : MALFORMED_IP;
  packet.checksumFrom = start + vnetChecksumStart(bytes, offset);
  packet.checksumAt = packet.checksumFrom + vnetChecksumOffset(bytes, offset);
  if (packet.checksumFrom < start + IPV4_HEADER_BYTES || packet.checksumAt + 2 > start + packetBytes)
    return MALFORMED_IP;
  return gso === VNET_GSO_NONE
    ? ACCEPT
    : readSuperSegment(packet, bytes, gso & ~VNET_GSO_ECN, vnetGsoSize(bytes, offset));
}

function readSuperSegment(packet: UnitPacket, bytes: Uint8Array, gso: number, size: number): DropCode {
  const udp = gso === VNET_GSO_UDP;
  if (!udp && gso !== (packet.ipv6 ? VNET_GSO_TCP_IPV6 : VNET_GSO_TCP_IPV4)) return MALFORMED_IP;
  const { offset, checksumFrom: transport } = packet;
  const end = offset + packet.bytes;
  if (transport !== transportOffset(packet, bytes, udp ? PROTOCOL_UDP : PROTOCOL_TCP)) return MALFORMED_IP;
  if (packet.checksumAt !== transport + (udp ? UDP_CHECKSUM : TCP_CHECKSUM)) return MALFORMED_IP;
  let payload = transport + UDP_HEADER_BYTES;
  if (!udp) {
    // where a SYN was cut up, its options would come more than once
    if (transport + TCP_HEADER_BYTES > end || (bytes[transport + TCP_FLAGS]! & TCP_SYN) !== 0)
      return MALFORMED_IP;
    const headerBytes = tcpHeaderBytes(bytes, transport);
    if (headerBytes < TCP_HEADER_BYTES) return MALFORMED_IP;
    payload = transport + headerBytes;
  }
  const headersBytes = payload - offset;
  const payloadBytes = end - payload;
  if (headersBytes > LARGEST_HEADERS_BYTES || payloadBytes <= 0 || size === 0) return MALFORMED_IP;
  packet.headersBytes = headersBytes;
  packet.segmentBytes = size;
  packet.segments = Math.ceil(payloadBytes / size);
  return packet.segments > MOST_SEGMENTS ? MALFORMED_IP : ACCEPT;
}

/** Where the header of upper-layer `protocol` starts; -1 when something else is there. */
function transportOffset(packet: UnitPacket, bytes: Uint8Array, protocol: number): number {
  const { offset } = packet;
  if (packet.ipv6) return ipv6UpperOffset(bytes, offset, offset + packet.bytes, protocol);
  const fragment = readU16(bytes, offset + IPV4_FRAGMENT) & (IPV4_FRAGMENT_OFFSET_MASK | IPV4_MORE_FRAGMENTS);
  if (fragment !== 0 || bytes[offset + IPV4_PROTOCOL] !== protocol) return -1;
  return offset + ipv4HeaderBytes(bytes, offset);
}
