import {
  type ChannelId,
  MAX_TAPS,
  TAPPED_FRAME_COST_BYTES,
  type TapSpec,
  type TapTotals,
} from "../channel/dataplane.ts";

/** Words of one tap, on a cache line of its own. */
const CHANNEL = 0;
const SNAP = 1;
const RATE = 2;
/** Octets that may be kept now; below zero when the last frame has overdrawn them. */
const TOKENS = 3;
/** When they were last added to, in milliseconds modulo 2^32. */
const FILLED_AT = 4;
const STRIDE = 16;
const WORDS = (MAX_TAPS + 1) * STRIDE;

/** What one row has of each tap. */
const FRAMES = 0;
const PASSED_OVER = 1;
const COUNTS = 2;
const ROW = (MAX_TAPS + 1) * COUNTS;

/** Fewer are not added to a bucket: of each addition less than an octet is lost. */
const LEAST_ADDED = 64;

/**
 * The taps in shared memory, in slots from 1: who meets a frame of a tapped channel finds here whether it is kept. What is kept
 * is counted in rows, one for each thread, so that nobody waits for another.
 */
export class TapTable {
  readonly #words: Int32Array;
  /** By slot: what is added to a time to make it one since 1970, in microseconds. */
  readonly #epochs: Float64Array;
  readonly #rows: readonly Float64Array[];
  readonly #counts: Float64Array;

  /** `row`: the one that this thread counts in, of as many as allocate() was told. */
  constructor(buffer: SharedArrayBuffer, row: number) {
    this.#words = new Int32Array(buffer, 0, WORDS);
    this.#epochs = new Float64Array(buffer, 4 * WORDS, MAX_TAPS + 1);
    const rows = 4 * WORDS + 8 * (MAX_TAPS + 1);
    const count = (buffer.byteLength - rows) / (8 * ROW);
    this.#rows = Array.from({ length: count }, (_, i) => new Float64Array(buffer, rows + i * 8 * ROW, ROW));
    this.#counts = this.#rows[row]!;
  }

  static allocate(rows: number): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * WORDS + 8 * (MAX_TAPS + 1) + rows * 8 * ROW);
  }

  /**
   * Describes a tap in a slot that nobody uses. `nowMs`: of the clock that keep() and timeUs() are told, which began
   * `epochUs` after 1970.
   */
  open(slot: number, channel: ChannelId, spec: TapSpec, nowMs: number, epochUs: number): void {
    const at = slot * STRIDE;
    for (const row of this.#rows) row.fill(0, slot * COUNTS, (slot + 1) * COUNTS);
    this.#epochs[slot] = epochUs;
    this.#words[at + SNAP] = spec.snapBytes;
    this.#words[at + RATE] = spec.octetsPerSecond;
    this.#words[at + TOKENS] = spec.octetsPerSecond;
    this.#words[at + FILLED_AT] = Math.floor(nowMs) | 0;
    Atomics.store(this.#words, at + CHANNEL, channel);
  }

  /** Nobody finds it any more; who has found it may count on for a while. */
  close(slot: number): void {
    Atomics.store(this.#words, slot * STRIDE + CHANNEL, 0);
  }

  totals(slot: number): TapTotals {
    let frames = 0;
    let passedOver = 0;
    for (const row of this.#rows) {
      frames += row[slot * COUNTS + FRAMES]!;
      passedOver += row[slot * COUNTS + PASSED_OVER]!;
    }
    return { frames, passedOver };
  }

  /** 0: it is not tapped. */
  slotOf(channel: ChannelId): number {
    for (let slot = 1; slot <= MAX_TAPS; slot++)
      if (Atomics.load(this.#words, slot * STRIDE + CHANNEL) === channel) return slot;
    return 0;
  }

  /** How many octets of a frame of so many are kept; 0: the frame is passed over. Counts it. */
  keep(slot: number, lengthBytes: number, nowMs: number): number {
    const words = this.#words;
    const at = slot * STRIDE;
    this.#fill(at, nowMs);
    if (Atomics.load(words, at + TOKENS) <= 0) {
      this.#counts[slot * COUNTS + PASSED_OVER]! += 1;
      return 0;
    }
    const kept = Math.min(lengthBytes, words[at + SNAP]!);
    Atomics.sub(words, at + TOKENS, kept + TAPPED_FRAME_COST_BYTES);
    this.#counts[slot * COUNTS + FRAMES]! += 1;
    return kept;
  }

  /** There was no room for one that was to be kept. */
  missed(slot: number): void {
    this.#counts[slot * COUNTS + FRAMES]! -= 1;
    this.#counts[slot * COUNTS + PASSED_OVER]! += 1;
  }

  /** A time of the clock, since 1970. */
  timeUs(slot: number, nowMs: number): number {
    return Math.floor(this.#epochs[slot]! + 1000 * nowMs);
  }

  /** What has come in since the bucket was last filled, which one thread adds. */
  #fill(at: number, nowMs: number): void {
    const words = this.#words;
    const rate = words[at + RATE]!;
    const now = Math.floor(nowMs) | 0;
    const before = Atomics.load(words, at + FILLED_AT);
    const elapsed = (now - before) | 0;
    const added = Math.floor((elapsed * rate) / 1000);
    if (added < LEAST_ADDED) return;
    if (Atomics.compareExchange(words, at + FILLED_AT, before, now) !== before) return;
    const tokens = Atomics.load(words, at + TOKENS);
    // others take meanwhile, nobody else adds
    Atomics.add(words, at + TOKENS, Math.min(added, rate - tokens));
  }
}
