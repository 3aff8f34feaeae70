/** Frames on both sides of the XDP program, as other code than its own writes them. */

import { concatBytes, writeU16 } from "../../src/base/bytes.ts";
import { emitEthernet, type VlanTag } from "../../src/wire/ethernet.ts";
import { emitIpv4, PROTOCOL_UDP } from "../../src/wire/ipv4.ts";
import { emitIpv6 } from "../../src/wire/ipv6.ts";
import { emitL2tp } from "../../src/wire/l2tp.ts";
import { PPPOE_SESSION_DATA, writePppoeHeader } from "../../src/wire/pppoe.ts";
import { emitUdp } from "../../src/wire/udp.ts";

export const OUR_MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x11);
const IPV4_US = Uint8Array.of(192, 0, 2, 1);
const IPV6_US = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
const L2TP_PORT = 1701;
const TTL = 64;
const UDP_CHECKSUM_AT = 6;

export interface EthernetSide {
  readonly kind: "ethernet";
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  readonly sessionId: number;
}

export interface UdpSide {
  readonly kind: "udp";
  readonly remoteMac: Uint8Array;
  readonly tags: readonly VlanTag[];
  /** Four octets or sixteen. */
  readonly remote: Uint8Array;
  readonly remotePort: number;
  readonly localTunnelId: number;
  readonly localSessionId: number;
  readonly remoteTunnelId: number;
  readonly remoteSessionId: number;
  readonly lengthBit: boolean;
  readonly addressControl: boolean;
  readonly checksum: boolean;
  readonly dscp: number;
}

export type Side = EthernetSide | UdpSide;

export function ourAddress(side: UdpSide): Uint8Array {
  return side.remote.length === 4 ? IPV4_US : IPV6_US;
}

/** What the far end of `side` sends us: `padding` octets follow it, and what FF03 and L2TP's length are is its choice. */
export function received(
  side: Side,
  ppp: Uint8Array,
  { padding = 0, addressControl = true, lengthBit = true, checksum = true } = {},
): Uint8Array {
  if (side.kind === "ethernet") return pppoeFrame(side, side.remoteMac, OUR_MAC, ppp, padding);
  const { localTunnelId: tunnelId, localSessionId: sessionId } = side;
  return l2tpFrame(side, {
    source: side.remote,
    destination: ourAddress(side),
    sourceMac: side.remoteMac,
    destinationMac: OUR_MAC,
    sourcePort: side.remotePort,
    destinationPort: L2TP_PORT,
    message: { tunnelId, sessionId, lengthBit, addressControl, ppp },
    checksum,
    padding,
  });
}

/** What the far end of `side` is to get. */
export function sent(side: Side, ppp: Uint8Array): Uint8Array {
  if (side.kind === "ethernet") return pppoeFrame(side, OUR_MAC, side.remoteMac, ppp, 0);
  const { remoteTunnelId: tunnelId, remoteSessionId: sessionId, lengthBit, addressControl } = side;
  return l2tpFrame(side, {
    source: ourAddress(side),
    destination: side.remote,
    sourceMac: OUR_MAC,
    destinationMac: side.remoteMac,
    sourcePort: L2TP_PORT,
    destinationPort: side.remotePort,
    message: { tunnelId, sessionId, lengthBit, addressControl, ppp },
    checksum: side.checksum || side.remote.length === 16,
    padding: 0,
  });
}

function pppoeFrame(
  { tags, sessionId }: EthernetSide,
  source: Uint8Array,
  destination: Uint8Array,
  ppp: Uint8Array,
  padding: number,
): Uint8Array {
  const header = new Uint8Array(6);
  writePppoeHeader(header, 0, PPPOE_SESSION_DATA, sessionId, ppp.length);
  const payload = concatBytes(header, ppp, new Uint8Array(padding).fill(0xee));
  return emitEthernet({ destination, source, tags, etherType: 0x8864, payload });
}

interface L2tpFrame {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourceMac: Uint8Array;
  readonly destinationMac: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly message: {
    readonly tunnelId: number;
    readonly sessionId: number;
    readonly lengthBit: boolean;
    readonly addressControl: boolean;
    readonly ppp: Uint8Array;
  };
  readonly checksum: boolean;
  readonly padding: number;
}

function l2tpFrame({ tags, dscp }: UdpSide, frame: L2tpFrame): Uint8Array {
  const { tunnelId, sessionId, lengthBit, addressControl, ppp } = frame.message;
  const { source, destination, sourcePort, destinationPort } = frame;
  const header = { control: false, lengthBit, tunnelId, sessionId, priority: false };
  const payload = emitL2tp(header, addressControl ? concatBytes(Uint8Array.of(0xff, 3), ppp) : ppp);
  const datagram = emitUdp({ source, destination, sourcePort, destinationPort, payload });
  if (!frame.checksum) writeU16(datagram, UDP_CHECKSUM_AT, 0);
  const tos = dscp << 2;
  const packet =
    source.length === 4
      ? emitIpv4({ ...WHOLE, tos, ttl: TTL, protocol: PROTOCOL_UDP, source, destination, payload: datagram })
      : emitIpv6({
          trafficClass: tos,
          flowLabel: 0,
          hopLimit: TTL,
          nextHeader: PROTOCOL_UDP,
          source,
          destination,
          payload: datagram,
        });
  return emitEthernet({
    destination: frame.destinationMac,
    source: frame.sourceMac,
    tags,
    etherType: source.length === 4 ? 0x0800 : 0x86dd,
    payload: concatBytes(packet, new Uint8Array(frame.padding).fill(0xee)),
  });
}

const WHOLE = { identification: 0, dontFragment: true, moreFragments: false, fragmentOffset: 0 };
