import type {
  AttachSpec,
  ChannelCounters,
  ChannelId,
  ChannelSpec,
  Dataplane,
  DropReason,
  HeldFrame,
  L2tpSequencing,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  Punt,
  TapSpec,
  TapTotals,
  UnitId,
  UnitSpec,
} from "../../channel/dataplane.ts";
import { DataplaneError } from "../../channel/errors.ts";
import { cidrContains, parseIpAddress } from "../../wire/ip-address.ts";
import { ipv4PacketBytes } from "../../wire/ipv4.ts";
import { ipv6PacketBytes } from "../../wire/ipv6.ts";
import { isL2tpControl } from "../../wire/l2tp.ts";
import { PPP_IPV4, PPP_IPV6, pppHeaderBytes, pppProtocol } from "../../wire/ppp.ts";
import {
  ACCEPT,
  type DropCode,
  MALFORMED_IP,
  OUT_OF_ORDER_LATE,
  STALE,
  TOO_BIG,
  UNKNOWN_DESTINATION,
  UNKNOWN_SESSION,
  UNKNOWN_TUNNEL,
  UNSUPPORTED_PROTOCOL,
  WRONG_ADDRESS,
  WRONG_SOURCE,
} from "../drop-codes.ts";
import {
  emitL2tpMessage,
  framingOf,
  L2tpMessage,
  l2tpHeaderBytes,
  readL2tpMessage,
  sequencedFraming,
} from "../l2tp-message.ts";
import { clampMssTo } from "../mss.ts";
import { DSCP_CS6, outerBytes } from "../outer.ts";
import {
  emitPppoeFrame,
  ethernetHeader,
  isFromPeer,
  largestPppFrame,
  PppoeFrame,
  readPppoeFrame,
  readTags,
} from "../pppoe-frame.ts";
import { Registry } from "../registry.ts";
import { DELIVER, HELD } from "../reorder.ts";
import { checkDscp, prefixOf } from "../specs.ts";
import type { TapSink } from "../taps.ts";
import { Counters } from "./counters.ts";
import { destinationOf, sourceOf } from "./packet-addresses.ts";
import { Sequencing } from "./sequencing.ts";
import { Sessions } from "./sessions.ts";
import { Tapping } from "./tapping.ts";

/** What an engine has room for when nothing is said. */
const SIZES = { ports: 1024, peers: 1 << 17, channels: 1 << 17, units: 1 << 16 };

/** What the engine sent: on an Ethernet port, from a UDP port, or out of a unit towards the host's IP. */
export type Transmission =
  | { readonly kind: "frame"; readonly port: PortId; readonly frame: Uint8Array }
  | {
      readonly kind: "datagram";
      readonly port: PortId;
      readonly address: string;
      readonly udpPort: number;
      readonly datagram: Uint8Array;
      readonly dscp: number;
      /** What it is to come from, where somebody has said so. */
      readonly localAddress?: string;
    }
  | { readonly kind: "packet"; readonly unit: UnitId; readonly packet: Uint8Array };

/** Where a datagram came from, and which of our addresses it came to. */
export interface DatagramSource {
  readonly address: string;
  readonly udpPort: number;
  readonly localAddress?: string;
}

/**
 * The data plane in arrays, for tests: no socket, no thread, no clock. Wire-level octets go in with receive…(),
 * and what would leave goes to onTransmit() before the call returns; so does every punt. There is no policing.
 */
export class MemoryDataplane implements Dataplane {
  readonly engine = "memory";
  readonly preallocated = { bytes: 0, bytesPerChannel: 0 };
  readonly #registry: Registry;
  readonly #counters = new Counters();
  readonly #sequencing: Sequencing;
  readonly #sessions = new Sessions();
  readonly #tapping = new Tapping();
  readonly #attached = new Map<UnitId, Set<ChannelId>>();
  readonly #frame = new PppoeFrame();
  readonly #message = new L2tpMessage();
  #punt: (punt: Punt) => void = () => {};
  #transmit: (transmission: Transmission) => void = () => {};
  #closed = false;

  /** `sizes`: what there is room for, of which little is allocated before it is needed. */
  constructor(sizes: Partial<typeof SIZES> = {}) {
    const { channels, peers, ...others } = { ...SIZES, ...sizes };
    this.#registry = new Registry({ channels, peers, ...others });
    this.#sequencing = new Sequencing(
      channels,
      peers,
      (channel, frame) => this.#deliverHeld(channel, frame),
      () => this.#count(STALE),
    );
  }

  onPunt(handler: (punt: Punt) => void): void {
    this.#punt = handler;
  }

  /** The one receiver of what leaves; arrays are the receiver's to keep. */
  onTransmit(handler: (transmission: Transmission) => void): void {
    this.#transmit = handler;
  }

  /** An Ethernet frame arrives at a port. */
  receiveFrame(port: PortId, frame: Uint8Array): void {
    this.#registry.port(port);
    this.#count(this.#fromEthernet(port, frame));
  }

  /** A UDP payload arrives at a port. */
  receiveDatagram(port: PortId, source: DatagramSource, datagram: Uint8Array): void {
    this.#count(this.#fromUdp(port, source, datagram));
  }

  /** Time passes, for sequenced messages that wait, and for taps: it begins in 1970. */
  passTime(ms: number): void {
    this.#tapping.passTime(ms);
    this.#sequencing.passTime(ms);
  }

  /** The host routes an IP packet into a unit. */
  receivePacket(unit: UnitId, packet: Uint8Array): void {
    this.#count(this.#fromUnit(unit, packet.slice()));
  }

  async openPort(spec: PortSpec): Promise<PortId> {
    this.#checkOpen();
    return this.#registry.addPort(spec);
  }

  async closePort(port: PortId): Promise<void> {
    this.#registry.removePort(port);
    this.#registry.release("ports", port);
  }

  addPeer(spec: PeerSpec): PeerId {
    this.#checkOpen();
    return this.#registry.addPeer(spec);
  }

  updatePeer(peer: PeerId, spec: PeerSpec): void {
    this.#checkOpen();
    this.#registry.updatePeer(peer, spec);
  }

  async removePeer(peer: PeerId): Promise<void> {
    this.#registry.removePeer(peer);
    this.#counters.removePeer(peer);
    this.#registry.release("peers", peer);
  }

  addChannel(spec: ChannelSpec): ChannelId {
    this.#checkOpen();
    const id = this.#registry.addChannel(spec);
    this.#counters.add(id);
    this.#sessions.add(id, spec, this.#registry.peer(spec.peer).spec.port);
    if (spec.kind === "l2tp") this.#sequencing.add(id, spec);
    return id;
  }

  setSequencing(channel: ChannelId, sequencing: L2tpSequencing): void {
    this.#checkOpen();
    this.#registry.checkL2tp(channel);
    this.#sequencing.set(channel, sequencing);
  }

  async closeChannel(channel: ChannelId): Promise<void> {
    const { spec, state } = this.#registry.removeChannel(channel);
    if (state.kind === "attached") this.#attached.get(state.unit)?.delete(channel);
    this.#sessions.remove(channel, spec, this.#registry.peer(spec.peer).spec.port);
    if (spec.kind === "l2tp") this.#sequencing.remove(channel);
    this.#tapping.closed(channel);
    this.#counters.remove(channel);
    this.#registry.release("channels", channel);
  }

  async bridge(a: ChannelId, b: ChannelId, held: readonly HeldFrame[] = []): Promise<void> {
    this.#checkOpen();
    this.#registry.bridge(a, b, held);
    for (const { channel, frame } of held) this.#count(this.#send(channel, frame));
  }

  async unbridge(channel: ChannelId): Promise<void> {
    this.#registry.unbridge(channel);
  }

  async createUnit(spec: UnitSpec): Promise<UnitId> {
    this.#checkOpen();
    const id = this.#registry.addUnit(spec);
    this.#attached.set(id, new Set());
    return id;
  }

  async closeUnit(unit: UnitId): Promise<void> {
    this.#registry.removeUnit(unit);
    this.#attached.delete(unit);
    this.#registry.release("units", unit);
  }

  async attach(channel: ChannelId, spec: AttachSpec): Promise<void> {
    this.#checkOpen();
    this.#registry.attach(channel, spec);
    this.#attached.get(spec.unit)!.add(channel);
  }

  async detach(channel: ChannelId): Promise<void> {
    const { unit } = this.#registry.detach(channel);
    this.#attached.get(unit)!.delete(channel);
  }

  inject(channel: ChannelId, frame: Uint8Array): void {
    this.#checkOpen();
    this.#registry.channel(channel);
    this.#count(this.#send(channel, frame));
  }

  sendControl(
    port: PortId,
    remoteAddress: string,
    remotePort: number,
    datagram: Uint8Array,
    localAddress?: string,
    dscp: number = DSCP_CS6,
  ): void {
    this.#checkOpen();
    this.#registry.port(port);
    checkDscp(dscp);
    this.#transmit({
      kind: "datagram",
      port,
      address: remoteAddress,
      udpPort: remotePort,
      datagram: datagram.slice(),
      dscp,
      ...(localAddress !== undefined && { localAddress }),
    });
  }

  injectPacket(unit: UnitId, packet: Uint8Array): void {
    this.#checkOpen();
    this.#registry.unit(unit);
    this.#transmit({ kind: "packet", unit, packet: packet.slice() });
  }

  tap(channel: ChannelId, spec: TapSpec, sink: TapSink): void {
    this.#checkOpen();
    this.#registry.channel(channel);
    this.#tapping.tap(channel, spec, sink);
  }

  async untap(channel: ChannelId): Promise<TapTotals> {
    return this.#tapping.untap(channel);
  }

  tapTotals(channel: ChannelId): TapTotals | undefined {
    return this.#tapping.totals(channel);
  }

  counters(channel: ChannelId): ChannelCounters {
    this.#registry.channel(channel);
    return this.#counters.of(channel);
  }

  framesIn(channel: ChannelId): number {
    this.#registry.channel(channel);
    return this.#counters.framesIn(channel);
  }

  userFrames(channel: ChannelId): number {
    const { state } = this.#registry.channel(channel);
    const carried = this.#counters.userFrames(channel);
    return state.kind === "bridged" ? carried + this.#counters.userFrames(state.to) : carried;
  }

  framesFrom(peer: PeerId): number {
    this.#registry.peer(peer);
    return this.#counters.framesFrom(peer);
  }

  drops(): Readonly<Record<DropReason, number>> {
    return this.#counters.drops();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#punt = () => {};
    this.#transmit = () => {};
  }

  #checkOpen(): void {
    if (this.#closed) throw new DataplaneError("closed", "the data plane is closed");
  }

  #fromEthernet(port: PortId, bytes: Uint8Array): DropCode {
    const frame = this.#frame;
    const error = readPppoeFrame(frame, bytes, 0, bytes.length);
    if (error !== ACCEPT) return error;
    const channels = this.#sessions.pppoe(port, frame.sessionId);
    const channel = channels?.find((candidate) => {
      const peer = this.#peerOf(candidate);
      if (peer.kind !== "ethernet") return false;
      const expected = ethernetHeader(peer);
      return isFromPeer(bytes, 0, frame.ethernetBytes, expected, 0, expected.length);
    });
    if (channel === undefined) {
      this.#punt({
        kind: "unknown-session",
        port,
        remoteMac: bytes.slice(6, 12),
        localMac: bytes.slice(0, 6),
        tags: readTags(bytes, 0, frame.ethernetBytes),
        sessionId: frame.sessionId,
      });
      return channels === undefined ? UNKNOWN_SESSION : WRONG_SOURCE;
    }
    this.#tapping.frame(channel, "in", bytes);
    return this.#forward(channel, bytes.slice(frame.pppOffset, frame.pppOffset + frame.pppBytes));
  }

  #fromUdp(port: PortId, source: DatagramSource, datagram: Uint8Array): DropCode {
    const { spec } = this.#registry.port(port);
    if (datagram.length > 0 && isL2tpControl(datagram, 0)) {
      this.#punt({
        kind: "control",
        port,
        remoteAddress: source.address,
        remotePort: source.udpPort,
        localAddress: source.localAddress ?? (spec.kind === "udp" ? spec.address : ""),
        datagram: datagram.slice(),
      });
      return ACCEPT;
    }
    const message = this.#message;
    const error = readL2tpMessage(message, datagram, 0, datagram.length);
    if (error !== ACCEPT) return error;
    const sessions = this.#sessions.tunnel(message.tunnelId);
    if (sessions === undefined) return UNKNOWN_TUNNEL;
    const channel = sessions.get(message.sessionId);
    if (channel === undefined) return UNKNOWN_SESSION;
    const peerId = this.#registry.channel(channel).spec.peer;
    const peer = this.#peerOf(channel);
    if (peer.kind !== "udp" || peer.port !== port) return WRONG_SOURCE;
    if (peer.address !== source.address || peer.udpPort !== source.udpPort) return WRONG_SOURCE;
    this.#counters.heard(peerId);
    this.#tapping.received(channel, datagram, source, spec);
    const frame = datagram.slice(message.pppOffset, message.pppOffset + message.pppBytes);
    this.#sequencing.heard(channel, message.ns >= 0);
    if (message.ns < 0) return this.#forward(channel, frame);
    const order = this.#sequencing.arrive(channel, message.ns, frame);
    if (order !== DELIVER) return order === HELD ? ACCEPT : OUT_OF_ORDER_LATE;
    this.#count(this.#forward(channel, frame));
    this.#sequencing.arrived(channel);
    return ACCEPT;
  }

  /** A numbered message that has waited for earlier ones. */
  #deliverHeld(channel: ChannelId, frame: Uint8Array): void {
    this.#count(this.#registry.findChannel(channel) === undefined ? STALE : this.#forward(channel, frame));
  }

  #fromUnit(unit: UnitId, packet: Uint8Array): DropCode {
    const { spec } = this.#registry.unit(unit);
    const ipv6 = packet.length > 0 && packet[0]! >>> 4 === 6;
    const length = ipv6
      ? ipv6PacketBytes(packet, 0, packet.length)
      : ipv4PacketBytes(packet, 0, packet.length);
    if (length < 0) return MALFORMED_IP;
    const subscriber = spec.end === "subscriber" ? sourceOf(packet, ipv6) : destinationOf(packet, ipv6);
    const channel = spec.shared
      ? this.#subscriberWith(unit, subscriber)
      : [...(this.#attached.get(unit) ?? [])][0];
    if (channel === undefined) return UNKNOWN_DESTINATION;
    const attach = this.#attachOf(channel);
    if (ipv6 && !attach.ipv6) return UNSUPPORTED_PROTOCOL;
    if (length > attach.mruBytes) {
      this.#punt({ kind: "too-big", unit, channel, mruBytes: attach.mruBytes, packet });
      return TOO_BIG;
    }
    if (attach.clampMss) clampMssTo(attach.mruBytes, packet, 0, length);
    const frame = new Uint8Array(2 + length);
    frame[1] = ipv6 ? PPP_IPV6 : PPP_IPV4;
    frame.set(packet.subarray(0, length), 2);
    this.#counters.fromUnit(channel);
    return this.#send(channel, frame);
  }

  /** A PPP frame has arrived on a channel. */
  #forward(channel: ChannelId, frame: Uint8Array): DropCode {
    this.#counters.received(channel, frame);
    const { state } = this.#registry.channel(channel);
    if (state.kind === "punted") return this.#puntFrame(channel, frame);
    return state.kind === "bridged" ? this.#send(state.to, frame) : this.#toUnit(channel, state.spec, frame);
  }

  #puntFrame(channel: ChannelId, frame: Uint8Array): DropCode {
    this.#punt({ kind: "frame", channel, frame });
    return ACCEPT;
  }

  #toUnit(channel: ChannelId, attach: AttachSpec, frame: Uint8Array): DropCode {
    const headerBytes = pppHeaderBytes(frame, 0, frame.length);
    const protocol = headerBytes === 0 ? 0 : pppProtocol(frame, 0, headerBytes);
    if (protocol !== PPP_IPV4 && protocol !== PPP_IPV6) return this.#puntFrame(channel, frame);
    if (protocol === PPP_IPV6 && !attach.ipv6) return UNSUPPORTED_PROTOCOL;
    const packet = frame.subarray(headerBytes);
    const ipv6 = protocol === PPP_IPV6;
    const length = ipv6
      ? ipv6PacketBytes(packet, 0, packet.length)
      : ipv4PacketBytes(packet, 0, packet.length);
    if (length < 0) return MALFORMED_IP;
    const { end } = this.#registry.unit(attach.unit).spec;
    const subscriber = end === "subscriber" ? destinationOf(packet, ipv6) : sourceOf(packet, ipv6);
    if (!attach.addresses.some((text) => cidrContains(prefixOf(text), subscriber))) return WRONG_ADDRESS;
    if (attach.clampMss) clampMssTo(attach.mruBytes, packet, 0, length);
    this.#transmit({ kind: "packet", unit: attach.unit, packet: packet.slice(0, length) });
    return ACCEPT;
  }

  /** The channel of a shared unit whose longest prefix has the address. */
  #subscriberWith(unit: UnitId, address: Uint8Array): ChannelId | undefined {
    let best: { channel: ChannelId; prefixLength: number } | undefined;
    for (const channel of this.#attached.get(unit) ?? [])
      for (const prefix of this.#attachOf(channel).addresses.map(prefixOf))
        if (cidrContains(prefix, address) && prefix.prefixLength > (best?.prefixLength ?? -1))
          best = { channel, prefixLength: prefix.prefixLength };
    return best?.channel;
  }

  #send(channel: ChannelId, ppp: Uint8Array): DropCode {
    const { spec } = this.#registry.channel(channel);
    const peer = this.#peerOf(channel);
    if (peer.kind === "ethernet" && spec.kind === "pppoe") {
      const port = this.#registry.port(peer.port).spec;
      if (port.kind === "ethernet" && ppp.length > largestPppFrame(port.mtuBytes, peer.tags)) return TOO_BIG;
      this.#counters.sent(channel, ppp.length);
      const frame = emitPppoeFrame(peer, spec.sessionId, ppp);
      this.#tapping.frame(channel, "out", frame);
      this.#transmit({ kind: "frame", port: peer.port, frame });
    } else if (peer.kind === "udp" && spec.kind === "l2tp") {
      const sequenced = this.#sequencing.isSent(channel);
      const framing = sequenced ? sequencedFraming(framingOf(peer)) : framingOf(peer);
      const ipv6 = parseIpAddress(peer.address)?.length === 16;
      const octets = outerBytes(ipv6, l2tpHeaderBytes(framing) + ppp.length);
      if (peer.oversize === "drop" && octets > peer.pathMtuBytes) return TOO_BIG;
      const ns = sequenced ? this.#sequencing.takeNs(channel) : -1;
      const datagram = emitL2tpMessage(framing, spec.remoteTunnelId, spec.remoteSessionId, ppp, ns);
      this.#counters.sent(channel, ppp.length);
      this.#tapping.sent(channel, datagram, peer, this.#registry.port(peer.port).spec);
      const { port, address, udpPort, dscp = 0, localAddress } = peer;
      const from = localAddress === undefined ? {} : { localAddress };
      this.#transmit({ kind: "datagram", port, address, udpPort, datagram, dscp, ...from });
    }
    return ACCEPT;
  }

  #attachOf(channel: ChannelId): AttachSpec {
    const { state } = this.#registry.channel(channel);
    if (state.kind !== "attached") throw new TypeError(`channel ${channel} is ${state.kind}`);
    return state.spec;
  }

  #peerOf(channel: ChannelId): PeerSpec {
    return this.#registry.peer(this.#registry.channel(channel).spec.peer).spec;
  }

  #count(verdict: DropCode): void {
    if (verdict !== ACCEPT) this.#counters.dropped(verdict);
  }
}
