/** The XDP program with tables that a test fills, far from any network. */

import {
  openXdp,
  readXdpCounter,
  XDP_CHANNEL_BYTES,
  XDP_CHANNEL_FLAGS,
  XDP_CHANNEL_IN_IDS,
  XDP_CHANNEL_IN_MACS,
  XDP_CHANNEL_IN_PEER,
  XDP_CHANNEL_IN_TAGS,
  XDP_CHANNEL_L2TP,
  XDP_CHANNEL_NEXT,
  XDP_CHANNEL_OTHER,
  XDP_CHANNEL_TO_HEADER,
  XDP_CHANNEL_TO_HEADER_BYTES,
  XDP_CHANNEL_TO_IDS,
  XDP_CHANNEL_TO_IFINDEX,
  XDP_CHANNEL_TO_MAX_PPP,
  XDP_CHANNEL_TO_PEER,
  XDP_CHANNEL_TO_SUBSCRIBER,
  XDP_CONTROL,
  XDP_COUNTERS_BYTES,
  XDP_FRAMES,
  XDP_INTERFACE_BYTES,
  XDP_INTERFACE_DOMAIN,
  XDP_INTERFACE_FLAGS,
  XDP_INTERFACE_MAC,
  XDP_INTERFACE_PORT,
  XDP_OCTETS,
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
  XDP_PEER_KEEP_ID,
  XDP_PEER_LENGTH,
  XDP_PEER_LOCAL,
  XDP_PEER_LOCAL_PORT,
  XDP_PEER_MAX_PPP,
  XDP_PEER_REMOTE,
  XDP_PEER_REMOTE_PORT,
  XDP_PEER_UDP,
  XDP_PEER_UDP_SUM,
  type XdpProgram,
  type XdpSizes,
  type XdpVerdict,
} from "../../src/io/xdp.ts";
import { addToSum, checksumOf } from "../../src/wire/checksum.ts";
import { vlanId } from "../../src/wire/ethernet.ts";
import { type EthernetSide, OUR_MAC, ourAddress, type Side, sent, type UdpSide } from "./xdp-frames.ts";

export const SIZES: XdpSizes = {
  interfaces: 64,
  ports: 2,
  tunnels: 64,
  sessionPages: 4096,
  channels: 16_384,
  peers: 16_384,
  peerSlots: 16_384,
};
/** Frames of testRun() arrive here. */
const LOOPBACK = 1;
/** Where they leave; nothing is sent. */
const EGRESS = 1;
const PORT = 1;
const DOMAIN = 7;
const MAX_PPP = 1600;
const PPPOE_BYTES = 6;

/** Why the program cannot be had here; undefined when it can. */
export const withoutXdp = missingXdp();

function missingXdp(): string | undefined {
  if (process.getuid?.() !== 0) return "needs root";
  const addon = openXdp();
  return typeof addon === "string" ? addon : undefined;
}

export function loadXdp(sizes: XdpSizes = SIZES, plain = false): XdpProgram {
  const addon = openXdp();
  if (typeof addon === "string") throw new Error(addon);
  return addon.load(sizes, plain);
}

/** What a peer's entry has besides what its side says: `flags` are XDP_PEER_KEEP_ID alone when absent. */
export interface PeerOptions {
  readonly flags?: number;
  readonly maxPpp?: number;
  readonly ifindex?: number;
  readonly domain?: number;
}

export class XdpSite {
  readonly program: XdpProgram;
  readonly #channels: DataView;
  readonly #peers: DataView;
  #nextChannel = 1;
  #nextPeer = 1;
  #nextDirectory = 1;
  #nextPage = 1;

  constructor(program: XdpProgram) {
    this.program = program;
    this.#channels = new DataView(program.tables.channels);
    this.#peers = new DataView(program.tables.peers);
    this.setInterface(0);
    program.addDevice(EGRESS);
  }

  setInterface(flags: number, { port = PORT, domain = DOMAIN, mac = OUR_MAC } = {}): void {
    const view = new DataView(this.program.tables.interfaces, LOOPBACK * XDP_INTERFACE_BYTES);
    view.setUint32(XDP_INTERFACE_PORT, port, true);
    view.setUint32(XDP_INTERFACE_DOMAIN, domain, true);
    view.setUint16(XDP_INTERFACE_FLAGS, flags, true);
    for (let i = 0; i < 6; i++) view.setUint8(XDP_INTERFACE_MAC + i, mac[i]!);
  }

  /** Joins two sides; returns their channels. */
  bridge(a: Side, b: Side, options: PeerOptions = {}): readonly [number, number] {
    const channels = [this.#nextChannel, this.#nextChannel + 1] as const;
    const peerOf = (side: Side) => (side.kind === "udp" ? this.#peer(side, options) : 0);
    const peers = [peerOf(a), peerOf(b)] as const;
    this.#nextChannel += 2;
    this.#channel(channels[0], a, peers[0], channels[1], b, peers[1]);
    this.#channel(channels[1], b, peers[1], channels[0], a, peers[0]);
    if (a.kind === "ethernet") this.#leadToSubscriber(channels[1], a, options);
    if (b.kind === "ethernet") this.#leadToSubscriber(channels[0], b, options);
    return channels;
  }

  run(frame: Uint8Array): XdpVerdict {
    return this.program.testRun(frame);
  }

  flags(channel: number): number {
    return this.#channels.getUint32(channel * XDP_CHANNEL_BYTES + XDP_CHANNEL_FLAGS, true);
  }

  counters(channel: number): { frames: number; octets: number; control: number } {
    const words = new Uint32Array(this.program.tables.counters);
    const total = { frames: 0, octets: 0, control: 0 };
    const each = words.byteLength / XDP_COUNTERS_BYTES / this.program.cpus;
    for (let cpu = 0; cpu < this.program.cpus; cpu++) {
      const at = (cpu * each + channel) * XDP_COUNTERS_BYTES;
      total.frames += readXdpCounter(words, at + XDP_FRAMES);
      total.octets += readXdpCounter(words, at + XDP_OCTETS);
      total.control += readXdpCounter(words, at + XDP_CONTROL);
    }
    return total;
  }

  #channel(number: number, from: Side, peer: number, other: number, to: Side, toPeer: number): void {
    const at = number * XDP_CHANNEL_BYTES;
    const set = (offset: number, value: number) => this.#channels.setUint32(at + offset, value, true);
    set(XDP_CHANNEL_FLAGS, from.kind === "udp" ? XDP_CHANNEL_L2TP : 0);
    set(
      XDP_CHANNEL_IN_IDS,
      from.kind === "udp" ? (from.localTunnelId << 16) | from.localSessionId : from.sessionId,
    );
    if (from.kind === "udp") set(XDP_CHANNEL_IN_PEER, peer);
    set(XDP_CHANNEL_OTHER, other);
    set(XDP_CHANNEL_TO_PEER, toPeer);
    set(
      XDP_CHANNEL_TO_IDS,
      to.kind === "udp" ? (to.remoteTunnelId << 16) | to.remoteSessionId : to.sessionId,
    );
    if (from.kind === "udp") this.#publishSession(number, from.localTunnelId, from.localSessionId);
    else {
      for (const [i, tag] of from.tags.entries())
        set(XDP_CHANNEL_IN_TAGS + 4 * i, tag.tpid * 0x10000 + vlanId(tag));
      const macs = new Uint8Array(this.program.tables.channels, at + XDP_CHANNEL_IN_MACS);
      macs.set(OUR_MAC);
      macs.set(from.remoteMac, OUR_MAC.length);
      const access = new Uint32Array(this.program.tables.access);
      const index = (PORT << 16) | from.sessionId;
      set(XDP_CHANNEL_NEXT, access[index]!);
      access[index] = number;
    }
  }

  #publishSession(channel: number, tunnelId: number, sessionId: number): void {
    const tunnels = new Uint32Array(this.program.tables.tunnels);
    const directories = new Uint32Array(this.program.tables.directories);
    const sessions = new Uint32Array(this.program.tables.sessions);
    if (tunnels[tunnelId] === 0) {
      tunnels[tunnelId] = this.#nextDirectory;
      this.#nextDirectory += 1;
    }
    const page = (tunnels[tunnelId]! << 8) | (sessionId >>> 8);
    if (directories[page] === 0) {
      directories[page] = this.#nextPage;
      this.#nextPage += 1;
    }
    sessions[(directories[page]! << 8) | (sessionId & 0xff)] = channel;
  }

  #leadToSubscriber(
    number: number,
    side: EthernetSide,
    { maxPpp = MAX_PPP, ifindex = EGRESS }: PeerOptions,
  ): void {
    const at = number * XDP_CHANNEL_BYTES;
    const view = this.#channels;
    const header = sent(side, new Uint8Array(0)).slice(0, -PPPOE_BYTES);
    view.setUint32(at + XDP_CHANNEL_FLAGS, XDP_CHANNEL_L2TP | XDP_CHANNEL_TO_SUBSCRIBER, true);
    view.setUint32(at + XDP_CHANNEL_TO_IFINDEX, ifindex, true);
    view.setUint16(at + XDP_CHANNEL_TO_HEADER_BYTES, header.length, true);
    view.setUint16(at + XDP_CHANNEL_TO_MAX_PPP, maxPpp, true);
    new Uint8Array(view.buffer, at + XDP_CHANNEL_TO_HEADER).set(header);
  }

  /** A new peer; slots are as many as peers and go the other way round. */
  #peer(
    side: UdpSide,
    { flags = XDP_PEER_KEEP_ID, maxPpp = MAX_PPP, ifindex = EGRESS, domain = DOMAIN }: PeerOptions,
  ): number {
    const peer = this.#nextPeer;
    this.#nextPeer += 1;
    const slot = SIZES.peerSlots + 1 - peer;
    const at = slot * XDP_PEER_BYTES;
    const view = this.#peers;
    const bytes = new Uint8Array(view.buffer, at, XDP_PEER_BYTES);
    bytes.fill(0);
    const example = sent(side, new Uint8Array(0));
    const header = example.slice(0, example.length - l2tpBytes(side));
    view.setUint32(at + XDP_PEER_IFINDEX, ifindex, true);
    view.setUint16(at + XDP_PEER_HEADER_BYTES, header.length, true);
    view.setUint16(at + XDP_PEER_MAX_PPP, maxPpp, true);
    for (const [i, tag] of side.tags.entries())
      view.setUint32(at + XDP_PEER_IN_TAGS + 4 * i, tag.tpid * 0x10000 + vlanId(tag), true);
    const ipv6 = side.remote.length === 16;
    const ip = header.length - (ipv6 ? 48 : 28);
    const udp = header.length - 8;
    header.fill(0, udp + 4);
    if (ipv6) header.fill(0, ip + 4, ip + 6);
    else for (const field of [2, 4, 10]) header.fill(0, ip + field, ip + field + 2);
    view.setUint32(
      at + XDP_PEER_FLAGS,
      XDP_PEER_UDP |
        (side.lengthBit ? XDP_PEER_LENGTH : 0) |
        (side.addressControl ? XDP_PEER_ADDRESS_CONTROL : 0) |
        (ipv6 ? XDP_PEER_IPV6 : 0) |
        (side.checksum ? XDP_PEER_CHECKSUM : 0) |
        flags,
      true,
    );
    view.setUint16(at + XDP_PEER_IP_SUM, ~checksumOf(addToSum(0, header, ip, 20)), true);
    const addresses = header.slice(udp - (ipv6 ? 32 : 8), udp + 4);
    view.setUint16(at + XDP_PEER_UDP_SUM, ~checksumOf(addToSum(17, addresses, 0, addresses.length)), true);
    view.setUint32(at + XDP_PEER_DOMAIN, domain, true);
    view.setUint16(at + XDP_PEER_REMOTE_PORT, side.remotePort, false);
    view.setUint16(at + XDP_PEER_LOCAL_PORT, 1701, false);
    bytes.set(side.remote, XDP_PEER_REMOTE);
    bytes.set(ourAddress(side), XDP_PEER_LOCAL);
    bytes.set(header, XDP_PEER_HEADER);
    new Uint32Array(this.program.tables.peerSlots)[peer] = slot;
    return peer;
  }
}

/** Octets of L2TP's header in what sent() writes. */
function l2tpBytes(side: UdpSide): number {
  return (side.lengthBit ? 8 : 6) + (side.addressControl ? 2 : 0);
}
