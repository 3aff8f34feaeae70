import { ADDRESS_BYTES, type Region } from "../../io/addon.ts";
import { TOO_BIG } from "../drop-codes.ts";
import { l2tpHeaderBytes, sequencedFraming, writeL2tpHeader } from "../l2tp-message.ts";
import { PPPOE_HEADERS_MAX, writePppoeHeaders } from "../pppoe-frame.ts";
import { isTapped, numbersSent, peerOf } from "./channel-link.ts";
import { takeNs } from "./sequence-numbers.ts";
import {
  COUNTERS_STRIDE,
  FRAMES_OUT,
  isUncheckedLane,
  OCTETS_OUT,
  PEER_FRAMING,
  PEER_HEADER_STRIDE,
  PEER_OVERSIZE_DROP,
  PEER_UDP,
  type Tables,
} from "./tables.ts";
import type { Tapper } from "./tapper.ts";
import { senderOf, type Transmitter } from "./transmitter.ts";

/** Room for one header: the longest, and the two octets of a PPP protocol field. */
const ARENA_SLOT_BYTES = 32;
const ARENA_SLOTS = 1024;

if (PPPOE_HEADERS_MAX + 2 > ARENA_SLOT_BYTES)
  throw new RangeError("the longest header does not fit the arena's slots");

/**
 * What leaves: writes the header of the channel's wire and queues the frame. Headers go before the frame itself
 * where there is room (`headroom`), else into an arena whose slots are free again after a flush.
 */
export class Egress {
  readonly #tables: Tables;
  readonly #bytes: Uint8Array;
  readonly #transmitter: Transmitter;
  readonly #tapper: Tapper;
  readonly #counters: Float64Array;
  readonly #drops: Float64Array;
  readonly #arena: number;
  #arenaUsed = 0;

  constructor(
    tables: Tables,
    worker: number,
    region: Pick<Region, "bytes" | "allocate">,
    transmitter: Transmitter,
    tapper: Tapper,
  ) {
    this.#tables = tables;
    this.#bytes = region.bytes;
    this.#transmitter = transmitter;
    this.#tapper = tapper;
    this.#counters = tables.counters[worker]!;
    this.#drops = tables.drops[worker]!;
    this.#arena = region.allocate(ARENA_SLOTS * ARENA_SLOT_BYTES);
  }

  /**
   * Sends the PPP frame on a channel. `protocol`: 0 when the frame has its protocol field, else the one to write
   * before it. `headroom`: at least 30 octets before `offset` may be overwritten.
   */
  toChannel(channel: number, offset: number, length: number, protocol: number, headroom: boolean): void {
    if (headroom) this.inPieces(channel, offset, length, 0, 0, protocol);
    else this.inPieces(channel, this.#arenaEnd(), 0, offset, length, protocol);
  }

  /** As toChannel(), of a frame in two pieces: at least 30 octets before `head` may be overwritten. */
  inPieces(
    channel: number,
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
    protocol: number,
  ): void {
    const t = this.#tables;
    const link = t.channelPeer[channel]!;
    const slot = t.slotOfPeer[peerOf(link)]!;
    const flags = t.peerFlags[slot]!;
    const ids = t.channelIds[channel]!;
    const pppBytes = headBytes + bodyBytes + (protocol === 0 ? 0 : 2);
    const udp = (flags & PEER_UDP) !== 0;
    const sequenced = numbersSent(link);
    const framing = sequenced ? sequencedFraming(flags & PEER_FRAMING) : flags & PEER_FRAMING;
    const limited = udp ? pppBytes + l2tpHeaderBytes(framing) : pppBytes;
    if (limited > t.peerMaxBytes[slot]! && (!udp || (flags & PEER_OVERSIZE_DROP) !== 0)) {
      this.#drops[TOO_BIG]! += 1;
      return;
    }
    const bytes = this.#bytes;
    let ppp = head;
    if (protocol !== 0) {
      ppp -= 2;
      bytes[ppp] = protocol >>> 8;
      bytes[ppp + 1] = protocol;
    }
    let start: number;
    if (udp) {
      const ns = sequenced ? takeNs(t, channel) : -1;
      start = writeL2tpHeader(bytes, ppp, framing, ids >>> 16, ids & 0xffff, pppBytes, ns);
    } else {
      const headers = slot * PEER_HEADER_STRIDE;
      start = writePppoeHeaders(bytes, ppp, t.peerHeaders, headers, t.peerHeaderBytes[slot]!, ids, pppBytes);
    }
    if (isTapped(link)) this.#tap(channel, slot, start, head + headBytes - start, body, bodyBytes);
    const at = channel * COUNTERS_STRIDE;
    this.#counters[at + FRAMES_OUT]! += 1;
    this.#counters[at + OCTETS_OUT]! += pppBytes;
    this.#transmitter.queue(
      t.peerLane[slot]!,
      start,
      head + headBytes - start,
      body,
      bodyBytes,
      slot * ADDRESS_BYTES,
      senderOf(channel, ppp - start),
    );
  }

  /** After this nothing that was queued is still to be sent. */
  flush(): void {
    this.#transmitter.flush();
    this.#arenaUsed = 0;
  }

  /** What is about to be queued, in its two pieces. */
  #tap(
    channel: number,
    slot: number,
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
  ): void {
    const t = this.#tables;
    if ((t.peerFlags[slot]! & PEER_UDP) === 0) {
      this.#tapper.sentFrame(channel, head, headBytes, body, bodyBytes);
      return;
    }
    const checked = !isUncheckedLane(t.sizes, t.peerLane[slot]!);
    const { addresses } = t;
    const address = slot * ADDRESS_BYTES;
    this.#tapper.sentMessage(channel, addresses, address, checked, head, headBytes, body, bodyBytes);
  }

  /** The end of a free slot. */
  #arenaEnd(): number {
    if (this.#arenaUsed === ARENA_SLOTS) this.flush();
    this.#arenaUsed += 1;
    return this.#arena + this.#arenaUsed * ARENA_SLOT_BYTES;
  }
}
