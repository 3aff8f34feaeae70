/** Frames of the tests: PPP frames that carry a number, and what they look like on the wires. */

import { concatBytes, readU16, readU32, writeU16, writeU32 } from "../../src/base/bytes.ts";
import type { VlanTag } from "../../src/wire/ethernet.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";

/** A PPP frame of a protocol that no engine looks into, with who sent it and a sequence number. */
export function numberedFrame(source: number, sequence: number): Uint8Array {
  const frame = new Uint8Array(2 + 2 + 4);
  writeU16(frame, 0, 0xc021);
  writeU16(frame, 2, source);
  writeU32(frame, 4, sequence);
  return frame;
}

export function sequenceOf(frame: Uint8Array): number {
  return readU32(frame, 4);
}

/** An Ethernet frame with a PPPoE session header, padded to the minimum of 60 octets. */
export function pppoeFrame(
  to: Uint8Array,
  from: Uint8Array,
  sessionId: number,
  ppp: Uint8Array,
  tags: readonly VlanTag[] = [],
): Uint8Array {
  const header = tags.flatMap(({ tpid, tci }) => [tpid >>> 8, tpid & 0xff, tci >>> 8, tci & 0xff]);
  const frame = concatBytes(
    to,
    from,
    Uint8Array.from(header),
    Uint8Array.of(0x88, 0x64, 0x11, 0, sessionId >>> 8, sessionId, ppp.length >>> 8, ppp.length),
    ppp,
  );
  return frame.length >= 60 ? frame : concatBytes(frame, new Uint8Array(60 - frame.length));
}

/** What a subscriber reads in a frame without tags. */
export function readPppoe(frame: Uint8Array): { sessionId: number; ppp: Uint8Array } {
  return { sessionId: readU16(frame, 16), ppp: frame.slice(20, 20 + readU16(frame, 18)) };
}

/** A data message as most peers send it: L bit, FF03. */
export function l2tpMessage(tunnelId: number, sessionId: number, ppp: Uint8Array): Uint8Array {
  const header = new Uint8Array(10);
  header.set([0x40, 2]);
  writeU16(header, 2, 10 + ppp.length);
  writeU16(header, 4, tunnelId);
  writeU16(header, 6, sessionId);
  header.set([0xff, 0x03], 8);
  return concatBytes(header, ppp);
}

/** What a remote reads in a message with L bit and FF03. */
export function readL2tp(message: Uint8Array): { tunnelId: number; sessionId: number; ppp: Uint8Array } {
  return {
    tunnelId: readU16(message, 4),
    sessionId: readU16(message, 6),
    ppp: message.slice(10, readU16(message, 2)),
  };
}

/** An IPv4 packet with a UDP datagram, without UDP checksum. */
export function udpPacket(
  from: string,
  to: string,
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array,
): Uint8Array {
  const packet = new Uint8Array(28 + payload.length);
  packet.set([0x45, 0]);
  writeU16(packet, 2, packet.length);
  packet.set([64, 17], 8);
  packet.set(parseIpAddress(from)!, 12);
  packet.set(parseIpAddress(to)!, 16);
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += readU16(packet, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(packet, 10, ~sum & 0xffff);
  writeU16(packet, 20, sourcePort);
  writeU16(packet, 22, destinationPort);
  writeU16(packet, 24, 8 + payload.length);
  packet.set(payload, 28);
  return packet;
}

/** A PPP frame with an IPv4 packet in it. */
export function ipv4Frame(packet: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(0x00, 0x21), packet);
}
