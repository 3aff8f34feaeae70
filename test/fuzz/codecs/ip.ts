import { equalBytes, readU16 } from "../../../src/base/bytes.ts";
import { ACCEPT } from "../../../src/dataplane/drop-codes.ts";
import { SuperSegment } from "../../../src/dataplane/segmentation.ts";
import { LARGEST_HEADERS_BYTES, readUnitPacket, UnitPacket } from "../../../src/dataplane/unit-packet.ts";
import { internetChecksum, pseudoHeaderSum } from "../../../src/wire/checksum.ts";
import { fragmentationNeeded, packetTooBig } from "../../../src/wire/icmp.ts";
import { emitIpv4, ipv4HeaderBytes, ipv4PacketBytes, parseIpv4 } from "../../../src/wire/ipv4.ts";
import { emitIpv6, ipv6PacketBytes, ipv6UpperOffset, parseIpv6 } from "../../../src/wire/ipv6.ts";
import { clampMss, tcpHeaderBytes } from "../../../src/wire/tcp.ts";
import { emitUdp, parseUdp } from "../../../src/wire/udp.ts";
import { vnetChecksumOffset, vnetChecksumStart, vnetGsoSize } from "../../../src/wire/virtio-net.ts";
import { CAPTURED } from "../captures.ts";
import { type Marker, samples } from "../sample.ts";
import { SUPER_SEGMENTS } from "../super-segments.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec, emitsAgain } from "./codec.ts";

const SOURCE = Uint8Array.of(192, 0, 2, 1);
const DESTINATION = Uint8Array.of(192, 0, 2, 2);
const SOURCE6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 1]);
const DESTINATION6 = Uint8Array.from([0x20, 1, 0xd, 0xb8, ...new Uint8Array(11), 2]);
const TCP = 6;
const UDP = 17;

const fragmentation = { identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0 };
const ipv4 = (protocol: number, payload: Uint8Array): Uint8Array =>
  emitIpv4({
    ...fragmentation,
    tos: 0,
    ttl: 64,
    protocol,
    source: SOURCE,
    destination: DESTINATION,
    payload,
  });
const ipv6 = (nextHeader: number, payload: Uint8Array): Uint8Array =>
  emitIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader,
    hopLimit: 64,
    source: SOURCE6,
    destination: DESTINATION6,
    payload,
  });

/** A SYN with MSS 1460 behind NOPs, SACK permitted, timestamps and window scale. */
const SYN = Uint8Array.from(
  Buffer.from("0400005000000001000000008002faf00000000001020405b40402080a000000010000000001030307", "hex"),
);
SYN[12] = (SYN.length >> 2) << 4;
/** Hop-by-hop options, a routing header and destination options before it. */
const EXTENDED = Uint8Array.from([
  ...[43, 0, 1, 4, 0, 0, 0, 0],
  ...[60, 0, 0, 0, 0, 0, 0, 0],
  ...[TCP, 1, 1, 12, ...new Uint8Array(12)],
  ...SYN,
]);
const IPV6 = [
  ipv6(TCP, SYN),
  ipv6(0, EXTENDED),
  ipv6(UDP, new Uint8Array(60)),
  ipv6(58, Uint8Array.of(128, 0, 0, 0)),
];
const IPV4 = [...CAPTURED.ipv4, ipv4(TCP, SYN), ipv4(1, Uint8Array.of(8, 0, 0, 0))];

/** TCP SYNs and others between two subscribers, of both families. */
export const IP_PACKETS: readonly Uint8Array[] = [
  ...IPV6,
  ipv4(TCP, SYN),
  ipv4(1, Uint8Array.of(8, 0, 0, 0)),
];

const ipv4Marks: Marker = (bytes) => [0, 2, 6, 9, ((bytes[0] ?? 0) & 15) * 4];
const tcpMarks: Marker = (bytes) => {
  const tcp = bytes[0]! >>> 4 === 4 ? 20 : 40;
  return [0, 6, 9, 40, tcp + 12, tcp + 13, tcp + 20, tcp + 22, tcp + 24, tcp + 28];
};

export const IP_CODECS: readonly CodecTarget[] = [
  codec(
    "ipv4",
    [parseIpv4, emitIpv4, ipv4PacketBytes, ipv4HeaderBytes, internetChecksum],
    samples(IPV4, ipv4Marks),
    (input) => {
      const octets = ipv4PacketBytes(input, 0, input.length);
      ensure(octets <= input.length && (octets < 0 || octets >= 20), "a packet of no such length");
      const packet = parseIpv4(input);
      if (packet === undefined) return;
      ensure(packet.payload.length === octets - ipv4HeaderBytes(input, 0), "the two forms disagree");
      emitsAgain(packet, emitIpv4, parseIpv4);
    },
  ),
  codec(
    "ipv6",
    [parseIpv6, emitIpv6, ipv6PacketBytes, ipv6UpperOffset],
    samples(IPV6, (bytes) => [0, 4, 6, 40, 48, Math.min(56, bytes.length - 1)]),
    (input) => {
      const octets = ipv6PacketBytes(input, 0, input.length);
      ensure(octets <= input.length, "a packet of no such length");
      const packet = parseIpv6(input);
      ensure((packet === undefined) === octets < 0, "the two forms disagree");
      if (packet === undefined) return;
      const upper = ipv6UpperOffset(input, 0, octets, TCP);
      ensure(upper === -1 || (upper >= 40 && upper <= octets), "an upper layer outside the packet");
      emitsAgain(packet, emitIpv6, parseIpv6);
    },
  ),
  codec("udp", [parseUdp, emitUdp, pseudoHeaderSum], samples(CAPTURED.udp), (input) => {
    const parse = (segment: Uint8Array) => parseUdp(segment, SOURCE, DESTINATION);
    const datagram = parse(input);
    if (datagram !== undefined) emitsAgain(datagram, emitUdp, parse);
    // random checksums seldom fit: these do
    if (input.length >= 8 && input[6] === 0 && input[7] === 0) parseUdp(input, SOURCE6, DESTINATION6);
  }),
  codec("tcp-mss", [clampMss], samples([...IPV4, ...IPV6], tcpMarks), (input) => {
    if (!clampMss(input, 0, input.length, 1400, 1380)) return;
    ensure(!clampMss(input, 0, input.length, 1400, 1380), "what was lowered is lowered again");
  }),
  codec(
    "super-segment",
    [vnetGsoSize, vnetChecksumStart, vnetChecksumOffset, tcpHeaderBytes],
    samples(SUPER_SEGMENTS, () => [0, 1, 4, 6, 8, 10, 12, 16, 19, 42, 62]),
    (input) => {
      const packet = new UnitPacket();
      if (readUnitPacket(packet, input, 0, input.length) !== ACCEPT) return;
      const { offset, bytes, checksumAt, checksumFrom, segmentBytes, segments, headersBytes } = packet;
      const end = offset + bytes;
      ensure(end <= input.length, "a packet behind what there is");
      ensure(checksumAt < 0 || (checksumFrom >= offset && checksumAt + 2 <= end), "a checksum outside of it");
      if (segmentBytes === 0) return;
      ensure(headersBytes < bytes && headersBytes <= LARGEST_HEADERS_BYTES, "headers without end");
      const cut = new SuperSegment();
      cut.begin(input, packet);
      const last = bytes - headersBytes - (segments - 1) * segmentBytes;
      ensure(last > 0 && last <= segmentBytes, "segments that are not those of the packet");
      const written = new Uint8Array(input.length + LARGEST_HEADERS_BYTES + last);
      written.set(input);
      cut.writeHeaders(written, input.length, segments - 1, last, 0);
      const read = packet.ipv6 ? ipv6PacketBytes : ipv4PacketBytes;
      ensure(
        read(written, input.length, written.length - input.length) === headersBytes + last,
        "a segment of another length",
      );
    },
  ),
  codec("icmp", [fragmentationNeeded, packetTooBig], samples([...IPV4, ...IPV6], tcpMarks), (input) => {
    const v4 = fragmentationNeeded(input, SOURCE, 1400);
    if (v4 !== undefined) ensure(v4.length <= 576 && parseIpv4(v4) !== undefined, "no ICMP error");
    const v6 = packetTooBig(input, SOURCE6, 1400);
    if (v6 === undefined) return;
    const told = parseIpv6(v6);
    ensure(v6.length <= 1280 && told !== undefined, "no ICMPv6 error");
    ensure(
      equalBytes(told!.destination, input.subarray(8, 24)) && readU16(v6, 46) === 1400,
      "not to its sender",
    );
  }),
];
