import { writeU32 } from "../../base/bytes.ts";
import {
  ADDRESS_BYTES,
  ADDRESS_FAMILY,
  type Region,
  SUM_LENGTH,
  SUM_OFFSET,
  SUM_RESULT,
  SUM_STRIDE,
} from "../../io/addon.ts";
import { outerBytes } from "../outer.ts";
import type { TapTable } from "../tap-table.ts";
import type { RecordProducer } from "./record-ring.ts";
import { NO_SUM, RECORD_DATAGRAM, RECORD_SUM, tapRecordKind } from "./tap-record.ts";

/** The largest IP packet. */
const LARGEST_BYTES = 0xffff;
const HIGH_WORD = 2 ** 32;

/** Copies frames of tapped channels to a ring; who asks has seen that the channel is one (channel-link.ts). */
export class Tapper {
  readonly #ring: RecordProducer;
  readonly #table: TapTable;
  readonly #region: Pick<Region, "bytes" | "sum">;
  readonly #clock: () => number;
  readonly #ranges = new Int32Array(2 * SUM_STRIDE);

  /** `clock`: milliseconds, the same in all threads. */
  constructor(
    ring: RecordProducer,
    table: TapTable,
    region: Pick<Region, "bytes" | "sum">,
    clock: () => number,
  ) {
    this.#ring = ring;
    this.#table = table;
    this.#region = region;
    this.#clock = clock;
  }

  receivedFrame(channel: number, offset: number, length: number): void {
    this.#frame(channel, false, offset, length, 0, 0);
  }

  /** In two pieces. */
  sentFrame(channel: number, head: number, headBytes: number, body: number, bodyBytes: number): void {
    this.#frame(channel, true, head, headBytes, body, bodyBytes);
  }

  /** `address`: offset of the sender's address record in the region. */
  receivedMessage(channel: number, offset: number, length: number, address: number): void {
    this.#message(channel, false, this.#region.bytes, address, true, offset, length, 0, 0);
  }

  /** `address`: offset of the receiver's address record in `addresses`. `checked`: with a UDP checksum. */
  sentMessage(
    channel: number,
    addresses: Uint8Array,
    address: number,
    checked: boolean,
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
  ): void {
    this.#message(channel, true, addresses, address, checked, head, headBytes, body, bodyBytes);
  }

  /** At the end of a batch. */
  endBatch(): void {
    this.#ring.announce();
  }

  #frame(
    channel: number,
    out: boolean,
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
  ): void {
    const slot = this.#table.slotOf(channel);
    // the tap has just ended
    if (slot === 0) return;
    const now = this.#clock();
    const length = headBytes + bodyBytes;
    const kept = this.#table.keep(slot, length, now);
    if (kept === 0 || !this.#begin(slot, out, false, length, kept, now)) return;
    this.#copy(0, kept, head, headBytes, body);
    this.#ring.end();
  }

  #message(
    channel: number,
    out: boolean,
    addresses: Uint8Array,
    address: number,
    checked: boolean,
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
  ): void {
    const slot = this.#table.slotOf(channel);
    if (slot === 0) return;
    const length = headBytes + bodyBytes;
    const outer = outerBytes(addresses[address + ADDRESS_FAMILY] !== 4, 0);
    // the system will refuse it
    if (outer + length > LARGEST_BYTES) return;
    const now = this.#clock();
    const kept = this.#table.keep(slot, outer + length, now) - outer;
    if (kept < 0 || !this.#begin(slot, out, true, length, RECORD_DATAGRAM + kept, now)) return;
    const { payload, payloadOffset } = this.#ring;
    payload.set(addresses.subarray(address, address + ADDRESS_BYTES), payloadOffset);
    const sum = checked ? this.#sum(head, headBytes, body, bodyBytes) : NO_SUM;
    writeU32(payload, payloadOffset + RECORD_SUM, sum);
    this.#copy(RECORD_DATAGRAM, kept, head, headBytes, body);
    this.#ring.end();
  }

  #begin(
    slot: number,
    out: boolean,
    datagram: boolean,
    length: number,
    bytes: number,
    nowMs: number,
  ): boolean {
    const timeUs = this.#table.timeUs(slot, nowMs);
    const kind = tapRecordKind(slot, out, datagram);
    if (this.#ring.begin(kind, length, Math.floor(timeUs / HIGH_WORD), timeUs | 0, bytes)) return true;
    this.#table.missed(slot);
    return false;
  }

  /** The first `kept` octets of both pieces. */
  #copy(at: number, kept: number, head: number, headBytes: number, body: number): void {
    const { payload, payloadOffset } = this.#ring;
    const { bytes } = this.#region;
    const first = Math.min(kept, headBytes);
    payload.set(bytes.subarray(head, head + first), payloadOffset + at);
    if (kept > first) payload.set(bytes.subarray(body, body + kept - first), payloadOffset + at + first);
  }

  /** Of both pieces' 16-bit words, not folded. */
  #sum(head: number, headBytes: number, body: number, bodyBytes: number): number {
    const ranges = this.#ranges;
    ranges[SUM_OFFSET] = head;
    ranges[SUM_LENGTH] = headBytes;
    ranges[SUM_STRIDE + SUM_OFFSET] = body;
    ranges[SUM_STRIDE + SUM_LENGTH] = bodyBytes;
    this.#region.sum(ranges, bodyBytes === 0 ? 1 : 2);
    if (bodyBytes === 0) return ranges[SUM_RESULT]!;
    const second = ranges[SUM_STRIDE + SUM_RESULT]!;
    // words of the second piece are astride (RFC 1071 §2 B)
    const swapped = (headBytes & 1) === 0 ? second : ((second & 0xff) << 8) | (second >>> 8);
    return ranges[SUM_RESULT]! + swapped;
  }
}
