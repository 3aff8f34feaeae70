/** PPP frames of every kind that is told apart when a UDP checksum is made: what is inside has right checksums. */

import fc from "fast-check";
import { concatBytes, writeU16 } from "../../src/base/bytes.ts";
import { fillTransportChecksum, internetChecksum } from "../../src/wire/checksum.ts";
import { emitIpv4, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from "../../src/wire/ipv4.ts";
import { emitIpv6 } from "../../src/wire/ipv6.ts";
import { emitPpp, PPP_IPV4, PPP_IPV6, PPP_LCP } from "../../src/wire/ppp.ts";
import { emitUdp } from "../../src/wire/udp.ts";

const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 0, max: 1400 }).chain((length) => octets(length)),
);
const addresses4 = fc.record({ source: octets(4), destination: octets(4) });
const addresses6 = fc.record({ source: octets(16), destination: octets(16) });
type Addresses = { readonly source: Uint8Array; readonly destination: Uint8Array };

function tcp({ source, destination }: Addresses, data: Uint8Array): Uint8Array {
  const segment = concatBytes(new Uint8Array(20), data);
  segment[12] = 0x50;
  segment.set(data.subarray(0, 12));
  fillTransportChecksum(segment, 16, source, destination, PROTOCOL_TCP);
  return segment;
}

function udp(addresses: Addresses, data: Uint8Array): Uint8Array {
  return emitUdp({ ...addresses, sourcePort: 53, destinationPort: 4242, payload: data });
}

function withoutChecksum(segment: Uint8Array): Uint8Array {
  writeU16(segment, 6, 0);
  return segment;
}

const FRAGMENTATION = { identification: 77, dontFragment: false, moreFragments: false, fragmentOffset: 0 };

function ipv4(
  addresses: Addresses,
  protocol: number,
  body: Uint8Array,
  fragmentation = FRAGMENTATION,
): Uint8Array {
  return emitPpp(
    PPP_IPV4,
    emitIpv4({ ...fragmentation, ...addresses, tos: 3, ttl: 9, protocol, payload: body }),
  );
}

function ipv6(addresses: Addresses, nextHeader: number, body: Uint8Array): Uint8Array {
  const labels = { trafficClass: 5, flowLabel: 0x12345, hopLimit: 3 };
  return emitPpp(PPP_IPV6, emitIpv6({ ...labels, ...addresses, nextHeader, payload: body }));
}

/** Four octets of options before the payload; the header's checksum is right again. */
function withOptions(frame: Uint8Array): Uint8Array {
  const longer = concatBytes(frame.subarray(0, 22), Uint8Array.of(1, 1, 1, 0), frame.subarray(22));
  longer[2] = 0x46;
  writeU16(longer, 4, longer.length - 2);
  writeU16(longer, 12, 0);
  writeU16(longer, 12, internetChecksum(longer, 2, 24));
  return longer;
}

const MORE = { ...FRAGMENTATION, moreFragments: true };
const LATER = { ...FRAGMENTATION, fragmentOffset: 1480 };

function of<T>(arbitrary: fc.Arbitrary<T>, make: (value: T, data: Uint8Array) => Uint8Array) {
  return fc.tuple(arbitrary, payload).map(([value, data]) => make(value, data));
}

/** By name, so that a failure says which. */
export const PPP_FRAMES: Readonly<Record<string, fc.Arbitrary<Uint8Array>>> = {
  "TCP over IPv4": of(addresses4, (a, data) => ipv4(a, PROTOCOL_TCP, tcp(a, data))),
  "UDP over IPv4": of(addresses4, (a, data) => ipv4(a, PROTOCOL_UDP, udp(a, data))),
  "UDP over IPv4 without checksum": of(addresses4, (a, data) =>
    ipv4(a, PROTOCOL_UDP, withoutChecksum(udp(a, data))),
  ),
  "UDP over IPv4 with a length of its own": of(addresses4, (a, data) =>
    ipv4(a, PROTOCOL_UDP, concatBytes(udp(a, data), Uint8Array.of(7))),
  ),
  "a first fragment": of(addresses4, (a, data) => ipv4(a, PROTOCOL_UDP, udp(a, data), MORE)),
  "a later fragment": of(addresses4, (a, data) => ipv4(a, PROTOCOL_TCP, tcp(a, data), LATER)),
  "IPv4 with options": of(addresses4, (a, data) => withOptions(ipv4(a, PROTOCOL_TCP, tcp(a, data)))),
  ICMP: of(addresses4, (a, data) => ipv4(a, PROTOCOL_ICMP, data)),
  "IPv4 with octets after it": of(addresses4, (a, data) =>
    concatBytes(ipv4(a, PROTOCOL_TCP, tcp(a, data)), Uint8Array.of(1, 2, 3)),
  ),
  "a TCP segment too short for its header": of(addresses4, (a, data) =>
    ipv4(a, PROTOCOL_TCP, data.subarray(0, 19)),
  ),
  "a compressed protocol field": of(addresses4, (a, data) => ipv4(a, PROTOCOL_TCP, tcp(a, data)).subarray(1)),
  "TCP over IPv6": of(addresses6, (a, data) => ipv6(a, PROTOCOL_TCP, tcp(a, data))),
  "UDP over IPv6": of(addresses6, (a, data) => ipv6(a, PROTOCOL_UDP, udp(a, data))),
  "UDP over IPv6 without checksum": of(addresses6, (a, data) =>
    ipv6(a, PROTOCOL_UDP, withoutChecksum(udp(a, data))),
  ),
  "IPv6 with an extension header": of(addresses6, (a, data) =>
    ipv6(a, 0, concatBytes(Uint8Array.of(PROTOCOL_TCP, 0, 1, 4, 0, 0, 0, 0), tcp(a, data))),
  ),
  LCP: of(fc.constant(0), (_, data) =>
    emitPpp(PPP_LCP, concatBytes(Uint8Array.of(9, 1, 0, 4 + data.length), data)),
  ),
  anything: fc.uint8Array({ minLength: 4, maxLength: 1500 }),
};

/** One of them, with its name. */
export const pppFrame: fc.Arbitrary<readonly [string, Uint8Array]> = fc.oneof(
  ...Object.entries(PPP_FRAMES).map(([name, arbitrary]) => arbitrary.map((frame) => [name, frame] as const)),
);
