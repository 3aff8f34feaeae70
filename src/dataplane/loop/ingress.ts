import { readU16 } from "../../base/bytes.ts";
import {
  ADDRESS_FAMILY,
  ADDRESS_PORT,
  ADDRESS_REMOTE,
  RX_ADDRESS,
  RX_AUX,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
} from "../../io/addon.ts";
import { isL2tpControl } from "../../wire/l2tp.ts";
import {
  ACCEPT,
  OUT_OF_ORDER_LATE,
  TRUNCATED,
  UNKNOWN_SESSION,
  UNKNOWN_TUNNEL,
  WRONG_SOURCE,
} from "../drop-codes.ts";
import { L2tpMessage, readL2tpMessage } from "../l2tp-message.ts";
import { isFromPeer, PppoeFrame, readPppoeFrame } from "../pppoe-frame.ts";
import { DELIVER, HELD, type Reorder } from "../reorder.ts";
import { AddressLookup } from "./address-map.ts";
import { isTapped, numbersSent, peerOf } from "./channel-link.ts";
import { type Dispatch, readWord } from "./dispatch.ts";
import type { Punter } from "./punter.ts";
import { followPeer } from "./sequence-numbers.ts";
import { PEER_HEADER_STRIDE, PEER_IPV6, portKey, SESSION_PAGE, type Tables } from "./tables.ts";
import type { Tapper } from "./tapper.ts";

/** Octets of headroom that an Ethernet port's receive buffers need, between a received header of 20 octets and one of 28 that replaces it. */
export const PACKET_HEADROOM_BYTES = 16;

/** Takes batches of frames apart, finds each one's channel and checks that it is its peer's. */
export class Ingress {
  readonly #tables: Tables;
  readonly #bytes: Uint8Array;
  /** The region in words, for address records. */
  readonly #words: Int32Array;
  readonly #dispatch: Dispatch;
  readonly #punter: Punter;
  readonly #drops: Float64Array;
  readonly #peerFramesIn: Float64Array;
  readonly #reorder: Reorder;
  readonly #tapper: Tapper;
  readonly #frame = new PppoeFrame();
  readonly #message = new L2tpMessage();
  readonly #udpPeers: AddressLookup;

  constructor(
    tables: Tables,
    worker: number,
    bytes: Uint8Array,
    dispatch: Dispatch,
    punter: Punter,
    reorder: Reorder,
    tapper: Tapper,
  ) {
    this.#tables = tables;
    this.#bytes = bytes;
    this.#words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
    this.#dispatch = dispatch;
    this.#punter = punter;
    this.#drops = tables.drops[worker]!;
    this.#peerFramesIn = tables.peerFramesIn[worker]!;
    this.#reorder = reorder;
    this.#tapper = tapper;
    this.#udpPeers = new AddressLookup(tables.udpPeers);
  }

  /** Ethernet frames of an access port. */
  fromEthernet(port: number, descriptors: Int32Array, count: number): void {
    for (let i = 0; i < count * RX_STRIDE; i += RX_STRIDE) {
      const verdict = this.#ethernetFrame(port, descriptors[i + RX_OFFSET]!, descriptors[i + RX_LENGTH]!);
      if (verdict !== ACCEPT) this.#drops[verdict]! += 1;
    }
  }

  /** Datagrams of an L2TP port, perhaps coalesced by the kernel; returns how many they were on the wire. */
  fromUdp(port: number, descriptors: Int32Array, count: number): number {
    let messages = 0;
    for (let i = 0; i < count * RX_STRIDE; i += RX_STRIDE) {
      let offset = descriptors[i + RX_OFFSET]!;
      const end = offset + descriptors[i + RX_LENGTH]!;
      const segment = descriptors[i + RX_AUX]!;
      const address = descriptors[i + RX_ADDRESS]!;
      do {
        const length = end - offset < segment ? end - offset : segment;
        const verdict = this.#datagram(port, offset, length, address);
        if (verdict !== ACCEPT) this.#drops[verdict]! += 1;
        offset += segment;
        messages += 1;
      } while (offset < end && segment > 0);
    }
    return messages;
  }

  #ethernetFrame(port: number, offset: number, length: number): number {
    const bytes = this.#bytes;
    const frame = this.#frame;
    const error = readPppoeFrame(frame, bytes, offset, length);
    if (error !== ACCEPT) return error;
    const t = this.#tables;
    let channel = Atomics.load(t.pppoeChannel, (port << 16) | frame.sessionId);
    if (channel === 0) return this.#unknownSession(port, offset);
    let link = t.channelPeer[channel]!;
    while (!this.#isFrom(peerOf(link), offset)) {
      // the same session id in another VLAN
      channel = Atomics.load(t.pppoeNext, channel);
      if (channel === 0) {
        this.#unknownSession(port, offset);
        return WRONG_SOURCE;
      }
      link = t.channelPeer[channel]!;
    }
    if (isTapped(link)) this.#tapper.receivedFrame(channel, offset, length);
    // what stands before the PPP frame is 20 octets at least, and the slot's headroom
    return this.#dispatch.received(channel, frame.pppOffset, frame.pppBytes, true)
      ? ACCEPT
      : this.#unknownSession(port, offset);
  }

  /** Whether the frame at `offset`, which #frame describes, is from a peer. */
  #isFrom(peer: number, offset: number): boolean {
    const t = this.#tables;
    const slot = t.slotOfPeer[peer]!;
    const headers = slot * PEER_HEADER_STRIDE;
    const { ethernetBytes } = this.#frame;
    return isFromPeer(this.#bytes, offset, ethernetBytes, t.peerHeaders, headers, t.peerHeaderBytes[slot]!);
  }

  #unknownSession(port: number, offset: number): number {
    const { sessionId, ethernetBytes } = this.#frame;
    this.#punter.unknownSession(port, sessionId, this.#bytes, offset, ethernetBytes);
    return UNKNOWN_SESSION;
  }

  #datagram(port: number, offset: number, length: number, address: number): number {
    const bytes = this.#bytes;
    if (length === 0) return TRUNCATED;
    if (isL2tpControl(bytes, offset)) {
      this.#punter.control(port, this.#isPeer(port, address), bytes, offset, length, address);
      return ACCEPT;
    }
    const message = this.#message;
    const error = readL2tpMessage(message, bytes, offset, length);
    if (error !== ACCEPT) return error;
    const t = this.#tables;
    const directory = Atomics.load(t.tunnelDirectory, message.tunnelId);
    if (directory === 0) return UNKNOWN_TUNNEL;
    const { sessionId } = message;
    const page = Atomics.load(t.sessionDirectories, directory * SESSION_PAGE + (sessionId >>> 8));
    if (page === 0) return UNKNOWN_SESSION;
    const channel = Atomics.load(t.sessionPages, page * SESSION_PAGE + (sessionId & 0xff));
    if (channel === 0) return UNKNOWN_SESSION;
    const link = t.channelPeer[channel]!;
    const slot = t.slotOfPeer[peerOf(link)]!;
    if (t.peerPort[slot] !== port || !this.#isFromAddress(slot, address)) return WRONG_SOURCE;
    this.#peerFramesIn[peerOf(link)]! += 1;
    if (isTapped(link)) this.#tapper.receivedMessage(channel, offset, length, address);
    if (message.ns >= 0) return this.#sequenced(channel, link);
    // the peer has stopped numbering, and so do we (RFC 2661 §5.4)
    if (numbersSent(link)) followPeer(t, channel, link, false);
    return this.#dispatch.received(channel, message.pppOffset, message.pppBytes, false)
      ? ACCEPT
      : UNKNOWN_SESSION;
  }

  /** A data message with a sequence number. */
  #sequenced(channel: number, link: number): number {
    const { ns, pppOffset, pppBytes } = this.#message;
    if (!numbersSent(link)) followPeer(this.#tables, channel, link, true);
    const order = this.#reorder.arrive(channel, ns, this.#bytes, pppOffset, pppBytes);
    if (order !== DELIVER) return order === HELD ? ACCEPT : OUT_OF_ORDER_LATE;
    if (!this.#dispatch.received(channel, pppOffset, pppBytes, false)) return UNKNOWN_SESSION;
    this.#reorder.arrived(channel);
    return ACCEPT;
  }

  /** Whether the record at `address` of the region has a sender that is a peer on this port. */
  #isPeer(port: number, address: number): boolean {
    const bytes = this.#bytes;
    const key = portKey(port, readU16(bytes, address + ADDRESS_PORT));
    const remote = address + ADDRESS_REMOTE;
    const a = readWord(bytes, remote);
    if (bytes[address + ADDRESS_FAMILY] === 4) return this.#udpPeers.ipv4(key, a) !== 0;
    const b = readWord(bytes, remote + 4);
    return this.#udpPeers.ipv6(key, a, b, readWord(bytes, remote + 8), readWord(bytes, remote + 12)) !== 0;
  }

  /** Whether the record at `address` of the region has the sender that the peer's slot has. */
  #isFromAddress(slot: number, address: number): boolean {
    const t = this.#tables;
    const from = address >> 2;
    const to = slot << 4;
    const remote = ADDRESS_REMOTE >> 2;
    if (
      this.#bytes[address + ADDRESS_PORT] !== t.addresses[(slot << 6) + ADDRESS_PORT] ||
      this.#bytes[address + ADDRESS_PORT + 1] !== t.addresses[(slot << 6) + ADDRESS_PORT + 1] ||
      this.#words[from + remote] !== t.addressWords[to + remote]
    )
      return false;
    return (
      (t.peerFlags[slot]! & PEER_IPV6) === 0 ||
      (this.#words[from + remote + 1] === t.addressWords[to + remote + 1] &&
        this.#words[from + remote + 2] === t.addressWords[to + remote + 2] &&
        this.#words[from + remote + 3] === t.addressWords[to + remote + 3])
    );
  }
}
