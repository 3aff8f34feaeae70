/** What is in the Ethernet frames of a wire, as far as tests look. */

import {
  ETHERTYPE_PPPOE_DISCOVERY,
  ETHERTYPE_PPPOE_SESSION,
  emitEthernet,
  parseEthernet,
} from "../../src/wire/ethernet.ts";
import { parseIpv4Address } from "../../src/wire/ip-address.ts";
import { emitIpv4, type Ipv4Packet, PROTOCOL_UDP, parseIpv4 } from "../../src/wire/ipv4.ts";
import { L2TP_UDP_PORT, parseL2tp } from "../../src/wire/l2tp.ts";
import { type L2tpMessage, parseMessage } from "../../src/wire/l2tp-messages.ts";
import { type PppFrame, parsePpp } from "../../src/wire/ppp.ts";
import { type ControlPacket, parseControlPacket } from "../../src/wire/ppp-control.ts";
import {
  type DiscoveryPacket,
  PPPOE_HEADER_BYTES,
  parseDiscovery,
  writePppoeHeader,
} from "../../src/wire/pppoe.ts";
import { emitUdp } from "../../src/wire/udp.ts";

const ETHERTYPE_IPV4 = 0x0800;
const UDP_HEADER_BYTES = 8;

export interface Discovery extends DiscoveryPacket {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A PPPoE discovery packet. */
export function discoveryOf(frame: Uint8Array): Discovery | undefined {
  const ethernet = parseEthernet(frame);
  if (ethernet?.etherType !== ETHERTYPE_PPPOE_DISCOVERY) return undefined;
  const packet = parseDiscovery(ethernet.payload);
  if (typeof packet === "string") return undefined;
  return { ...packet, source: ethernet.source, destination: ethernet.destination };
}

/** The PPP frame in a PPPoE session frame. */
export function pppOf(frame: Uint8Array): (PppFrame & { readonly sessionId: number }) | undefined {
  const ethernet = parseEthernet(frame);
  if (ethernet?.etherType !== ETHERTYPE_PPPOE_SESSION) return undefined;
  const { payload } = ethernet;
  const length = (payload[4]! << 8) | payload[5]!;
  const ppp = parsePpp(payload.subarray(PPPOE_HEADER_BYTES, PPPOE_HEADER_BYTES + length));
  return ppp && { ...ppp, sessionId: (payload[2]! << 8) | payload[3]! };
}

/** The packet of LCP and its like that a PPPoE session frame carries under `protocol`. */
export function controlOf(frame: Uint8Array, protocol: number): ControlPacket | undefined {
  const ppp = pppOf(frame);
  return ppp?.protocol === protocol ? parseControlPacket(ppp.information) : undefined;
}

/** A PPPoE session frame. */
export function sessionFrame(
  to: { readonly destination: Uint8Array; readonly source: Uint8Array; readonly sessionId: number },
  ppp: Uint8Array,
): Uint8Array {
  const payload = new Uint8Array(PPPOE_HEADER_BYTES + ppp.length);
  writePppoeHeader(payload, 0, 0, to.sessionId, ppp.length);
  payload.set(ppp, PPPOE_HEADER_BYTES);
  const { destination, source } = to;
  return emitEthernet({ destination, source, tags: [], etherType: ETHERTYPE_PPPOE_SESSION, payload });
}

/** The IPv4 packet, fragments included. */
export function ipv4Of(frame: Uint8Array): Ipv4Packet | undefined {
  const ethernet = parseEthernet(frame);
  return ethernet?.etherType === ETHERTYPE_IPV4 ? parseIpv4(ethernet.payload) : undefined;
}

export interface L2tpOnWire {
  readonly ip: Ipv4Packet;
  /** As it is on the wire; 0: none was made. */
  readonly udpChecksum: number;
  readonly l2tp: Exclude<ReturnType<typeof parseL2tp>, string>;
}

/** An L2TP message, data or control, in an unfragmented IPv4 packet. */
export function l2tpOf(frame: Uint8Array): L2tpOnWire | undefined {
  const ip = ipv4Of(frame);
  if (ip?.protocol !== PROTOCOL_UDP) return undefined;
  const { payload } = ip;
  const port = (at: number): number => (payload[at]! << 8) | payload[at + 1]!;
  if (port(0) !== L2TP_UDP_PORT && port(2) !== L2TP_UDP_PORT) return undefined;
  const l2tp = parseL2tp(payload.subarray(UDP_HEADER_BYTES));
  return typeof l2tp === "string" ? undefined : { ip, udpChecksum: port(6), l2tp };
}

/** The control message with its meaning; undefined for ZLBs and data. */
export function controlMessageOf(frame: Uint8Array): L2tpMessage | undefined {
  const found = l2tpOf(frame);
  if (found === undefined || !found.l2tp.header.control || found.l2tp.payload.length === 0) return undefined;
  const parsed = parseMessage(found.l2tp.payload);
  return parsed.outcome === "message" ? parsed.message : undefined;
}

/** A UDP datagram over IPv4 in a frame; MAC addresses in `stations`, IPv4 addresses as text. */
export function datagramFrame(
  stations: { readonly to: Uint8Array; readonly from: Uint8Array },
  datagram: {
    readonly source: string;
    readonly sourcePort: number;
    readonly destination: string;
    readonly destinationPort: number;
    readonly payload: Uint8Array;
  },
): Uint8Array {
  const source = octetsOf(datagram.source);
  const destination = octetsOf(datagram.destination);
  const fragmentation = { identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
  const udp = emitUdp({ ...datagram, source, destination });
  const header = { ...fragmentation, tos: 0, ttl: 64, protocol: PROTOCOL_UDP, source, destination };
  return packetFrame(stations, emitIpv4({ ...header, payload: udp }));
}

/** An IPv4 packet in a frame. */
export function packetFrame(
  { to, from }: { readonly to: Uint8Array; readonly from: Uint8Array },
  packet: Uint8Array,
): Uint8Array {
  return emitEthernet({
    destination: to,
    source: from,
    tags: [],
    etherType: ETHERTYPE_IPV4,
    payload: packet,
  });
}

/** The four octets of an IPv4 address. */
export function octetsOf(address: string): Uint8Array {
  const octets = parseIpv4Address(address);
  if (octets === undefined) throw new Error(`${address} is no IPv4 address`);
  return octets;
}
