import type { IdPool } from "../../base/ids.ts";
import type {
  AttachSpec,
  ChannelId,
  ChannelSpec,
  L2tpSequencing,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  UdpPeerSpec,
  UnitId,
  UnitSpec,
} from "../../channel/dataplane.ts";
import { ADDRESS_BYTES, ADDRESS_GROUP_MAX } from "../../io/addon.ts";
import { framingOf } from "../l2tp-message.ts";
import { numbers, tableFull, take } from "../numbers.ts";
import { outerBytes } from "../outer.ts";
import { ethernetHeader, largestPppFrame } from "../pppoe-frame.ts";
import { limitsOf } from "../reorder.ts";
import { ADDRESSES_PER_FAMILY, addressOctets, prefixOf } from "../specs.ts";
import { AddressMap } from "./address-map.ts";
import { addressRecord } from "./address-record.ts";
import { PEER_MAX, TAPPED } from "./channel-link.ts";
import { ATTACHED, BRIDGED, CLOSED, nextGeneration, PUNTED, withState } from "./channel-word.ts";
import type { Grace } from "./grace.ts";
import { sequencingBits } from "./sequence-numbers.ts";
import { SessionTable } from "./session-table.ts";
import {
  ATTACH_CLAMP,
  ATTACH_IPV6,
  ATTACH_SUBSCRIBER_END,
  attachmentSlots,
  COUNTERS_STRIDE,
  laneOfPort,
  PEER_HEADER_STRIDE,
  PEER_IPV6,
  PEER_OVERSIZE_DROP,
  PEER_UDP,
  peerSlots,
  portKey,
  type Tables,
  UNIT_BY_DESTINATION,
  UNIT_BY_SOURCE,
  uncheckedLaneOfPort,
} from "./tables.ts";

/** How a channel is attached: what detach() takes back. */
interface Attachment {
  readonly slot: number;
  readonly unit: UnitId;
  readonly shared: boolean;
  readonly records: readonly number[];
}

/**
 * The one writer of the shared tables. Every method publishes at once, or throws `table-full` and has changed
 * nothing; what it took away is given out again only after a grace period.
 */
export class TableWriter {
  readonly #t: Tables;
  readonly #grace: Grace;
  readonly #slots: IdPool;
  readonly #attachments: IdPool;
  readonly #sessions: SessionTable;
  readonly #attached = new Map<ChannelId, Attachment>();
  readonly #subscribers: AddressMap;
  readonly #udpPeers: AddressMap;
  /** Where each UDP peer is in that map. */
  readonly #peerRecords = new Map<PeerId, number>();

  constructor(tables: Tables, grace: Grace) {
    const { sizes } = tables;
    this.#t = tables;
    this.#grace = grace;
    this.#slots = numbers(peerSlots(sizes));
    this.#attachments = numbers(attachmentSlots(sizes));
    this.#sessions = new SessionTable(tables, grace);
    this.#subscribers = new AddressMap(tables.subscribers);
    this.#udpPeers = new AddressMap(tables.udpPeers);
  }

  /** A new peer; its id is free since a grace period. */
  addPeer(peer: PeerId, spec: PeerSpec, port: PortSpec): void {
    for (const frames of this.#t.peerFramesIn) clear(frames, peer);
    this.setPeer(peer, spec, port);
  }

  /** Describes a peer, in place of an earlier description if there is one. */
  setPeer(peer: PeerId, spec: PeerSpec, port: PortSpec): void {
    const slot = take(this.#slots, "peers");
    const oldRecord = this.#peerRecords.get(peer);
    if (spec.kind === "udp") this.#peerRecords.set(peer, this.#addUdpPeer(peer, spec, slot));
    if (spec.kind === "ethernet") {
      const header = ethernetHeader(spec);
      this.#t.peerLane[slot] = laneOfPort(spec.port);
      this.#t.peerFlags[slot] = 0;
      this.#t.peerMaxBytes[slot] = port.kind === "ethernet" ? largestPppFrame(port.mtuBytes, spec.tags) : 0;
      this.#t.peerHeaders.set(header, slot * PEER_HEADER_STRIDE);
      this.#t.peerHeaderBytes[slot] = header.length;
    } else {
      const record = addressRecord(spec.address, spec.udpPort, spec.dscp, spec.localAddress);
      const ipv6 = spec.address.includes(":");
      const fits = spec.pathMtuBytes - outerBytes(ipv6, 0);
      // the kernel cannot cut datagrams apart that it is not to checksum
      const unchecked = !spec.checksum && !ipv6;
      new DataView(record.buffer).setUint32(ADDRESS_GROUP_MAX, unchecked ? 0 : fits, true);
      this.#t.peerLane[slot] = unchecked
        ? uncheckedLaneOfPort(this.#t.sizes, spec.port)
        : laneOfPort(spec.port);
      this.#t.peerFlags[slot] =
        framingOf(spec) |
        PEER_UDP |
        (spec.oversize === "drop" ? PEER_OVERSIZE_DROP : 0) |
        (ipv6 ? PEER_IPV6 : 0);
      this.#t.peerMaxBytes[slot] = fits;
      this.#t.addresses.set(record, slot * ADDRESS_BYTES);
    }
    this.#t.peerPort[slot] = spec.port;
    const old = this.#t.slotOfPeer[peer]!;
    Atomics.store(this.#t.slotOfPeer, peer, slot);
    if (old !== 0) this.#grace.after(() => this.#slots.release(old));
    if (oldRecord !== undefined) this.#forget(this.#udpPeers, [oldRecord]);
  }

  /** Returns the record; `slot` goes back when there is no room. */
  #addUdpPeer(peer: PeerId, spec: UdpPeerSpec, slot: number): number {
    const address = addressOctets(spec.address);
    const key = portKey(spec.port, spec.udpPort);
    const record = this.#udpPeers.add(key, address, 8 * address.length, peer);
    if (record !== undefined) return record;
    this.#slots.release(slot);
    throw tableFull("UDP peers");
  }

  /** No channel points at the peer any more; the caller waits for the grace period. */
  removePeer(peer: PeerId): void {
    const slot = this.#t.slotOfPeer[peer]!;
    const record = this.#peerRecords.get(peer);
    this.#peerRecords.delete(peer);
    if (record !== undefined) this.#forget(this.#udpPeers, [record]);
    this.#grace.after(() => {
      this.#t.slotOfPeer[peer] = 0;
      this.#slots.release(slot);
    });
  }

  /** A new channel, punted; its id is free since a grace period. */
  addChannel(channel: ChannelId, spec: ChannelSpec, port: PortId): void {
    const t = this.#t;
    if (spec.kind === "l2tp") this.#sessions.reserve(spec);
    for (const counters of t.counters)
      for (let i = 0; i < COUNTERS_STRIDE; i++) clear(counters, channel * COUNTERS_STRIDE + i);
    for (const frames of t.controlFramesIn) clear(frames, channel);
    t.channelPeer[channel] =
      spec.peer | (spec.kind === "l2tp" ? sequencingBits(spec.sequencing ?? "follow") : 0);
    t.channelNs[channel] = 0;
    t.channelSerial[channel]! += 1;
    t.channelReorder[channel] = spec.kind === "l2tp" ? limitsOf(spec.reorder) : 0;
    t.channelIds[channel] =
      spec.kind === "pppoe" ? spec.sessionId : (spec.remoteTunnelId << 16) | spec.remoteSessionId;
    this.#next(channel, PUNTED, 0);
    if (spec.kind === "pppoe") {
      const first = (port << 16) | spec.sessionId;
      Atomics.store(t.pppoeNext, channel, t.pppoeChannel[first]!);
      Atomics.store(t.pppoeChannel, first, channel);
    } else {
      this.#sessions.publish(spec, channel);
    }
  }

  setSequencing(channel: ChannelId, sequencing: L2tpSequencing): void {
    const { channelPeer } = this.#t;
    const kept = channelPeer[channel]! & (PEER_MAX | TAPPED);
    Atomics.store(channelPeer, channel, kept | sequencingBits(sequencing));
  }

  setTapped(channel: ChannelId, tapped: boolean): void {
    const { channelPeer } = this.#t;
    if (tapped) Atomics.or(channelPeer, channel, TAPPED);
    else Atomics.and(channelPeer, channel, ~TAPPED);
  }

  closeChannel(channel: ChannelId, spec: ChannelSpec, port: PortId): void {
    if (spec.kind === "pppoe") this.#unlink(channel, (port << 16) | spec.sessionId);
    else this.#sessions.remove(spec);
    this.#next(channel, CLOSED, 0);
  }

  /** What the channel points at stays: a worker may stand on it until the end of the grace period. */
  #unlink(channel: ChannelId, first: number): void {
    const { pppoeChannel, pppoeNext } = this.#t;
    const next = pppoeNext[channel]!;
    if (pppoeChannel[first] === channel) {
      Atomics.store(pppoeChannel, first, next);
      return;
    }
    let before = pppoeChannel[first]!;
    while (pppoeNext[before] !== channel) before = pppoeNext[before]!;
    Atomics.store(pppoeNext, before, next);
  }

  bridge(a: ChannelId, b: ChannelId): void {
    this.#next(a, BRIDGED, b);
    this.#next(b, BRIDGED, a);
  }

  /** One end of a bridge is punted again. */
  unbridge(channel: ChannelId): void {
    this.#next(channel, PUNTED, 0);
  }

  attach(channel: ChannelId, spec: AttachSpec, { shared, end }: Pick<UnitSpec, "shared" | "end">): void {
    const slot = take(this.#attachments, "attachments");
    // found before it is attached, the channel takes no packet yet
    const records = shared ? this.#addSubscriber(channel, spec, slot) : [];
    this.#describe(slot, spec, end);
    const word = withState(this.#t.channelWord[channel]!, ATTACHED, slot);
    Atomics.store(this.#t.channelWord, channel, word);
    if (!shared) Atomics.store(this.#t.unitChannel, spec.unit, channel);
    this.#attached.set(channel, { slot, unit: spec.unit, shared, records });
  }

  /** The channel is punted; to be called before closeChannel(), too. */
  detach(channel: ChannelId): void {
    const { slot, unit, shared, records } = this.#attached.get(channel)!;
    this.#attached.delete(channel);
    if (!shared) Atomics.store(this.#t.unitChannel, unit, 0);
    this.#forget(this.#subscribers, records);
    const word = withState(this.#t.channelWord[channel]!, PUNTED, 0);
    Atomics.store(this.#t.channelWord, channel, word);
    this.#grace.after(() => this.#attachments.release(slot));
  }

  /** Returns the records of all addresses; `slot` goes back when there is no room for one. */
  #addSubscriber(channel: ChannelId, spec: AttachSpec, slot: number): number[] {
    const records: number[] = [];
    for (const { address, prefixLength } of spec.addresses.map(prefixOf)) {
      const record = this.#subscribers.add(spec.unit, address, prefixLength, channel);
      if (record === undefined) {
        this.#forget(this.#subscribers, records);
        this.#attachments.release(slot);
        throw tableFull("addresses");
      }
      records.push(record);
    }
    return records;
  }

  /** Takes records out of a map; they are free after a grace period. */
  #forget(map: AddressMap, records: readonly number[]): void {
    for (const record of records) map.remove(record);
    const rebuilt = map.rebuildIfCrowded();
    this.#grace.after(() => {
      for (const record of records) map.release(record);
      if (rebuilt) map.otherIsFree();
    });
  }

  addUnit(unit: UnitId, { shared, end }: Pick<UnitSpec, "shared" | "end">): void {
    const byAddress = end === "subscriber" ? UNIT_BY_SOURCE : UNIT_BY_DESTINATION;
    Atomics.store(this.#t.unitChannel, unit, shared ? byAddress : 0);
  }

  #describe(slot: number, spec: AttachSpec, end: UnitSpec["end"]): void {
    const t = this.#t;
    t.attachUnit[slot] = spec.unit;
    t.attachMru[slot] = spec.mruBytes;
    t.attachFlags[slot] =
      (spec.clampMss ? ATTACH_CLAMP : 0) |
      (spec.ipv6 ? ATTACH_IPV6 : 0) |
      (end === "subscriber" ? ATTACH_SUBSCRIBER_END : 0);
    const ipv4 = slot * ADDRESSES_PER_FAMILY;
    const ipv6 = 4 * ipv4;
    // an entry that no address matches
    t.attachIpv4.fill(1, ipv4, ipv4 + ADDRESSES_PER_FAMILY);
    t.attachIpv4Mask.fill(0, ipv4, ipv4 + ADDRESSES_PER_FAMILY);
    t.attachIpv6.fill(1, ipv6, ipv6 + 4 * ADDRESSES_PER_FAMILY);
    t.attachIpv6Mask.fill(0, ipv6, ipv6 + 4 * ADDRESSES_PER_FAMILY);
    let next4 = ipv4;
    let next6 = ipv6;
    for (const text of spec.addresses) {
      const { address, prefixLength } = prefixOf(text);
      const view = new DataView(address.buffer, address.byteOffset, address.length);
      for (let word = 0; word < address.length / 4; word++) {
        const bits = Math.min(32, Math.max(0, prefixLength - 32 * word));
        const mask = bits === 0 ? 0 : -1 << (32 - bits);
        const value = view.getInt32(4 * word) & mask;
        if (address.length === 4) {
          t.attachIpv4[next4] = value;
          t.attachIpv4Mask[next4++] = mask;
        } else {
          t.attachIpv6[next6] = value;
          t.attachIpv6Mask[next6++] = mask;
        }
      }
    }
  }

  #next(channel: ChannelId, state: number, index: number): void {
    const word = nextGeneration(this.#t.channelWord[channel]!, state, index);
    Atomics.store(this.#t.channelWord, channel, word);
  }
}

/** Rows of workers that never ran take no memory as long as nobody writes to them. */
function clear(counters: Float64Array, entry: number): void {
  if (counters[entry] !== 0) counters[entry] = 0;
}
