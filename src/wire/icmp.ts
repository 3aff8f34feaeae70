/**
 * The two ICMP errors that a router sends for a packet too large for the next link: Fragmentation Needed
 * (RFC 792 with RFC 1191 §4) and Packet Too Big (RFC 4443 §3.2).
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +---------------+---------------+-------------------------------+
 *   |  type 3 | 2   |  code 4 | 0   |           checksum            |
 *   +---------------+---------------+-------------------------------+
 *   |  MTU of the next link: 32 bits in ICMPv6, the low 16 in ICMP  |
 *   +---------------------------------------------------------------+
 *   |  as much of the packet as fits                                ~
 *   +---------------------------------------------------------------+
 *
 * How often to send them is the caller's to limit (RFC 1812 §4.3.2.8, RFC 4443 §2.4).
 */

import { readU16, writeU16, writeU32 } from "../base/bytes.ts";
import { fillTransportChecksum, internetChecksum } from "./checksum.ts";
import {
  emitIpv4,
  IPV4_DESTINATION,
  IPV4_FRAGMENT,
  IPV4_FRAGMENT_OFFSET_MASK,
  IPV4_HEADER_BYTES,
  IPV4_PROTOCOL,
  IPV4_SOURCE,
  ipv4HeaderBytes,
  PROTOCOL_ICMP,
} from "./ipv4.ts";
import {
  emitIpv6,
  IPV6_HEADER_BYTES,
  IPV6_MIN_MTU,
  IPV6_SOURCE,
  ipv6UpperOffset,
  PROTOCOL_ICMPV6,
} from "./ipv6.ts";

const ICMP_HEADER_BYTES = 8;
const ICMP_CHECKSUM = 2;
const ICMP_MTU = 4;

const ICMP_DESTINATION_UNREACHABLE = 3;
const FRAGMENTATION_NEEDED = 4;
/** Types of ICMP messages that ask or answer; all others are errors, about which no error is sent. */
const ICMP_QUERIES: ReadonlySet<number> = new Set([0, 8, 9, 10, 13, 14, 15, 16, 17, 18]);

const ICMPV6_PACKET_TOO_BIG = 2;
/** RFC 4443 §2.1: types below 128 are errors. */
const ICMPV6_FIRST_QUERY = 128;
const ICMPV6_REDIRECT = 137;

/** RFC 1812 §4.3.2.3: as much as possible without exceeding 576 octets. */
const ICMP_ERROR_BYTES = 576;
/** RFC 1812 §4.3.2.5: errors go with internetwork control precedence. */
const CONTROL_PRECEDENCE = 0xc0;
const HOP_LIMIT = 64;

/**
 * The IPv4 packet that tells the sender of `packet` (its beginning suffices) that `mtuBytes` is all the next
 * link takes. `source`: our four octets. Undefined where none may be sent (RFC 1812 §4.3.2.7): about ICMP
 * errors, later fragments, and packets from or to what is no single host.
 */
export function fragmentationNeeded(
  packet: Uint8Array,
  source: Uint8Array,
  mtuBytes: number,
): Uint8Array | undefined {
  if (packet.length < IPV4_HEADER_BYTES || packet[0]! >>> 4 !== 4) return undefined;
  const headerBytes = ipv4HeaderBytes(packet, 0);
  if (headerBytes < IPV4_HEADER_BYTES || packet.length < headerBytes) return undefined;
  if (!isHostIpv4(packet, IPV4_SOURCE) || !isHostIpv4(packet, IPV4_DESTINATION)) return undefined;
  if ((readU16(packet, IPV4_FRAGMENT) & IPV4_FRAGMENT_OFFSET_MASK) !== 0) return undefined;
  if (packet[IPV4_PROTOCOL] === PROTOCOL_ICMP && !ICMP_QUERIES.has(packet[headerBytes] ?? -1))
    return undefined;

  const quoted = packet.subarray(0, ICMP_ERROR_BYTES - IPV4_HEADER_BYTES - ICMP_HEADER_BYTES);
  const message = new Uint8Array(ICMP_HEADER_BYTES + quoted.length);
  message[0] = ICMP_DESTINATION_UNREACHABLE;
  message[1] = FRAGMENTATION_NEEDED;
  writeU16(message, ICMP_MTU + 2, mtuBytes);
  message.set(quoted, ICMP_HEADER_BYTES);
  writeU16(message, ICMP_CHECKSUM, internetChecksum(message, 0, message.length));
  return emitIpv4({
    tos: CONTROL_PRECEDENCE,
    identification: 0,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: HOP_LIMIT,
    protocol: PROTOCOL_ICMP,
    source,
    destination: packet.slice(IPV4_SOURCE, IPV4_SOURCE + 4),
    payload: message,
  });
}

/** Not "this network" (0/8), loopback (127/8), multicast (224/4) or reserved and broadcast (240/4). */
function isHostIpv4(packet: Uint8Array, offset: number): boolean {
  const first = packet[offset]!;
  return first !== 0 && first !== 127 && first < 224;
}

/**
 * The same for IPv6. `source`: our sixteen octets. Undefined where none may be sent (RFC 4443 §2.4 e): about
 * ICMPv6 errors and redirects, and to senders that are no single node. Packets to multicast get one.
 */
export function packetTooBig(
  packet: Uint8Array,
  source: Uint8Array,
  mtuBytes: number,
): Uint8Array | undefined {
  if (packet.length < IPV6_HEADER_BYTES || packet[0]! >>> 4 !== 6) return undefined;
  const sender = packet.slice(IPV6_SOURCE, IPV6_SOURCE + 16);
  if (sender[0] === 0xff || sender.every((octet) => octet === 0)) return undefined;
  const icmp = ipv6UpperOffset(packet, 0, packet.length, PROTOCOL_ICMPV6);
  if (icmp >= 0) {
    const type = packet[icmp] ?? 0;
    if (type < ICMPV6_FIRST_QUERY || type === ICMPV6_REDIRECT) return undefined;
  }

  const quoted = packet.subarray(0, IPV6_MIN_MTU - IPV6_HEADER_BYTES - ICMP_HEADER_BYTES);
  const message = new Uint8Array(ICMP_HEADER_BYTES + quoted.length);
  message[0] = ICMPV6_PACKET_TOO_BIG;
  writeU32(message, ICMP_MTU, mtuBytes);
  message.set(quoted, ICMP_HEADER_BYTES);
  fillTransportChecksum(message, ICMP_CHECKSUM, source, sender, PROTOCOL_ICMPV6);
  return emitIpv6({
    trafficClass: CONTROL_PRECEDENCE,
    flowLabel: 0,
    nextHeader: PROTOCOL_ICMPV6,
    hopLimit: HOP_LIMIT,
    source,
    destination: sender,
    payload: message,
  });
}

const ICMP_TIME_EXCEEDED = 11;
const ICMPV6_DESTINATION_UNREACHABLE = 1;
const ICMPV6_TIME_EXCEEDED = 3;

/** Why an ICMP error says that a datagram did not arrive. */
export type UnreachableReason = "port" | "host" | "network" | "prohibited" | "expired" | "other";

/** By the codes of Destination Unreachable (RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1). */
const REASONS: Readonly<Record<number, UnreachableReason>> = {
  0: "network",
  1: "host",
  3: "port",
  6: "network",
  7: "host",
  8: "host",
  9: "prohibited",
  10: "prohibited",
  11: "network",
  12: "host",
  13: "prohibited",
};

/** By those of ICMPv6 (RFC 4443 §3.1). */
const REASONS_V6: Readonly<Record<number, UnreachableReason>> = {
  0: "network",
  1: "prohibited",
  2: "host",
  3: "host",
  4: "port",
  5: "prohibited",
  6: "prohibited",
};

/** What an ICMP error, or one of ICMPv6, says. */
export function unreachableReason(isIpv6: boolean, type: number, code: number): UnreachableReason {
  if (type === (isIpv6 ? ICMPV6_TIME_EXCEEDED : ICMP_TIME_EXCEEDED)) return "expired";
  if (type !== (isIpv6 ? ICMPV6_DESTINATION_UNREACHABLE : ICMP_DESTINATION_UNREACHABLE)) return "other";
  return (isIpv6 ? REASONS_V6 : REASONS)[code] ?? "other";
}
