/** TCP SYNs with an MSS option, as packets. */

import { readU16, writeU16 } from "../../src/base/bytes.ts";
import { addToSum, checksumOf, fillTransportChecksum, pseudoHeaderSum } from "../../src/wire/checksum.ts";
import { emitIpv4, type Ipv4Packet, PROTOCOL_TCP } from "../../src/wire/ipv4.ts";
import { octetsOf } from "./frames.ts";

const DATA_OFFSET = 12;
const FLAGS = 13;
const CHECKSUM = 16;
const OPTIONS = 20;
const SYN_BYTES = 24;
const SYN = 0x02;

/** An IPv4 packet with a SYN to port 80 that offers `mss`. */
export function tcpSyn(syn: {
  readonly source: string;
  readonly destination: string;
  readonly mss: number;
}): Uint8Array {
  const source = octetsOf(syn.source);
  const destination = octetsOf(syn.destination);
  const segment = new Uint8Array(SYN_BYTES);
  writeU16(segment, 0, 40_000);
  writeU16(segment, 2, 80);
  segment[DATA_OFFSET] = (SYN_BYTES / 4) << 4;
  segment[FLAGS] = SYN;
  segment.set([2, 4], OPTIONS);
  writeU16(segment, OPTIONS + 2, syn.mss);
  fillTransportChecksum(segment, CHECKSUM, source, destination, PROTOCOL_TCP);
  const fragmentation = { identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0 };
  return emitIpv4({
    ...fragmentation,
    tos: 0,
    ttl: 64,
    protocol: PROTOCOL_TCP,
    source,
    destination,
    payload: segment,
  });
}

/** The MSS that a SYN as tcpSyn() makes them offers; undefined for anything else. */
export function mssOf({ protocol, payload }: Ipv4Packet): number | undefined {
  const isSyn = protocol === PROTOCOL_TCP && payload.length === SYN_BYTES && payload[FLAGS] === SYN;
  return isSyn && payload[OPTIONS] === 2 ? readU16(payload, OPTIONS + 2) : undefined;
}

/** Whether the TCP checksum is that of the segment. */
export function hasRightChecksum({ source, destination, payload }: Ipv4Packet): boolean {
  const sum = pseudoHeaderSum(source, destination, PROTOCOL_TCP, payload.length);
  return checksumOf(addToSum(sum, payload, 0, payload.length)) === 0;
}
