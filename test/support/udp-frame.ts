/** UDP datagrams in Ethernet frames over IPv4, for captures of L2TP. */

import { readU16, writeU16 } from "../../src/base/bytes.ts";

const ETHERNET_BYTES = 14;
const IPV4_BYTES = 20;
const UDP_BYTES = 8;
const ETHERTYPE_IPV4 = 0x0800;
const PROTOCOL_UDP = 17;

/** The datagram in a frame from 192.0.2.1 to 192.0.2.2, both ports `port`, without UDP checksum. */
export function udpFrame(datagram: Uint8Array, port: number): Uint8Array {
  const frame = new Uint8Array(ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES + datagram.length);
  frame.set([0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1]);
  writeU16(frame, 12, ETHERTYPE_IPV4);
  const ip = frame.subarray(ETHERNET_BYTES, ETHERNET_BYTES + IPV4_BYTES);
  ip[0] = 0x45;
  writeU16(ip, 2, frame.length - ETHERNET_BYTES);
  ip[8] = 64;
  ip[9] = PROTOCOL_UDP;
  ip.set([192, 0, 2, 1, 192, 0, 2, 2], 12);
  writeU16(ip, 10, internetChecksum(ip));
  const udp = ETHERNET_BYTES + IPV4_BYTES;
  writeU16(frame, udp, port);
  writeU16(frame, udp + 2, port);
  writeU16(frame, udp + 4, UDP_BYTES + datagram.length);
  frame.set(datagram, udp + UDP_BYTES);
  return frame;
}

/** The datagram in a frame without VLAN tags; undefined when it is none from or to `port` over IPv4. */
export function datagramOf(frame: Uint8Array, port: number): Uint8Array | undefined {
  if (readU16(frame, 12) !== ETHERTYPE_IPV4 || frame[ETHERNET_BYTES + 9] !== PROTOCOL_UDP) return undefined;
  const udp = ETHERNET_BYTES + (frame[ETHERNET_BYTES]! & 0x0f) * 4;
  if (readU16(frame, udp) !== port && readU16(frame, udp + 2) !== port) return undefined;
  return frame.subarray(udp + UDP_BYTES, udp + readU16(frame, udp + 4));
}

/** RFC 1071, over an even number of octets whose checksum field is zero. */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += readU16(bytes, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
