import { DEFAULT_REORDER, type ReorderSpec } from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";

/** What arrive() says of a message. */
export const DELIVER = 0;
export const HELD = 1;
export const LATE = 2;

/** By channel, written by who adds channels: what a channel's messages are put in order by. */
export interface ReorderTable {
  /** Another number for every channel that has had the id. */
  readonly serial: Int32Array;
  /** limitsOf() the channel. */
  readonly limits: Int32Array;
  /**
   * PROGRESS_STRIDE entries a channel, zero at first: what its messages have come to. Written by the one Reorder that
   * they come to; the next one to which they come goes on from there.
   */
  readonly progress: Int32Array;
  /** The largest that peerOf() gives. */
  readonly peers: number;
  /** Whose messages a channel's are. */
  peerOf(channel: number): number;
}

/** A stretch of octets in slots of one size that messages are copied to while they wait. */
export interface ReorderPool {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly slots: number;
  readonly slotBytes: number;
  /** Octets that stay free before each message. */
  readonly headroomBytes: number;
}

/** Where messages go that have waited. */
export interface ReorderSink {
  /** `offset`: in the pool's octets, which stay as they are until release(). */
  deliver(channel: number, offset: number, length: number): void;
  /** Whose channel is gone. */
  stale(): void;
}

/** A message that waits, on its way from one Reorder to another. */
export interface WaitingMessage {
  readonly channel: number;
  /** The channel's serial. */
  readonly serial: number;
  readonly ns: number;
  readonly waitedMs: number;
  /** A PPP frame. */
  readonly octets: Uint8Array;
}

/** Entries of a channel in ReorderTable.progress. */
const SERIAL = 0;
const EXPECTED = 1;
/** The last late number and how many came in a row up to it: count << 16 | Ns. */
const LATE_RUN = 2;
export const PROGRESS_STRIDE = 4;

/**
 * So many late messages, one right after the other, and further behind than a network has them, are a peer that counts
 * from somewhere else now. One that is less far behind catches up by itself before long.
 */
const RESTART_RUN = 4;
const LATE_REACH = 256;

const FRAMES_SHIFT = 16;
const TIME_MASK = 0xffff;
const MOST_FRAMES = 1024;
const MOST_TIME_MS = 10_000;

/** A channel's bounds in one word; a DataplaneError when they are out of theirs. */
export function limitsOf({ frames, timeMs }: ReorderSpec = DEFAULT_REORDER): number {
  const valid = (value: number, min: number, max: number) =>
    Number.isInteger(value) && value >= min && value <= max;
  if (!valid(frames, 0, MOST_FRAMES) || !valid(timeMs, 1, MOST_TIME_MS))
    throw new DataplaneError("bad-spec", `a reordering window of ${frames} messages and ${timeMs} ms`);
  return (frames << FRAMES_SHIFT) | timeMs;
}

/** Octets of what is known of so many channels and peers. */
export function reorderStateBytes(channels: number, peers: number): number {
  return (channels + 1 + peers + 1) * Int32Array.BYTES_PER_ELEMENT;
}

/** Whether the number `a` comes before `b` (modulo 2^16). */
function isBefore(a: number, b: number): boolean {
  return ((a - b) & 0x8000) !== 0;
}

/**
 * Puts received data messages in the order of their numbers (RFC 2661 §5.4): Ns counts from 0 in every session,
 * modulo 2^16. What comes early waits in a pool that all channels share, those of one peer in no more of it than they
 * leave free: one that leaves out a number in each of its sessions takes half, two take a third each. Where the window
 * is full, the time is over or there is no room, the missing ones are given up and the next that is there goes on. All
 * messages of one channel come to one of these, until takeOut() and putBack() move what waits to another. In order
 * nothing is allocated or copied.
 */
export class Reorder {
  readonly #table: ReorderTable;
  readonly #pool: ReorderPool;
  readonly #sink: ReorderSink;
  readonly #clock: () => number;
  readonly #progress: Int32Array;
  /** By channel: its gap, 0 when nothing waits. It may be an earlier channel's of that id. */
  readonly #gapOf: Int32Array;
  /** Slots of the pool, from 1: a list of free ones, lists of those that wait, by their numbers, and those to be freed. */
  readonly #next: Int32Array;
  readonly #ns: Int32Array;
  readonly #length: Int32Array;
  readonly #arrivedAt: Float64Array;
  #free = 0;
  #freeCount: number;
  #used = 0;
  /** By peer: how many wait. */
  readonly #waiting: Int32Array;
  /** Gaps, from 1: the channels for which something waits. */
  readonly #gapChannel: Int32Array;
  readonly #gapSerial: Int32Array;
  readonly #gapPeer: Int32Array;
  readonly #gapSource: Int32Array;
  readonly #gapFirst: Int32Array;
  readonly #gapLast: Int32Array;
  readonly #gapDeadline: Float64Array;
  readonly #freeGaps: Int32Array;
  #freeGapCount: number;
  #gaps = 0;
  /** No gap's time is over before this. */
  #deadline = Number.POSITIVE_INFINITY;
  /** Where what arrives now comes from, a number of the caller's: takeOut() takes out what one source has brought. */
  source = 0;

  /** `channels`: the largest id. `clock`: milliseconds, monotonic; asked only when something waits. */
  constructor(
    table: ReorderTable,
    pool: ReorderPool,
    sink: ReorderSink,
    channels: number,
    clock: () => number,
  ) {
    const { slots } = pool;
    this.#table = table;
    this.#pool = pool;
    this.#sink = sink;
    this.#clock = clock;
    this.#progress = table.progress;
    this.#gapOf = new Int32Array(channels + 1);
    this.#next = new Int32Array(slots + 1);
    this.#ns = new Int32Array(slots + 1);
    this.#length = new Int32Array(slots + 1);
    this.#arrivedAt = new Float64Array(slots + 1);
    for (let slot = 1; slot <= slots; slot++) this.#next[slot] = slot - 1;
    this.#free = slots;
    this.#freeCount = slots;
    this.#waiting = new Int32Array(table.peers + 1);
    // a gap has one message at least
    this.#gapChannel = new Int32Array(slots + 1);
    this.#gapSerial = new Int32Array(slots + 1);
    this.#gapPeer = new Int32Array(slots + 1);
    this.#gapSource = new Int32Array(slots + 1);
    this.#gapFirst = new Int32Array(slots + 1);
    this.#gapLast = new Int32Array(slots + 1);
    this.#gapDeadline = new Float64Array(slots + 1).fill(Number.POSITIVE_INFINITY);
    // the lowest on top: expire() looks no further than the highest that is used
    this.#freeGaps = Int32Array.from({ length: slots }, (_, i) => slots - i);
    this.#freeGapCount = slots;
  }

  /** When expire() has something to do; Infinity when nothing waits. */
  get deadline(): number {
    return this.#deadline;
  }

  /**
   * A message with a number. DELIVER: it is next; the caller carries it on and then calls arrived(). HELD: its
   * octets have been copied. LATE: to be dropped. What waited before it may be delivered meanwhile.
   */
  arrive(channel: number, ns: number, bytes: Uint8Array, offset: number, length: number): number {
    const words = this.#progress;
    const at = channel * PROGRESS_STRIDE;
    const serial = this.#table.serial[channel]!;
    if (words[at + SERIAL] !== serial) {
      words[at + SERIAL] = serial;
      words[at + EXPECTED] = 0;
      words[at + LATE_RUN] = 0;
    }
    if (words[at + EXPECTED] !== ns) {
      const verdict = this.#outOfOrder(channel, ns, bytes, offset, length);
      if (verdict !== DELIVER) return verdict;
    }
    words[at + EXPECTED] = (ns + 1) & 0xffff;
    words[at + LATE_RUN] = 0;
    return DELIVER;
  }

  /** After a message that arrive() let go on: what waited for it follows. */
  arrived(channel: number): void {
    const gap = this.#gapFor(channel);
    if (gap !== 0) this.#follow(channel, gap);
  }

  /** Takes out what waits of what `source` has brought, in order: it comes to another from now on. */
  takeOut(source: number): WaitingMessage[] {
    const messages: WaitingMessage[] = [];
    if (this.#gaps === 0) return messages;
    const now = this.#clock();
    for (let gap = 1; gap < this.#gapFirst.length; gap++) {
      if (this.#gapFirst[gap] === 0 || this.#gapSource[gap] !== source) continue;
      const channel = this.#gapChannel[gap]!;
      const serial = this.#gapSerial[gap]!;
      while (this.#gapFirst[gap] !== 0) {
        const slot = this.#takeFirst(gap);
        const at = this.#octetsOf(slot);
        messages.push({
          channel,
          serial,
          ns: this.#ns[slot]!,
          waitedMs: now - this.#arrivedAt[slot]!,
          octets: this.#pool.bytes.slice(at, at + this.#length[slot]!),
        });
      }
      if (this.#gapOf[channel] === gap) this.#gapOf[channel] = 0;
      this.#closeGap(gap);
    }
    this.release();
    return messages;
  }

  /** Lets messages that another has taken out wait here, as long as they would have there. */
  putBack(source: number, messages: readonly WaitingMessage[]): void {
    this.source = source;
    for (const { channel, serial, ns, waitedMs, octets } of messages) {
      const isRoom = this.#waiting[this.#table.peerOf(channel)]! < this.#freeCount;
      if (this.#table.serial[channel] !== serial || !isRoom) {
        this.#sink.stale();
        continue;
      }
      const timeMs = this.#table.limits[channel]! & TIME_MASK;
      this.#hold(channel, ns, timeMs, octets, 0, octets.length, this.#clock() - waitedMs);
    }
  }

  /** Gives up what is missing for too long. Returns how many messages went on. */
  expire(): number {
    const now = this.#clock();
    if (now < this.#deadline) return 0;
    let delivered = 0;
    let next = Number.POSITIVE_INFINITY;
    for (let gap = 1, left = this.#gaps; left > 0; gap++) {
      if (this.#gapFirst[gap] === 0) continue;
      left -= 1;
      if (this.#gapDeadline[gap]! <= now) delivered += this.#expireGap(gap, now);
      if (this.#gapFirst[gap] !== 0) next = Math.min(next, this.#gapDeadline[gap]!);
    }
    this.#deadline = next;
    return delivered;
  }

  /** What was delivered has been sent: its slots are free again. */
  release(): void {
    while (this.#used !== 0) {
      const slot = this.#used;
      this.#used = this.#next[slot]!;
      this.#next[slot] = this.#free;
      this.#free = slot;
      this.#freeCount += 1;
    }
  }

  #outOfOrder(channel: number, ns: number, bytes: Uint8Array, offset: number, length: number): number {
    const words = this.#progress;
    const at = channel * PROGRESS_STRIDE;
    if (isBefore(ns, words[at + EXPECTED]!)) return this.#late(channel, ns);
    words[at + LATE_RUN] = 0;
    const limits = this.#table.limits[channel]!;
    const frames = limits >>> FRAMES_SHIFT;
    if (((ns - words[at + EXPECTED]!) & 0xffff) > frames) this.#giveUp(channel, (ns - frames) & 0xffff);
    if (words[at + EXPECTED] === ns) return DELIVER;
    const { slotBytes, headroomBytes } = this.#pool;
    const isRoom = this.#waiting[this.#table.peerOf(channel)]! < this.#freeCount;
    if (!isRoom || length > slotBytes - headroomBytes) {
      this.#giveUp(channel, ns);
      // what went on with that may have been this very message
      return words[at + EXPECTED] === ns ? DELIVER : LATE;
    }
    return this.#hold(channel, ns, limits & TIME_MASK, bytes, offset, length, this.#clock());
  }

  #late(channel: number, ns: number): number {
    const words = this.#progress;
    const at = channel * PROGRESS_STRIDE;
    const run = words[at + LATE_RUN]!;
    const count = (run & 0xffff) === ((ns - 1) & 0xffff) ? (run >>> 16) + 1 : 1;
    words[at + LATE_RUN] = (count << 16) | ns;
    const behind = (words[at + EXPECTED]! - ns) & 0xffff;
    if (count < RESTART_RUN || behind <= LATE_REACH) return LATE;
    // what waits is numbered as before: it cannot go behind what comes now
    const gap = this.#gapFor(channel);
    if (gap !== 0) this.#giveUp(channel, (this.#ns[this.#gapLast[gap]!]! + 1) & 0xffff);
    words[at + EXPECTED] = ns;
    return DELIVER;
  }

  #hold(
    channel: number,
    ns: number,
    timeMs: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    arrivedAt: number,
  ): number {
    const gap = this.#gapFor(channel) || this.#openGap(channel);
    // nearly always behind all that waits
    let before = this.#gapLast[gap]!;
    if (before !== 0 && !isBefore(this.#ns[before]!, ns)) {
      before = 0;
      let after = this.#gapFirst[gap]!;
      while (isBefore(this.#ns[after]!, ns)) {
        before = after;
        after = this.#next[after]!;
      }
      if (this.#ns[after] === ns) return LATE;
    }
    const slot = this.#free;
    this.#free = this.#next[slot]!;
    this.#freeCount -= 1;
    this.#waiting[this.#gapPeer[gap]!]! += 1;
    this.#next[slot] = before === 0 ? this.#gapFirst[gap]! : this.#next[before]!;
    if (before === 0) this.#gapFirst[gap] = slot;
    else this.#next[before] = slot;
    if (this.#next[slot] === 0) this.#gapLast[gap] = slot;
    this.#ns[slot] = ns;
    this.#length[slot] = length;
    this.#arrivedAt[slot] = arrivedAt;
    this.#gapDeadline[gap] = Math.min(this.#gapDeadline[gap]!, arrivedAt + timeMs);
    this.#deadline = Math.min(this.#deadline, this.#gapDeadline[gap]!);
    const to = this.#octetsOf(slot);
    const pool = this.#pool.bytes;
    if (bytes === pool) pool.copyWithin(to, offset, offset + length);
    else pool.set(bytes.subarray(offset, offset + length), to);
    return HELD;
  }

  /** Nothing before `end` is waited for any more: what is there goes on, in order. Returns how many. */
  #giveUp(channel: number, end: number): number {
    const words = this.#progress;
    const at = channel * PROGRESS_STRIDE;
    let delivered = 0;
    const gap = this.#gapFor(channel);
    while (gap !== 0 && this.#gapFirst[gap] !== 0 && isBefore(this.#ns[this.#gapFirst[gap]!]!, end)) {
      this.#deliverFirst(channel, gap);
      delivered += 1;
    }
    words[at + EXPECTED] = end;
    return gap === 0 ? delivered : delivered + this.#follow(channel, gap);
  }

  /** Delivers what is next; the gap closes when nothing waits any more. */
  #follow(channel: number, gap: number): number {
    const words = this.#progress;
    const at = channel * PROGRESS_STRIDE;
    let delivered = 0;
    for (let slot = this.#gapFirst[gap]!; slot !== 0; slot = this.#gapFirst[gap]!) {
      if (this.#ns[slot] !== words[at + EXPECTED]) return delivered;
      words[at + EXPECTED] = (this.#ns[slot]! + 1) & 0xffff;
      this.#deliverFirst(channel, gap);
      delivered += 1;
    }
    this.#closeGap(gap);
    this.#gapOf[channel] = 0;
    return delivered;
  }

  #deliverFirst(channel: number, gap: number): void {
    const slot = this.#takeFirst(gap);
    this.#sink.deliver(channel, this.#octetsOf(slot), this.#length[slot]!);
  }

  /** Out of the list, to be freed with release(). */
  #takeFirst(gap: number): number {
    const slot = this.#gapFirst[gap]!;
    this.#gapFirst[gap] = this.#next[slot]!;
    this.#next[slot] = this.#used;
    this.#used = slot;
    this.#waiting[this.#gapPeer[gap]!]! -= 1;
    return slot;
  }

  /** One whose time may be over: nothing waits longer than its channel allows, whatever came after it. */
  #expireGap(gap: number, now: number): number {
    const channel = this.#gapChannel[gap]!;
    if (this.#table.serial[channel] !== this.#gapSerial[gap]) {
      while (this.#gapFirst[gap] !== 0) {
        this.#takeFirst(gap);
        this.#sink.stale();
      }
      if (this.#gapOf[channel] === gap) this.#gapOf[channel] = 0;
      this.#closeGap(gap);
      return 0;
    }
    const timeMs = this.#table.limits[channel]! & TIME_MASK;
    let overdue = 0;
    for (let slot = this.#gapFirst[gap]!; slot !== 0; slot = this.#next[slot]!)
      if (this.#arrivedAt[slot]! + timeMs <= now) overdue = slot;
    const delivered = overdue === 0 ? 0 : this.#giveUp(channel, (this.#ns[overdue]! + 1) & 0xffff);
    if (this.#gapFirst[gap] === 0) return delivered;
    let oldest = Number.POSITIVE_INFINITY;
    for (let slot = this.#gapFirst[gap]!; slot !== 0; slot = this.#next[slot]!)
      oldest = Math.min(oldest, this.#arrivedAt[slot]!);
    this.#gapDeadline[gap] = oldest + timeMs;
    return delivered;
  }

  /** 0: nothing waits for the channel. */
  #gapFor(channel: number): number {
    const gap = this.#gapOf[channel]!;
    return gap !== 0 && this.#gapSerial[gap] === this.#table.serial[channel] ? gap : 0;
  }

  #openGap(channel: number): number {
    this.#freeGapCount -= 1;
    const gap = this.#freeGaps[this.#freeGapCount]!;
    this.#gaps += 1;
    this.#gapChannel[gap] = channel;
    this.#gapSerial[gap] = this.#table.serial[channel]!;
    this.#gapPeer[gap] = this.#table.peerOf(channel);
    this.#gapSource[gap] = this.source;
    this.#gapOf[channel] = gap;
    return gap;
  }

  #closeGap(gap: number): void {
    this.#gaps -= 1;
    this.#gapFirst[gap] = 0;
    this.#gapLast[gap] = 0;
    this.#gapDeadline[gap] = Number.POSITIVE_INFINITY;
    this.#freeGaps[this.#freeGapCount] = gap;
    this.#freeGapCount += 1;
    if (this.#gaps === 0) this.#deadline = Number.POSITIVE_INFINITY;
  }

  #octetsOf(slot: number): number {
    const { offset, slotBytes, headroomBytes } = this.#pool;
    return offset + (slot - 1) * slotBytes + headroomBytes;
  }
}
