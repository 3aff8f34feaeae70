/** UDP datagrams in Ethernet frames over IPv4, for captures of L2TP. */

import { readU16 } from "../../src/base/bytes.ts";
import { emitEthernet } from "../../src/wire/ethernet.ts";
import { emitIpv4, PROTOCOL_UDP } from "../../src/wire/ipv4.ts";
import { emitUdp } from "../../src/wire/udp.ts";

const ETHERNET_BYTES = 14;
const UDP_BYTES = 8;
const ETHERTYPE_IPV4 = 0x0800;

/** The datagram in a frame from 192.0.2.1 to 192.0.2.2, both ports `port`. */
export function udpFrame(payload: Uint8Array, port: number): Uint8Array {
  const source = Uint8Array.of(192, 0, 2, 1);
  const destination = Uint8Array.of(192, 0, 2, 2);
  const datagram = emitUdp({ source, destination, sourcePort: port, destinationPort: port, payload });
  const fragmentation = { identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
  const header = { ...fragmentation, tos: 0, ttl: 64, protocol: PROTOCOL_UDP, source, destination };
  return emitEthernet({
    destination: Uint8Array.of(2, 0, 0, 0, 0, 2),
    source: Uint8Array.of(2, 0, 0, 0, 0, 1),
    tags: [],
    etherType: ETHERTYPE_IPV4,
    payload: emitIpv4({ ...header, payload: datagram }),
  });
}

/**
 * The datagram in a frame without VLAN tags; undefined when it is none from or to `port` over IPv4. Checksums are not
 * looked at: in a capture on its sender the device has yet to compute them.
 */
export function datagramOf(frame: Uint8Array, port: number): Uint8Array | undefined {
  if (readU16(frame, 12) !== ETHERTYPE_IPV4 || frame[ETHERNET_BYTES + 9] !== PROTOCOL_UDP) return undefined;
  const udp = ETHERNET_BYTES + (frame[ETHERNET_BYTES]! & 0x0f) * 4;
  if (readU16(frame, udp) !== port && readU16(frame, udp + 2) !== port) return undefined;
  return frame.subarray(udp + UDP_BYTES, udp + readU16(frame, udp + 4));
}
