/**
 * Joins segments that follow each other into a super-segment, under the rules by which Linux's GRO does it: nothing is
 * joined that would not come out again as it was when the result is cut up.
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { addToSum, checksumOf, updateChecksum } from "../wire/checksum.ts";
import {
  IPV4_CHECKSUM,
  IPV4_DONT_FRAGMENT,
  IPV4_FRAGMENT,
  IPV4_HEADER_BYTES,
  IPV4_IDENTIFICATION,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  IPV4_TOS,
  IPV4_TOTAL_LENGTH,
  IPV4_TTL,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../wire/ipv4.ts";
import {
  IPV6_HEADER_BYTES,
  IPV6_HOP_LIMIT,
  IPV6_NEXT_HEADER,
  IPV6_PAYLOAD_LENGTH,
  IPV6_SOURCE,
  PROTOCOL_ICMPV6,
} from "../wire/ipv6.ts";
import {
  TCP_ACK,
  TCP_ACKNOWLEDGMENT,
  TCP_CHECKSUM,
  TCP_DATA_OFFSET,
  TCP_ECE,
  TCP_FLAGS,
  TCP_HEADER_BYTES,
  TCP_PSH,
  TCP_SEQUENCE,
  TCP_WINDOW,
  tcpHeaderBytes,
} from "../wire/tcp.ts";
import { UDP_CHECKSUM, UDP_HEADER_BYTES, UDP_LENGTH } from "../wire/udp.ts";
import {
  VNET_GSO_TCP_IPV4,
  VNET_GSO_TCP_IPV6,
  VNET_GSO_UDP,
  writeVnetSuperSegment,
} from "../wire/virtio-net.ts";

/** What jointHeaders() finds of a packet that is no part of a flow. */
export const NO_FLOW = 0;
/** Of one that may be part of any: a fragment, or one with IP options or extension headers. */
export const ANY_FLOW = -2;
/** And of one that is part of a flow in which it stands alone. */
const ALONE = -1;

/** An IP packet's length is a word; a super-segment's, too. */
export const LARGEST_JOINED_BYTES = 65_535;

/**
 * Octets of the IP and TCP or UDP headers of a packet that may be joined with others of its flow: a TCP segment with
 * payload and nothing to say besides (of flags, ACK, PSH and ECE), or a UDP datagram with a checksum. Else NO_FLOW,
 * ANY_FLOW or ALONE. `length`: as the IP header has it.
 */
export function jointHeaders(bytes: Uint8Array, offset: number, length: number): number {
  const version = bytes[offset]! >>> 4;
  let protocol: number;
  let ipBytes: number;
  if (version === 4) {
    if (bytes[offset] !== 0x45 || (readU16(bytes, offset + IPV4_FRAGMENT) & ~IPV4_DONT_FRAGMENT) !== 0)
      return ANY_FLOW;
    protocol = bytes[offset + IPV4_PROTOCOL]!;
    ipBytes = IPV4_HEADER_BYTES;
  } else {
    protocol = bytes[offset + IPV6_NEXT_HEADER]!;
    ipBytes = IPV6_HEADER_BYTES;
  }
  const upper = offset + ipBytes;
  const upperBytes = length - ipBytes;
  if (protocol === PROTOCOL_TCP) {
    if (upperBytes < TCP_HEADER_BYTES) return NO_FLOW;
    const headerBytes = tcpHeaderBytes(bytes, upper);
    const plain = (bytes[upper + TCP_FLAGS]! & ~(TCP_PSH | TCP_ECE)) === TCP_ACK;
    // the octet of the data offset has four bits for flags of the future
    const known = headerBytes >= TCP_HEADER_BYTES && (bytes[upper + TCP_DATA_OFFSET]! & 0x0f) === 0;
    return plain && known && headerBytes < upperBytes ? ipBytes + headerBytes : ALONE;
  }
  if (protocol !== PROTOCOL_UDP) return version === 4 || protocol === PROTOCOL_ICMPV6 ? NO_FLOW : ANY_FLOW;
  if (upperBytes < UDP_HEADER_BYTES) return NO_FLOW;
  const whole = readU16(bytes, upper + UDP_LENGTH) === upperBytes && upperBytes > UDP_HEADER_BYTES;
  return whole && readU16(bytes, upper + UDP_CHECKSUM) !== 0 ? ipBytes + UDP_HEADER_BYTES : ALONE;
}

export function isUdp(bytes: Uint8Array, offset: number): boolean {
  const protocol = bytes[offset]! >>> 4 === 4 ? IPV4_PROTOCOL : IPV6_NEXT_HEADER;
  return bytes[offset + protocol] === PROTOCOL_UDP;
}

/** Whether it is the last of a super-segment whatever follows: its sender pushes. */
export function isPushed(bytes: Uint8Array, offset: number): boolean {
  if (isUdp(bytes, offset)) return false;
  return (bytes[upperOf(bytes, offset) + TCP_FLAGS]! & TCP_PSH) !== 0;
}

function upperOf(bytes: Uint8Array, offset: number): number {
  return offset + (bytes[offset]! >>> 4 === 4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
}

/** Where the addresses start that belong to the pseudo-header; the TCP or UDP header follows them. */
function addressesOf(bytes: Uint8Array, offset: number): number {
  return offset + (bytes[offset]! >>> 4 === 4 ? IPV4_SOURCE : IPV6_SOURCE);
}

/** A number for the flow of a packet for which jointHeaders() knows the flow: equal for all packets of the flow. */
export function flowHash(bytes: Uint8Array, offset: number): number {
  const ports = upperOf(bytes, offset) + 4;
  let hash = 0;
  for (let at = addressesOf(bytes, offset); at < ports; at += 4)
    hash = Math.imul(
      hash ^ ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!),
      0x9e3779b1,
    );
  // a product's low bits say nothing of what the factor has above them, where the source's port is
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return hash ^ (hash >>> 16);
}

/**
 * Whether the packet at `next` continues the one at `last`, which is of `lastBytes`: the same flow, and everything of
 * the headers equal but what a cut makes differ. Both have `headersBytes` of headers. Their payloads' lengths are the
 * caller's to compare.
 */
export function continues(
  bytes: Uint8Array,
  last: number,
  lastBytes: number,
  next: number,
  headersBytes: number,
): boolean {
  const ipv4 = bytes[last]! >>> 4 === 4;
  if (ipv4 ? !sameIpv4(bytes, last, next) : !sameIpv6(bytes, last, next)) return false;
  const ipBytes = ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const a = last + ipBytes;
  const b = next + ipBytes;
  // ports
  if (!equal(bytes, a, b, 4)) return false;
  if (isUdp(bytes, last)) return true;
  const from = readWord(bytes, a + TCP_SEQUENCE);
  if (((from + lastBytes - headersBytes) | 0) !== readWord(bytes, b + TCP_SEQUENCE)) return false;
  // of the flags, the last one's may have PSH
  return (
    equal(bytes, a + TCP_ACKNOWLEDGMENT, b + TCP_ACKNOWLEDGMENT, 5) &&
    ((bytes[a + TCP_FLAGS]! ^ bytes[b + TCP_FLAGS]!) & ~TCP_PSH) === 0 &&
    equal(bytes, a + TCP_WINDOW, b + TCP_WINDOW, 2) &&
    equal(bytes, a + TCP_CHECKSUM + 2, b + TCP_CHECKSUM + 2, headersBytes - ipBytes - TCP_CHECKSUM - 2)
  );
}

function readWord(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}

function equal(bytes: Uint8Array, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (bytes[a + i] !== bytes[b + i]) return false;
  return true;
}

function sameIpv4(bytes: Uint8Array, a: number, b: number): boolean {
  const fragment = readU16(bytes, a + IPV4_FRAGMENT);
  if (
    bytes[a] !== bytes[b] ||
    bytes[a + IPV4_TOS] !== bytes[b + IPV4_TOS] ||
    fragment !== readU16(bytes, b + IPV4_FRAGMENT) ||
    bytes[a + IPV4_TTL] !== bytes[b + IPV4_TTL] ||
    bytes[a + IPV4_PROTOCOL] !== bytes[b + IPV4_PROTOCOL] ||
    !equal(bytes, a + IPV4_SOURCE, b + IPV4_SOURCE, 8)
  )
    return false;
  // a cut numbers its packets in sequence. Of one that is never fragmented the number says nothing (RFC 6864 §4.1)
  const identification = readU16(bytes, a + IPV4_IDENTIFICATION);
  return (
    (fragment & IPV4_DONT_FRAGMENT) !== 0 ||
    ((identification + 1) & 0xffff) === readU16(bytes, b + IPV4_IDENTIFICATION)
  );
}

function sameIpv6(bytes: Uint8Array, a: number, b: number): boolean {
  return (
    equal(bytes, a, b, 4) &&
    bytes[a + IPV6_NEXT_HEADER] === bytes[b + IPV6_NEXT_HEADER] &&
    bytes[a + IPV6_HOP_LIMIT] === bytes[b + IPV6_HOP_LIMIT] &&
    equal(bytes, a + IPV6_SOURCE, b + IPV6_SOURCE, 32)
  );
}

/** From where on a packet of `length` octets must be summed for isIntact(): to its end. */
export function summedFrom(bytes: Uint8Array, offset: number): number {
  return addressesOf(bytes, offset);
}

/** Whether the checksums of a packet are right. `sum`: of what summedFrom() says. */
export function isIntact(bytes: Uint8Array, offset: number, length: number, sum: number): boolean {
  const ipv4 = bytes[offset]! >>> 4 === 4;
  if (ipv4 && checksumOf(addToSum(0, bytes, offset, IPV4_HEADER_BYTES)) !== 0) return false;
  const upperBytes = length - (ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
  return checksumOf(sum + upperBytes + (isUdp(bytes, offset) ? PROTOCOL_UDP : PROTOCOL_TCP)) === 0;
}

/**
 * Makes the packet at `offset` the first of a super-segment of `length` octets: its lengths, its checksum (whose sum of
 * the payload is left to the kernel) and PSH if the last has it; and writes the vnet header to `vnet`. It was of
 * `firstBytes`, `headersBytes` of which are headers.
 */
export function writeJoinedHeaders(
  bytes: Uint8Array,
  vnet: number,
  offset: number,
  firstBytes: number,
  headersBytes: number,
  length: number,
  pushed: boolean,
): void {
  const ipv4 = bytes[offset]! >>> 4 === 4;
  const udp = isUdp(bytes, offset);
  const ipBytes = ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES;
  const upper = offset + ipBytes;
  const upperBytes = length - ipBytes;
  if (ipv4) {
    const checksum = readU16(bytes, offset + IPV4_CHECKSUM);
    writeU16(bytes, offset + IPV4_CHECKSUM, updateChecksum(checksum, firstBytes, length));
    writeU16(bytes, offset + IPV4_TOTAL_LENGTH, length);
  } else {
    writeU16(bytes, offset + IPV6_PAYLOAD_LENGTH, upperBytes);
  }
  const addresses = addressesOf(bytes, offset);
  const pseudo = addToSum(
    upperBytes + (udp ? PROTOCOL_UDP : PROTOCOL_TCP),
    bytes,
    addresses,
    upper - addresses,
  );
  const checksumOffset = udp ? UDP_CHECKSUM : TCP_CHECKSUM;
  writeU16(bytes, upper + checksumOffset, ~checksumOf(pseudo) & 0xffff);
  if (udp) writeU16(bytes, upper + UDP_LENGTH, upperBytes);
  else if (pushed) bytes[upper + TCP_FLAGS]! |= TCP_PSH;
  const gso = udp ? VNET_GSO_UDP : ipv4 ? VNET_GSO_TCP_IPV4 : VNET_GSO_TCP_IPV6;
  writeVnetSuperSegment(bytes, vnet, gso, firstBytes - headersBytes, ipBytes, headersBytes, checksumOffset);
}
