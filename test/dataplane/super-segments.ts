/** TCP and UDP packets, and super-segments of them, put together and taken apart in the plainest way. */

import { concatBytes, readU16, readU32, writeU16, writeU32 } from "../../src/base/bytes.ts";
import { checksumOf, fillTransportChecksum, pseudoHeaderSum } from "../../src/wire/checksum.ts";
import { emitIpv4, PROTOCOL_TCP, PROTOCOL_UDP, parseIpv4 } from "../../src/wire/ipv4.ts";
import { emitIpv6, parseIpv6 } from "../../src/wire/ipv6.ts";

export const FIN = 0x01;
export const SYN = 0x02;
export const PSH = 0x08;
export const ACK = 0x10;
export const ECE = 0x40;
export const CWR = 0x80;

export interface Segment {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly udp: boolean;
  readonly tos: number;
  readonly ttl: number;
  /** IPv4. */
  readonly identification: number;
  readonly dontFragment: boolean;
  /** TCP. */
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  readonly urgent: number;
  readonly options: Uint8Array;
  readonly payload: Uint8Array;
}

export const SEGMENT: Segment = {
  source: Uint8Array.of(203, 0, 113, 1),
  destination: Uint8Array.of(198, 51, 100, 7),
  sourcePort: 80,
  destinationPort: 40_000,
  udp: false,
  tos: 2,
  ttl: 61,
  identification: 0xfffe,
  dontFragment: true,
  sequence: 0xffff_ff00,
  acknowledgment: 0x0102_0304,
  flags: ACK,
  window: 501,
  urgent: 0,
  options: Uint8Array.of(1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8),
  payload: new Uint8Array(0),
};

export const IPV6 = {
  source: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
  destination: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2),
};

const CHECKSUM = { tcp: 16, udp: 6 };

/** The IP packet, with right checksums. */
export function packetOf(segment: Segment): Uint8Array {
  const { source, destination, udp, payload, options } = segment;
  const header = new Uint8Array(udp ? 8 : 20 + options.length);
  writeU16(header, 0, segment.sourcePort);
  writeU16(header, 2, segment.destinationPort);
  if (udp) {
    writeU16(header, 4, 8 + payload.length);
  } else {
    writeU32(header, 4, segment.sequence);
    writeU32(header, 8, segment.acknowledgment);
    writeU16(header, 12, (header.length << 10) | segment.flags);
    writeU16(header, 14, segment.window);
    writeU16(header, 18, segment.urgent);
    header.set(options, 20);
  }
  const upper = concatBytes(header, payload);
  const protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP;
  const checksumAt = udp ? CHECKSUM.udp : CHECKSUM.tcp;
  fillTransportChecksum(upper, checksumAt, source, destination, protocol);
  if (udp && readU16(upper, checksumAt) === 0) writeU16(upper, checksumAt, 0xffff);
  return source.length === 4
    ? emitIpv4({ ...segment, protocol, moreFragments: false, fragmentOffset: 0, payload: upper })
    : emitIpv6({
        trafficClass: segment.tos,
        flowLabel: 0x12345,
        nextHeader: protocol,
        hopLimit: segment.ttl,
        source,
        destination,
        payload: upper,
      });
}

/** What is in a packet of packetOf(), whatever its TCP or UDP checksum; throws when it is none. */
export function segmentOf(packet: Uint8Array): Segment {
  const ip = packet[0]! >>> 4 === 4 ? parseIpv4(packet) : parseIpv6(packet);
  if (ip === undefined) throw new Error("no IP packet");
  const v4 = "ttl" in ip;
  const upper = ip.payload;
  const udp = (v4 ? ip.protocol : ip.nextHeader) === PROTOCOL_UDP;
  const headerBytes = udp ? 8 : (upper[12]! >>> 4) * 4;
  if (udp && readU16(upper, 4) !== upper.length) throw new Error("UDP's length is not the packet's");
  return {
    source: ip.source,
    destination: ip.destination,
    sourcePort: readU16(upper, 0),
    destinationPort: readU16(upper, 2),
    udp,
    tos: v4 ? ip.tos : ip.trafficClass,
    ttl: v4 ? ip.ttl : ip.hopLimit,
    identification: v4 ? ip.identification : 0,
    dontFragment: v4 && ip.dontFragment,
    sequence: udp ? 0 : readU32(upper, 4),
    acknowledgment: udp ? 0 : readU32(upper, 8),
    flags: udp ? 0 : upper[13]!,
    window: udp ? 0 : readU16(upper, 14),
    urgent: udp ? 0 : readU16(upper, 18),
    options: udp ? new Uint8Array(0) : upper.slice(20, headerBytes),
    payload: upper.slice(headerBytes),
  };
}

/** The packets that a super-segment stands for. */
export function cut(segment: Segment, size: number): Uint8Array[] {
  const packets: Uint8Array[] = [];
  for (let at = 0; at < segment.payload.length; at += size) {
    const last = at + size >= segment.payload.length;
    packets.push(
      packetOf({
        ...segment,
        identification: (segment.identification + packets.length) & 0xffff,
        sequence: (segment.sequence + at) >>> 0,
        flags: segment.flags & (last ? 0xff : ~(FIN | PSH)) & (at === 0 ? 0xff : ~CWR),
        payload: segment.payload.slice(at, at + size),
      }),
    );
  }
  return packets;
}

/** struct virtio_net_hdr, little-endian. */
export interface VnetHeader {
  readonly flags: number;
  readonly gsoType: number;
  readonly headersBytes: number;
  readonly gsoSize: number;
  readonly checksumStart: number;
  readonly checksumOffset: number;
}

export function emitVnet(header: VnetHeader): Uint8Array {
  const bytes = new Uint8Array(10);
  const view = new DataView(bytes.buffer);
  bytes[0] = header.flags;
  bytes[1] = header.gsoType;
  view.setUint16(2, header.headersBytes, true);
  view.setUint16(4, header.gsoSize, true);
  view.setUint16(6, header.checksumStart, true);
  view.setUint16(8, header.checksumOffset, true);
  return bytes;
}

export function parseVnet(bytes: Uint8Array): VnetHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    flags: bytes[0]!,
    gsoType: bytes[1]!,
    headersBytes: view.getUint16(2, true),
    gsoSize: view.getUint16(4, true),
    checksumStart: view.getUint16(6, true),
    checksumOffset: view.getUint16(8, true),
  };
}

/** The header of a packet whose checksum is left to others; `gsoSize` 0: it is to stay whole. */
export function vnetOf(segment: Segment, gsoSize: number): VnetHeader {
  const ipBytes = segment.source.length === 4 ? 20 : 40;
  const gso = segment.udp ? 5 : ipBytes === 20 ? 1 : 4;
  return {
    flags: 1,
    gsoType: gsoSize === 0 ? 0 : gso | ((segment.flags & CWR) !== 0 ? 0x80 : 0),
    headersBytes: ipBytes + (segment.udp ? 8 : 20 + segment.options.length),
    gsoSize,
    checksumStart: ipBytes,
    checksumOffset: segment.udp ? CHECKSUM.udp : CHECKSUM.tcp,
  };
}

/** The sum of the pseudo-header alone, as it stands at the checksum's place while that is left to others. */
export function partialChecksum({ source, destination, udp }: Segment, upperBytes: number): number {
  const protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP;
  return ~checksumOf(pseudoHeaderSum(source, destination, protocol, upperBytes)) & 0xffff;
}

/** The packet with its vnet header, and the sum of the pseudo-header in place of the checksum. */
export function unfinished(segment: Segment, gsoSize: number): Uint8Array {
  const vnet = vnetOf(segment, gsoSize);
  const packet = packetOf(segment);
  writeU16(
    packet,
    vnet.checksumStart + vnet.checksumOffset,
    partialChecksum(segment, packet.length - vnet.checksumStart),
  );
  return concatBytes(emitVnet(vnet), packet);
}
