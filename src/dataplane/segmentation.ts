/** Cuts super-segments: the headers of each segment, with its lengths, numbers, flags and checksums. */

import { readU16, readU32, writeU16, writeU32 } from "../base/bytes.ts";
import { addToSum, checksumOf } from "../wire/checksum.ts";
import { IPV4_CHECKSUM, IPV4_IDENTIFICATION, IPV4_TOTAL_LENGTH } from "../wire/ipv4.ts";
import { IPV6_HEADER_BYTES, IPV6_PAYLOAD_LENGTH } from "../wire/ipv6.ts";
import { TCP_CHECKSUM, TCP_CWR, TCP_DATA_OFFSET, TCP_FIN, TCP_PSH, TCP_SEQUENCE } from "../wire/tcp.ts";
import { UDP_CHECKSUM, UDP_LENGTH } from "../wire/udp.ts";
import type { UnitPacket } from "./unit-packet.ts";

/**
 * The headers of one super-segment. What its segments have in common is summed once; what differs is added for each,
 * and the sum of its payload comes from whoever has summed it.
 */
export class SuperSegment {
  #offset = 0;
  #headersBytes = 0;
  #transport = 0;
  #ipv6 = false;
  #udp = false;
  #segmentBytes = 0;
  #segments = 0;
  #identification = 0;
  #sequence = 0;
  /** The word of TCP's data offset and flags. */
  #flags = 0;
  /** Sums without what differs. */
  #ipSum = 0;
  #transportSum = 0;

  /** Takes up a packet with `segmentBytes`, whose headers stay as they are while its segments are written. */
  begin(bytes: Uint8Array, packet: UnitPacket): void {
    const { offset, ipv6, checksumFrom: transport, headersBytes } = packet;
    const udp = packet.checksumAt === transport + UDP_CHECKSUM;
    this.#offset = offset;
    this.#headersBytes = headersBytes;
    this.#transport = transport - offset;
    this.#ipv6 = ipv6;
    this.#udp = udp;
    this.#segmentBytes = packet.segmentBytes;
    this.#segments = packet.segments;
    if (!ipv6) {
      this.#identification = readU16(bytes, offset + IPV4_IDENTIFICATION);
      this.#ipSum =
        addToSum(0, bytes, offset, transport - offset) -
        readU16(bytes, offset + IPV4_TOTAL_LENGTH) -
        this.#identification -
        readU16(bytes, offset + IPV4_CHECKSUM);
    }
    // at the checksum's place is the sum of the pseudo-header, with the length of the whole, which goes
    const upperBytes = offset + packet.bytes - transport;
    const sum = 0xffff - upperBytes + addToSum(0, bytes, transport, offset + headersBytes - transport);
    if (udp) {
      this.#transportSum = sum - readU16(bytes, transport + UDP_LENGTH);
      return;
    }
    this.#sequence = readU32(bytes, transport + TCP_SEQUENCE);
    this.#flags = readU16(bytes, transport + TCP_DATA_OFFSET);
    this.#transportSum = sum - (this.#sequence >>> 16) - (this.#sequence & 0xffff) - this.#flags;
  }

  /**
   * Writes the headers of segment `index`, from 0, to `to`, which may be where those of the super-segment are when
   * nothing else is to be written. Its payload has `payloadBytes` octets that add up to `payloadSum`.
   */
  writeHeaders(bytes: Uint8Array, to: number, index: number, payloadBytes: number, payloadSum: number): void {
    const headersBytes = this.#headersBytes;
    const offset = this.#offset;
    if (to !== offset) for (let i = 0; i < headersBytes; i++) bytes[to + i] = bytes[offset + i]!;
    const packetBytes = headersBytes + payloadBytes;
    if (this.#ipv6) {
      writeU16(bytes, to + IPV6_PAYLOAD_LENGTH, packetBytes - IPV6_HEADER_BYTES);
    } else {
      // each is a packet of its own (RFC 6864 §4), as the host itself numbers them
      const identification = (this.#identification + index) & 0xffff;
      writeU16(bytes, to + IPV4_TOTAL_LENGTH, packetBytes);
      writeU16(bytes, to + IPV4_IDENTIFICATION, identification);
      writeU16(bytes, to + IPV4_CHECKSUM, checksumOf(this.#ipSum + packetBytes + identification));
    }
    const transport = to + this.#transport;
    const upperBytes = packetBytes - this.#transport;
    // the pseudo-header has the length, too
    const sum = this.#transportSum + upperBytes + payloadSum;
    if (this.#udp) {
      writeU16(bytes, transport + UDP_LENGTH, upperBytes);
      // RFC 768: a computed zero goes as all ones, since zero means that there is none
      writeU16(bytes, transport + UDP_CHECKSUM, checksumOf(sum + upperBytes) || 0xffff);
      return;
    }
    const sequence = (this.#sequence + index * this.#segmentBytes) >>> 0;
    let flags = this.#flags;
    // the end of what was sent, and of the stream, is the end of the last segment
    if (index < this.#segments - 1) flags &= ~(TCP_FIN | TCP_PSH);
    // "the first data segment" tells that the window was reduced (RFC 3168 §6.1.2)
    if (index > 0) flags &= ~TCP_CWR;
    writeU32(bytes, transport + TCP_SEQUENCE, sequence);
    writeU16(bytes, transport + TCP_DATA_OFFSET, flags);
    const checksum = checksumOf(sum + (sequence >>> 16) + (sequence & 0xffff) + flags);
    writeU16(bytes, transport + TCP_CHECKSUM, checksum);
  }
}
