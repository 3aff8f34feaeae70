import type { IdPool } from "../../base/ids.ts";
import { numbers } from "../numbers.ts";
import { ADDRESS_RECORD_WORDS, type AddressTable } from "./tables.ts";

/**
 * From an address in a shared unit to the channel that has it (or from that of a UDP peer to the peer): open
 * addressing over records, in shared tables. Prefixes of any length: a lookup tries the lengths that are in use,
 * longest first.
 *
 * state: which of the two hash tables is used, then a bit for each prefix length in use: five words for
 * IPv6's 0–128, two for IPv4's 0–32.
 */
const ACTIVE = 0;
const LENGTHS_IPV6 = 1;
const LENGTHS_IPV4 = 6;

const UNIT = 0;
const LENGTH = 1;
const CHANNEL = 2;
const ADDRESS = 4;

const EMPTY = 0;
const TOMBSTONE = -1;

/** IPv4 lengths are stored with this added, so that 10.0.0.0/8 and a00::/8 differ. */
const IPV4_LENGTH = 256;

function hash(unit: number, length: number, a: number, b: number, c: number, d: number): number {
  let h = Math.imul(a ^ Math.imul(unit, 0x9e3779b1), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13) ^ b, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16) ^ c, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15) ^ d ^ length, 0x165667b1);
  return h ^ (h >>> 16);
}

/** The first `bits` (0–32) of a word. */
function leading(word: number, bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? word : word & ~(0xffffffff >>> bits);
}

/** Finds channels; for any thread. No allocation. */
export class AddressLookup {
  readonly #state: Int32Array;
  readonly #hash: Int32Array;
  readonly #records: Int32Array;
  readonly #buckets: number;

  constructor({ state, hash, records }: AddressTable) {
    this.#state = state;
    this.#hash = hash;
    this.#records = records;
    this.#buckets = hash.length / 2;
  }

  ipv4(unit: number, address: number): number {
    for (let word = 1; word >= 0; word--) {
      let bits = Atomics.load(this.#state, LENGTHS_IPV4 + word);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        const length = 32 * word + bit;
        const channel = this.find(unit, IPV4_LENGTH + length, leading(address, length), 0, 0, 0);
        if (channel !== 0) return channel;
      }
    }
    return 0;
  }

  ipv6(unit: number, a: number, b: number, c: number, d: number): number {
    for (let word = 4; word >= 0; word--) {
      let bits = Atomics.load(this.#state, LENGTHS_IPV6 + word);
      while (bits !== 0) {
        const bit = 31 - Math.clz32(bits);
        bits &= ~(1 << bit);
        const length = 32 * word + bit;
        const channel = this.find(
          unit,
          length,
          leading(a, length),
          leading(b, length - 32),
          leading(c, length - 64),
          leading(d, length - 96),
        );
        if (channel !== 0) return channel;
      }
    }
    return 0;
  }

  /** The channel with exactly this prefix, or 0. */
  find(unit: number, length: number, a: number, b: number, c: number, d: number): number {
    const base = Atomics.load(this.#state, ACTIVE) * this.#buckets;
    const mask = this.#buckets - 1;
    let bucket = hash(unit, length, a, b, c, d) & mask;
    for (;;) {
      const record = Atomics.load(this.#hash, base + bucket);
      if (record === EMPTY) return 0;
      if (record !== TOMBSTONE && this.matches(record, unit, length, a, b, c, d))
        return this.#records[record * ADDRESS_RECORD_WORDS + CHANNEL]!;
      bucket = (bucket + 1) & mask;
    }
  }

  matches(record: number, unit: number, length: number, a: number, b: number, c: number, d: number): boolean {
    const r = this.#records;
    const at = record * ADDRESS_RECORD_WORDS;
    return (
      r[at + ADDRESS] === a &&
      r[at + UNIT] === unit &&
      r[at + LENGTH] === length &&
      r[at + ADDRESS + 1] === b &&
      r[at + ADDRESS + 2] === c &&
      r[at + ADDRESS + 3] === d
    );
  }
}

/** A prefix in words: `length` has IPV4_LENGTH added for IPv4. */
interface Key {
  readonly length: number;
  readonly words: readonly [number, number, number, number];
}

/** The words of a prefix; host bits are cleared. */
function keyOf(address: Uint8Array, prefixLength: number): Key {
  const view = new DataView(address.buffer, address.byteOffset, address.length);
  const word = (i: number) =>
    4 * i < address.length ? leading(view.getInt32(4 * i), prefixLength - 32 * i) : 0;
  return {
    length: address.length === 4 ? IPV4_LENGTH + prefixLength : prefixLength,
    words: [word(0), word(1), word(2), word(3)],
  };
}

/** The one writer. */
export class AddressMap {
  readonly #table: AddressTable;
  readonly #buckets: number;
  readonly #ids: IdPool;
  /** Buckets of the active table that are not EMPTY. */
  #filled = 0;
  readonly #live = new Set<number>();
  readonly #lengths = new Map<number, number>();
  /** The other hash table may still be read by a worker. */
  #otherBusy = false;

  constructor(table: AddressTable) {
    this.#table = table;
    this.#buckets = table.hash.length / 2;
    this.#ids = numbers(table.records.length / ADDRESS_RECORD_WORDS - 1);
  }

  /** Returns the record, or undefined when there is no room. Where several have the same, any of them is found. */
  add(unit: number, address: Uint8Array, prefixLength: number, channel: number): number | undefined {
    const record = this.#ids.take();
    if (record === undefined) return undefined;
    const { length, words } = keyOf(address, prefixLength);
    const records = this.#table.records;
    const at = record * ADDRESS_RECORD_WORDS;
    records[at + UNIT] = unit;
    records[at + LENGTH] = length;
    records[at + CHANNEL] = channel;
    records.set(words, at + ADDRESS);
    this.#live.add(record);
    this.#insert(Atomics.load(this.#table.state, ACTIVE), record);
    this.#countLength(length, 1);
    return record;
  }

  /** Takes a record out; it may be reused after a grace period: release(). */
  remove(record: number): void {
    const bucket = this.#bucketOf(record);
    const base = Atomics.load(this.#table.state, ACTIVE) * this.#buckets;
    Atomics.store(this.#table.hash, base + bucket, TOMBSTONE);
    this.#live.delete(record);
    this.#countLength(this.#table.records[record * ADDRESS_RECORD_WORDS + LENGTH]!, -1);
  }

  release(record: number): void {
    this.#ids.release(record);
  }

  /**
   * Moves to the other hash table when tombstones crowd this one. True: the one left behind is read no more
   * after a grace period, and the caller then says so with otherIsFree().
   */
  rebuildIfCrowded(): boolean {
    if (this.#otherBusy || this.#filled < (this.#buckets * 3) / 4) return false;
    const state = this.#table.state;
    const other = 1 - Atomics.load(state, ACTIVE);
    this.#table.hash.fill(EMPTY, other * this.#buckets, (other + 1) * this.#buckets);
    this.#filled = 0;
    for (const record of this.#live) this.#insert(other, record);
    Atomics.store(state, ACTIVE, other);
    this.#otherBusy = true;
    return true;
  }

  otherIsFree(): void {
    this.#otherBusy = false;
  }

  #insert(table: number, record: number): void {
    const base = table * this.#buckets;
    const buckets = this.#table.hash;
    let bucket = this.#home(record);
    // a tombstone may be filled again: a search that passes it ends at the same EMPTY
    while (buckets[base + bucket]! > 0) bucket = (bucket + 1) & (this.#buckets - 1);
    if (buckets[base + bucket] === EMPTY) this.#filled += 1;
    Atomics.store(buckets, base + bucket, record);
  }

  #home(record: number): number {
    const r = this.#table.records;
    const at = record * ADDRESS_RECORD_WORDS;
    const a = at + ADDRESS;
    return hash(r[at + UNIT]!, r[at + LENGTH]!, r[a]!, r[a + 1]!, r[a + 2]!, r[a + 3]!) & (this.#buckets - 1);
  }

  #bucketOf(record: number): number {
    const base = Atomics.load(this.#table.state, ACTIVE) * this.#buckets;
    let bucket = this.#home(record);
    while (this.#table.hash[base + bucket] !== record) bucket = (bucket + 1) & (this.#buckets - 1);
    return bucket;
  }

  #countLength(length: number, change: number): void {
    const count = (this.#lengths.get(length) ?? 0) + change;
    this.#lengths.set(length, count);
    const ipv4 = length >= IPV4_LENGTH;
    const bit = ipv4 ? length - IPV4_LENGTH : length;
    const word = (ipv4 ? LENGTHS_IPV4 : LENGTHS_IPV6) + (bit >>> 5);
    if (count > 0) Atomics.or(this.#table.state, word, 1 << (bit & 31));
    else Atomics.and(this.#table.state, word, ~(1 << (bit & 31)));
  }
}
