/** The entries of the program's table of L2TP peers: all that it needs to write what goes before a PPP frame. */

import { writeU16 } from "../../base/bytes.ts";
import type { UdpPeerSpec } from "../../channel/dataplane.ts";
import type { NextHop } from "../../io/next-hops.ts";
import {
  XDP_PEER_ADDRESS_CONTROL,
  XDP_PEER_BYTES,
  XDP_PEER_CHECKSUM,
  XDP_PEER_DOMAIN,
  XDP_PEER_FLAGS,
  XDP_PEER_HEADER,
  XDP_PEER_HEADER_BYTES,
  XDP_PEER_IFINDEX,
  XDP_PEER_IN_TAGS,
  XDP_PEER_IP_SUM,
  XDP_PEER_IPV6,
  XDP_PEER_LENGTH,
  XDP_PEER_LOCAL,
  XDP_PEER_LOCAL_PORT,
  XDP_PEER_MAX_PPP,
  XDP_PEER_REMOTE,
  XDP_PEER_REMOTE_PORT,
  XDP_PEER_UDP,
  XDP_PEER_UDP_SUM,
} from "../../io/xdp.ts";
import { addToSum, checksumOf, pseudoHeaderSum } from "../../wire/checksum.ts";
import {
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  type VlanTag,
  vlanId,
  writeEthernetHeader,
} from "../../wire/ethernet.ts";
import { emitIpv4, IPV4_CHECKSUM, IPV4_TOTAL_LENGTH, PROTOCOL_UDP } from "../../wire/ipv4.ts";
import { emitIpv6 } from "../../wire/ipv6.ts";
import { framingOf, l2tpHeaderBytes } from "../l2tp-message.ts";
import { outerBytes } from "../outer.ts";
import { addressOctets } from "../specs.ts";

/** Hops that outer packets may take: what the system gives its own. */
const TTL = 64;
const MAX_U16 = 0xffff;

/** One entry, and views of it. */
class Entry {
  readonly bytes = new Uint8Array(XDP_PEER_BYTES);
  readonly #view = new DataView(this.bytes.buffer);

  u16(offset: number, value: number): void {
    this.#view.setUint16(offset, value, true);
  }

  u32(offset: number, value: number): void {
    this.#view.setUint32(offset, value, true);
  }

  tags(tags: readonly VlanTag[]): void {
    for (const [i, tag] of tags.entries()) this.u32(XDP_PEER_IN_TAGS + 4 * i, tagWord(tag));
  }

  header(header: Uint8Array): void {
    this.bytes.set(header, XDP_PEER_HEADER);
    this.u16(XDP_PEER_HEADER_BYTES, header.length);
  }
}

export interface PeerEntry {
  readonly spec: UdpPeerSpec;
  /** Ours: undefined while the system has not chosen one. */
  readonly localAddress: string | undefined;
  readonly localPort: number;
  readonly domain: number;
  /** Undefined when the program is not to send to the peer. */
  readonly hop: NextHop | undefined;
}

export function peerEntry({ spec, localAddress, localPort, domain, hop }: PeerEntry): Uint8Array {
  const entry = new Entry();
  const remote = addressOctets(spec.address);
  const ipv6 = remote.length === 16;
  entry.u32(
    XDP_PEER_FLAGS,
    XDP_PEER_UDP |
      (spec.lengthBit ? XDP_PEER_LENGTH : 0) |
      (spec.addressControl ? XDP_PEER_ADDRESS_CONTROL : 0) |
      (ipv6 ? XDP_PEER_IPV6 : 0) |
      (spec.checksum ? XDP_PEER_CHECKSUM : 0),
  );
  entry.u32(XDP_PEER_DOMAIN, domain);
  writeU16(entry.bytes, XDP_PEER_REMOTE_PORT, spec.udpPort);
  writeU16(entry.bytes, XDP_PEER_LOCAL_PORT, localPort);
  entry.bytes.set(remote, XDP_PEER_REMOTE);
  if (localAddress === undefined) return entry.bytes;
  const local = addressOctets(localAddress);
  entry.bytes.set(local, XDP_PEER_LOCAL);
  if (hop === undefined) return entry.bytes;
  entry.u32(XDP_PEER_IFINDEX, hop.ifindex);
  entry.tags(hop.tags);
  const link = linkHeader(hop, ipv6);
  const ip = ipv6 ? ipv6Header(spec, local, remote) : ipv4Header(spec, local, remote);
  const header = new Uint8Array(link.length + ip.length + 8);
  header.set(link);
  header.set(ip, link.length);
  const udp = link.length + ip.length;
  writeU16(header, udp, localPort);
  writeU16(header, udp + 2, spec.udpPort);
  entry.header(header);
  if (!ipv6) entry.u16(XDP_PEER_IP_SUM, folded(addToSum(0, ip, 0, ip.length)));
  const ports = localPort + spec.udpPort;
  entry.u16(XDP_PEER_UDP_SUM, folded(pseudoHeaderSum(local, remote, PROTOCOL_UDP, 0) + ports));
  const fits = Math.min(spec.pathMtuBytes, hop.mtuBytes) - outerBytes(ipv6, l2tpHeaderBytes(framingOf(spec)));
  entry.u16(XDP_PEER_MAX_PPP, Math.max(0, Math.min(MAX_U16, fits)));
  return entry.bytes;
}

function linkHeader({ destinationMac, sourceMac, tags }: NextHop, ipv6: boolean): Uint8Array {
  const header = new Uint8Array(14 + 4 * tags.length);
  const etherType = ipv6 ? ETHERTYPE_IPV6 : ETHERTYPE_IPV4;
  writeEthernetHeader(header, 0, { destination: destinationMac, source: sourceMac, tags, etherType });
  return header;
}

/** Length, identification and checksum are 0; DF is clear, as the loop's sockets send: routers may cut the packet. */
function ipv4Header({ dscp = 0 }: UdpPeerSpec, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const fragmentation = { identification: 0, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
  const addresses = { source, destination, payload: new Uint8Array(0) };
  const header = emitIpv4({
    ...fragmentation,
    ...addresses,
    tos: dscp << 2,
    ttl: TTL,
    protocol: PROTOCOL_UDP,
  });
  writeU16(header, IPV4_TOTAL_LENGTH, 0);
  writeU16(header, IPV4_CHECKSUM, 0);
  return header;
}

/** The length is 0, and the flow label, too. */
function ipv6Header({ dscp = 0 }: UdpPeerSpec, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const addresses = { source, destination, payload: new Uint8Array(0) };
  return emitIpv6({
    ...addresses,
    trafficClass: dscp << 2,
    flowLabel: 0,
    hopLimit: TTL,
    nextHeader: PROTOCOL_UDP,
  });
}

/** A tag as the program's tables have it; a priority is none of it. */
export function tagWord(tag: VlanTag): number {
  return (tag.tpid << 16) | vlanId(tag);
}

/** A sum of 16-bit words in 16 bits, not complemented. */
function folded(sum: number): number {
  return ~checksumOf(sum) & MAX_U16;
}
