import { writeU16 } from "../../base/bytes.ts";
import {
  type Region,
  RX_LENGTH,
  RX_OFFSET,
  RX_STRIDE,
  SUM_LENGTH,
  SUM_OFFSET,
  SUM_RESULT,
  SUM_STRIDE,
} from "../../io/addon.ts";
import { IPV4_DESTINATION, IPV4_SOURCE } from "../../wire/ipv4.ts";
import { IPV6_DESTINATION, IPV6_SOURCE } from "../../wire/ipv6.ts";
import { PPP_IPV4, PPP_IPV6 } from "../../wire/ppp.ts";
import { VNET_HEADER_BYTES } from "../../wire/virtio-net.ts";
import { ACCEPT, TOO_BIG, UNKNOWN_DESTINATION, UNSUPPORTED_PROTOCOL } from "../drop-codes.ts";
import { clampMssTo } from "../mss.ts";
import { SuperSegment } from "../segmentation.ts";
import { LARGEST_HEADERS_BYTES, MOST_SEGMENTS, readUnitPacket, UnitPacket } from "../unit-packet.ts";
import { AddressLookup } from "./address-map.ts";
import { ATTACHED, indexOf, stateOf } from "./channel-word.ts";
import { readWord } from "./dispatch.ts";
import type { Egress } from "./egress.ts";
import type { Punter } from "./punter.ts";
import { ATTACH_CLAMP, ATTACH_IPV6, type Tables, UNIT_BY_SOURCE } from "./tables.ts";

/** Octets of headroom that a unit's receive buffers need: the longest header, less what the vnet header gives. */
export const UNIT_HEADROOM_BYTES = 32;
/** The largest that a unit's device hands over: an IP packet, to be cut up, behind its vnet header. */
export const UNIT_LARGEST_BYTES = VNET_HEADER_BYTES + 65_535;

/** Room for the headers of segments, each behind headroom for its channel's. */
const SLOT_BYTES = UNIT_HEADROOM_BYTES + LARGEST_HEADERS_BYTES;
const SLOTS = 1024;
/** Stretches that are summed with one call: those of the largest super-segment at least. */
const SUMS = 2 * MOST_SEGMENTS;

/**
 * Takes batches of packets from units, finishes their checksums, finds each one's channel and sends it there, in
 * segments if it is more than one. Of a segment only the headers are written, to a slot; its payload stays where it is.
 */
export class UnitIngress {
  readonly #tables: Tables;
  readonly #region: Pick<Region, "sum">;
  readonly #bytes: Uint8Array;
  readonly #egress: Egress;
  readonly #punter: Punter;
  readonly #drops: Float64Array;
  readonly #lookup: AddressLookup;
  readonly #packet = new UnitPacket();
  readonly #super = new SuperSegment();
  readonly #sums = new Int32Array(SUMS * SUM_STRIDE);
  /** The sum that is used next. */
  #nextSum = 0;
  readonly #slots: number;
  #slotsUsed = 0;

  constructor(
    tables: Tables,
    worker: number,
    region: Pick<Region, "bytes" | "allocate" | "sum">,
    egress: Egress,
    punter: Punter,
  ) {
    this.#tables = tables;
    this.#region = region;
    this.#bytes = region.bytes;
    this.#egress = egress;
    this.#punter = punter;
    this.#drops = tables.drops[worker]!;
    this.#lookup = new AddressLookup(tables.subscribers);
    this.#slots = region.allocate(SLOTS * SLOT_BYTES);
  }

  /**
   * Packets of a unit, each behind a vnet header; returns how many they are on the wire. Everything of earlier batches
   * has been sent.
   */
  fromUnit(unit: number, descriptors: Int32Array, count: number): number {
    this.#slotsUsed = 0;
    let segments = 0;
    for (let i = 0; i < count * RX_STRIDE; ) {
      const end = this.#sumPackets(descriptors, i, count * RX_STRIDE);
      for (; i < end; i += RX_STRIDE) {
        const verdict = this.#read(descriptors, i);
        segments += 1;
        if (verdict !== ACCEPT) {
          this.#drops[verdict]! += 1;
          continue;
        }
        if (this.#packet.segmentBytes > 0) segments += this.#packet.segments - 1;
        this.#forward(unit);
      }
    }
    return segments;
  }

  #read(descriptors: Int32Array, i: number): number {
    return readUnitPacket(
      this.#packet,
      this.#bytes,
      descriptors[i + RX_OFFSET]!,
      descriptors[i + RX_LENGTH]!,
    );
  }

  /** Sums what is to be summed of the packets from `i` on, with one call; returns where it ended for want of room. */
  #sumPackets(descriptors: Int32Array, i: number, end: number): number {
    let sums = 0;
    let at = i;
    for (; at < end; at += RX_STRIDE) {
      if (this.#read(descriptors, at) !== ACCEPT || this.#packet.checksumAt < 0) continue;
      const { offset, bytes, segmentBytes, headersBytes, checksumFrom } = this.#packet;
      if (sums + (segmentBytes === 0 ? 1 : this.#packet.segments) > SUMS) break;
      const packetEnd = offset + bytes;
      if (segmentBytes === 0) this.#addRange(sums++, checksumFrom, packetEnd);
      else
        for (let from = offset + headersBytes; from < packetEnd; from += segmentBytes)
          this.#addRange(sums++, from, Math.min(from + segmentBytes, packetEnd));
    }
    this.#nextSum = 0;
    if (sums > 0) this.#region.sum(this.#sums, sums);
    return at;
  }

  #addRange(index: number, from: number, to: number): void {
    this.#sums[index * SUM_STRIDE + SUM_OFFSET] = from;
    this.#sums[index * SUM_STRIDE + SUM_LENGTH] = to - from;
  }

  #takeSum(): number {
    const sum = this.#sums[this.#nextSum * SUM_STRIDE + SUM_RESULT]!;
    this.#nextSum += 1;
    return sum;
  }

  /** What #packet describes. */
  #forward(unit: number): void {
    const { segmentBytes, segments, checksumAt } = this.#packet;
    const firstSum = this.#nextSum;
    const cut = segmentBytes > 0;
    if (cut) {
      this.#nextSum += segments;
    } else if (checksumAt >= 0) {
      // what is at its place was summed with the rest; zero would mean that there is none (RFC 768), and is the same sum
      writeU16(this.#bytes, checksumAt, ~this.#takeSum() & 0xffff || 0xffff);
    }
    const channel = this.#channelOf(unit);
    const word = channel === 0 ? 0 : Atomics.load(this.#tables.channelWord, channel);
    // a record that is about to go may still be found: what it says must hold for the channel as it is now
    if (channel === 0 || stateOf(word) !== ATTACHED || this.#tables.attachUnit[indexOf(word)] !== unit) {
      this.#drops[UNKNOWN_DESTINATION]! += cut ? segments : 1;
    } else if (this.#packet.ipv6 && (this.#tables.attachFlags[indexOf(word)]! & ATTACH_IPV6) === 0) {
      this.#drops[UNSUPPORTED_PROTOCOL]! += cut ? segments : 1;
    } else if (cut) {
      this.#segments(unit, channel, word, firstSum);
    } else {
      this.#whole(unit, channel, word);
    }
  }

  /** Whom the packet is for; 0 when nobody. */
  #channelOf(unit: number): number {
    const bytes = this.#bytes;
    const { offset, ipv6 } = this.#packet;
    const channel = Atomics.load(this.#tables.unitChannel, unit);
    if (channel >= 0) return channel;
    const bySource = channel === UNIT_BY_SOURCE;
    if (!ipv6)
      return this.#lookup.ipv4(unit, readWord(bytes, offset + (bySource ? IPV4_SOURCE : IPV4_DESTINATION)));
    const address = offset + (bySource ? IPV6_SOURCE : IPV6_DESTINATION);
    return this.#lookup.ipv6(
      unit,
      readWord(bytes, address),
      readWord(bytes, address + 4),
      readWord(bytes, address + 8),
      readWord(bytes, address + 12),
    );
  }

  #whole(unit: number, channel: number, word: number): void {
    const { offset, bytes: packetBytes, ipv6 } = this.#packet;
    const mru = this.#tables.attachMru[indexOf(word)]!;
    if (packetBytes > mru) {
      this.#drops[TOO_BIG]! += 1;
      this.#punter.tooBig(unit, channel, word, this.#bytes, offset, packetBytes);
      return;
    }
    if ((this.#tables.attachFlags[indexOf(word)]! & ATTACH_CLAMP) !== 0)
      clampMssTo(mru, this.#bytes, offset, packetBytes);
    this.#egress.toChannel(channel, offset, packetBytes, ipv6 ? PPP_IPV6 : PPP_IPV4, true);
  }

  /** Each segment is judged by itself: all but the last have one size. */
  #segments(unit: number, channel: number, word: number, firstSum: number): void {
    const bytes = this.#bytes;
    const { offset, headersBytes, segmentBytes, segments, ipv6 } = this.#packet;
    const end = offset + this.#packet.bytes;
    const mru = this.#tables.attachMru[indexOf(word)]!;
    this.#super.begin(bytes, this.#packet);
    let tooBig = 0;
    for (let i = 0; i < segments; i++) {
      const payload = offset + headersBytes + i * segmentBytes;
      const payloadBytes = Math.min(segmentBytes, end - payload);
      if (headersBytes + payloadBytes > mru) {
        tooBig += 1;
        continue;
      }
      const head = this.#slot();
      const sum = this.#sums[(firstSum + i) * SUM_STRIDE + SUM_RESULT]!;
      this.#super.writeHeaders(bytes, head, i, payloadBytes, sum);
      this.#egress.inPieces(channel, head, headersBytes, payload, payloadBytes, ipv6 ? PPP_IPV6 : PPP_IPV4);
    }
    if (tooBig === 0) return;
    this.#drops[TOO_BIG]! += tooBig;
    // the sender is told once; nothing else needs the headers any more, and the payload of the first is behind them
    const payloadBytes = Math.min(segmentBytes, end - offset - headersBytes);
    const sum = this.#sums[firstSum * SUM_STRIDE + SUM_RESULT]!;
    this.#super.writeHeaders(bytes, offset, 0, payloadBytes, sum);
    this.#punter.tooBig(unit, channel, word, bytes, offset, headersBytes + payloadBytes);
  }

  /** Where the headers of one more segment go. */
  #slot(): number {
    if (this.#slotsUsed === SLOTS) {
      this.#egress.flush();
      this.#slotsUsed = 0;
    }
    const at = this.#slots + this.#slotsUsed * SLOT_BYTES + UNIT_HEADROOM_BYTES;
    this.#slotsUsed += 1;
    return at;
  }
}
