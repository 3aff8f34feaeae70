/**
 * The TCP header (RFC 9293 §3.1) as far as cutting and joining segments and clamping the maximum segment size need it.
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-------------------------------+-------------------------------+
 *   |          source port          |       destination port        |
 *   +-------------------------------+-------------------------------+
 *   |                        sequence number                        |
 *   +---------------------------------------------------------------+
 *   |                     acknowledgment number                     |
 *   +-------+-------+---------------+-------------------------------+
 *   |data at|       |C E U A P R S F|            window             |
 *   +-------+-------+---------------+-------------------------------+
 *   |           checksum            |         urgent pointer        |
 *   +-------------------------------+-------------------------------+
 *   |  options: kind, length with these two octets, value           ~
 *   +---------------------------------------------------------------+
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { updateChecksum } from "./checksum.ts";
import {
  IPV4_FRAGMENT,
  IPV4_FRAGMENT_OFFSET_MASK,
  IPV4_PROTOCOL,
  ipv4HeaderBytes,
  ipv4PacketBytes,
  PROTOCOL_TCP,
} from "./ipv4.ts";
import { ipv6PacketBytes, ipv6UpperOffset } from "./ipv6.ts";

export const TCP_SEQUENCE = 4;
export const TCP_ACKNOWLEDGMENT = 8;
export const TCP_DATA_OFFSET = 12;
export const TCP_FLAGS = 13;
export const TCP_WINDOW = 14;
export const TCP_CHECKSUM = 16;
export const TCP_HEADER_BYTES = 20;
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_ECE = 0x40;
export const TCP_CWR = 0x80;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_MSS_BYTES = 4;

/** Octets of the header at `tcp` with its options, by its own data offset. */
export function tcpHeaderBytes(bytes: Uint8Array, tcp: number): number {
  return (bytes[tcp + TCP_DATA_OFFSET]! >>> 4) * 4;
}

/**
 * Lowers the MSS option of a TCP SYN in the IP packet at `offset` to `mssIpv4` or `mssIpv6` octets, and mends
 * the checksum. Returns whether it did. What is no SYN, is malformed or is a later fragment stays as it is;
 * a SYN without the option too: its sender takes 536 or 1220 for granted (RFC 9293 §3.7.1).
 */
export function clampMss(
  bytes: Uint8Array,
  offset: number,
  length: number,
  mssIpv4: number,
  mssIpv6: number,
): boolean {
  if (length === 0) return false;
  if (bytes[offset]! >>> 4 === 4) {
    const total = ipv4PacketBytes(bytes, offset, length);
    if (total < 0 || bytes[offset + IPV4_PROTOCOL] !== PROTOCOL_TCP) return false;
    if ((readU16(bytes, offset + IPV4_FRAGMENT) & IPV4_FRAGMENT_OFFSET_MASK) !== 0) return false;
    return clampSegment(bytes, offset + ipv4HeaderBytes(bytes, offset), offset + total, mssIpv4);
  }
  const total = ipv6PacketBytes(bytes, offset, length);
  if (total < 0) return false;
  const tcp = ipv6UpperOffset(bytes, offset, offset + total, PROTOCOL_TCP);
  return tcp >= 0 && clampSegment(bytes, tcp, offset + total, mssIpv6);
}

function clampSegment(bytes: Uint8Array, tcp: number, end: number, mss: number): boolean {
  if (tcp + TCP_HEADER_BYTES > end || (bytes[tcp + TCP_FLAGS]! & TCP_SYN) === 0) return false;
  const optionsEnd = tcp + tcpHeaderBytes(bytes, tcp);
  if (optionsEnd > end) return false;
  let at = tcp + TCP_HEADER_BYTES;
  while (at < optionsEnd) {
    const kind = bytes[at]!;
    if (kind === OPTION_END) return false;
    if (kind === OPTION_NOP) {
      at += 1;
      continue;
    }
    const optionBytes = at + 1 < optionsEnd ? bytes[at + 1]! : 0;
    if (optionBytes < 2 || at + optionBytes > optionsEnd) return false;
    if (kind === OPTION_MSS) return optionBytes === OPTION_MSS_BYTES && lower(bytes, tcp, at + 2, mss);
    at += optionBytes;
  }
  return false;
}

function lower(bytes: Uint8Array, tcp: number, at: number, mss: number): boolean {
  const before = readU16(bytes, at);
  if (before <= mss) return false;
  writeU16(bytes, at, mss);
  // behind an odd number of NOPs the value straddles two words: the sum of swapped octets is the swapped sum
  const straddles = ((at - tcp) & 1) !== 0;
  const checksum = readU16(bytes, tcp + TCP_CHECKSUM);
  const updated = straddles
    ? updateChecksum(checksum, swap(before), swap(mss))
    : updateChecksum(checksum, before, mss);
  writeU16(bytes, tcp + TCP_CHECKSUM, updated);
  return true;
}

function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >>> 8);
}
