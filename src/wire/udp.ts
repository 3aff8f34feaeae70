/**
 * The UDP header (RFC 768).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |          source port          |       destination port        |
 *   +-------------------------------+-------------------------------+
 *   |      length, with header      |           checksum            |
 *   +-------------------------------+-------------------------------+
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { addToSum, checksumOf, fillTransportChecksum, pseudoHeaderSum } from "./checksum.ts";
import { PROTOCOL_UDP } from "./ipv4.ts";

const UDP_DESTINATION_PORT = 2;
export const UDP_LENGTH = 4;
export const UDP_CHECKSUM = 6;
export const UDP_HEADER_BYTES = 8;

/** Addresses are 4 or 16 octets each, of one family. */
export interface UdpDatagram {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/**
 * Reads the payload of an IP packet. Undefined when lengths or checksum are wrong. A checksum of zero means
 * none on IPv4, and is forbidden on IPv6 (RFC 8200 §8.1).
 */
export function parseUdp(
  segment: Uint8Array,
  source: Uint8Array,
  destination: Uint8Array,
): UdpDatagram | undefined {
  if (segment.length < UDP_HEADER_BYTES) return undefined;
  const length = readU16(segment, UDP_LENGTH);
  if (length < UDP_HEADER_BYTES || length > segment.length) return undefined;
  if (readU16(segment, UDP_CHECKSUM) === 0) {
    if (source.length !== 4) return undefined;
  } else {
    const pseudo = pseudoHeaderSum(source, destination, PROTOCOL_UDP, length);
    if (checksumOf(addToSum(pseudo, segment, 0, length)) !== 0) return undefined;
  }
  return {
    source,
    destination,
    sourcePort: readU16(segment, 0),
    destinationPort: readU16(segment, UDP_DESTINATION_PORT),
    payload: segment.slice(UDP_HEADER_BYTES, length),
  };
}

/** The payload of an IP packet, with its checksum. */
export function emitUdp(datagram: UdpDatagram): Uint8Array {
  const segment = new Uint8Array(UDP_HEADER_BYTES + datagram.payload.length);
  writeU16(segment, 0, datagram.sourcePort);
  writeU16(segment, UDP_DESTINATION_PORT, datagram.destinationPort);
  writeU16(segment, UDP_LENGTH, segment.length);
  segment.set(datagram.payload, UDP_HEADER_BYTES);
  fillTransportChecksum(segment, UDP_CHECKSUM, datagram.source, datagram.destination, PROTOCOL_UDP);
  // RFC 768: a computed zero goes as all ones, since zero means that there is none
  if (readU16(segment, UDP_CHECKSUM) === 0) writeU16(segment, UDP_CHECKSUM, 0xffff);
  return segment;
}
