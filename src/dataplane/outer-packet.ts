/** The IP and UDP headers around a datagram, which the system makes and takes away: written again for who wants to see them. */

import { writeU16 } from "../base/bytes.ts";
import type { UdpPeerSpec } from "../channel/dataplane.ts";
import { addToSum, checksumOf, pseudoHeaderSum } from "../wire/checksum.ts";
import {
  IPV4_CHECKSUM,
  IPV4_DESTINATION,
  IPV4_HEADER_BYTES,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TOS,
  IPV4_TOTAL_LENGTH,
  IPV4_TTL,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import {
  IPV6_DESTINATION,
  IPV6_HEADER_BYTES,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  IPV6_SOURCE,
} from "../wire/ipv6.ts";
import { UDP_CHECKSUM, UDP_HEADER_BYTES, UDP_LENGTH } from "../wire/udp.ts";
import { outerBytes } from "./outer.ts";
import { addressOctets } from "./specs.ts";

/** What Linux starts with. */
const TTL = 64;

/** What the headers say. Addresses are 4 or 16 octets each, of one family. */
export interface OuterPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  /** The octet of DSCP and ECN. */
  readonly tos: number;
  /** Octets of the UDP payload, at most what an IP packet has room for. */
  readonly payloadBytes: number;
  /** The sum of the payload's 16-bit words (RFC 1071), not complemented; undefined: there is no checksum. */
  readonly payloadSum: number | undefined;
}

/** Writes both headers so that they end before `end`, where the payload starts; returns where they start. */
export function writeOuterHeaders(bytes: Uint8Array, end: number, packet: OuterPacket): number {
  const { source, destination, payloadBytes } = packet;
  const udp = end - UDP_HEADER_BYTES;
  const udpBytes = UDP_HEADER_BYTES + payloadBytes;
  const ipv4 = source.length === 4;
  const start = udp - (ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
  bytes.fill(0, start, end);
  if (ipv4) writeIpv4Header(bytes, start, packet, udpBytes);
  else writeIpv6Header(bytes, start, packet, udpBytes);
  writeU16(bytes, udp, packet.sourcePort);
  writeU16(bytes, udp + 2, packet.destinationPort);
  writeU16(bytes, udp + UDP_LENGTH, udpBytes);
  if (packet.payloadSum === undefined) return start;
  const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_UDP, udpBytes);
  const checksum = checksumOf(addToSum(pseudo + packet.payloadSum, bytes, udp, UDP_HEADER_BYTES));
  // RFC 768: a computed zero goes as all ones
  writeU16(bytes, udp + UDP_CHECKSUM, checksum === 0 ? 0xffff : checksum);
  return start;
}

/** The packet that a datagram is in. */
export function packetAround(
  datagram: Uint8Array,
  headers: Omit<OuterPacket, "payloadBytes" | "payloadSum">,
  checksum: boolean,
): Uint8Array {
  const payload = outerBytes(headers.source.length === 16, 0);
  const packet = new Uint8Array(payload + datagram.length);
  const payloadSum = checksum ? addToSum(0, datagram, 0, datagram.length) : undefined;
  writeOuterHeaders(packet, payload, { ...headers, payloadBytes: datagram.length, payloadSum });
  packet.set(datagram, payload);
  return packet;
}

/** The packet that a data message to a peer is in. `address`: ours, where the peer has no other. */
export function sentPacket(
  message: Uint8Array,
  peer: UdpPeerSpec,
  address: Uint8Array,
  udpPort: number,
): Uint8Array {
  const destination = addressOctets(peer.address);
  const headers = {
    source: peer.localAddress === undefined ? address : addressOctets(peer.localAddress),
    destination,
    sourcePort: udpPort,
    destinationPort: peer.udpPort,
    tos: (peer.dscp ?? 0) << 2,
  };
  // IPv6 always has one (RFC 8200 §8.1)
  return packetAround(message, headers, peer.checksum || destination.length === 16);
}

function writeIpv4Header(bytes: Uint8Array, at: number, packet: OuterPacket, udpBytes: number): void {
  bytes[at] = 0x45;
  bytes[at + IPV4_TOS] = packet.tos;
  writeU16(bytes, at + IPV4_TOTAL_LENGTH, IPV4_HEADER_BYTES + udpBytes);
  bytes[at + IPV4_TTL] = TTL;
  bytes[at + IPV4_PROTOCOL] = PROTOCOL_UDP;
  bytes.set(packet.source, at + IPV4_SOURCE);
  bytes.set(packet.destination, at + IPV4_DESTINATION);
  writeU16(bytes, at + IPV4_CHECKSUM, checksumOf(addToSum(0, bytes, at, IPV4_HEADER_BYTES)));
}

function writeIpv6Header(bytes: Uint8Array, at: number, packet: OuterPacket, udpBytes: number): void {
  writeU16(bytes, at, 0x6000 | (packet.tos << 4));
  writeU16(bytes, at + IPV6_PAYLOAD_LENGTH, udpBytes);
  bytes[at + IPV6_NEXT_HEADER] = PROTOCOL_UDP;
  bytes[at + IPV6_HOP_LIMIT] = TTL;
  bytes.set(packet.source, at + IPV6_SOURCE);
  bytes.set(packet.destination, at + IPV6_DESTINATION);
}
