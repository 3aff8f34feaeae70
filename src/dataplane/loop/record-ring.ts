import type { Addon } from "../../io/addon.ts";

/**
 * A byte ring in shared memory from one worker (the only producer) to the control plane (the only consumer): punts go
 * through one, and what taps keep through another.
 * Records are multiples of eight octets, at most half of the ring, and never wrap: what is left at the end is skipped.
 *
 * A record: its octets with this header, kind, three words of the kind, octets of payload, then the payload.
 */
const HEAD = 0;
const TAIL = 1;
/** 1: the consumer has seen all and wants the doorbell. */
const IDLE = 2;
const CONTROL_WORDS = 16;

const TOTAL = 0;
const KIND = 1;
const A = 2;
const B = 3;
const C = 4;
const PAYLOAD = 5;
const HEADER_WORDS = 6;
const HEADER_BYTES = 4 * HEADER_WORDS;
/** In place of a record's length: nothing more before the end. */
const SKIP = -1;

/** A shared buffer for a ring of `bytes` octets, a power of two. The consumer begins idle. */
export function allocateRecordRing(bytes: number): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(4 * CONTROL_WORDS + bytes);
  new Int32Array(buffer, 0, CONTROL_WORDS)[IDLE] = 1;
  return buffer;
}

/** The worker's end. */
export class RecordProducer {
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  readonly #addon: Pick<Addon, "signal">;
  readonly #doorbell: number;
  #head = 0;
  /** Where the consumer was when last looked. */
  #tail = 0;
  #unannounced = false;
  /** Where the payload of the record that begin() opened goes, in `payload`. */
  payloadOffset = 0;
  readonly payload: Uint8Array;

  constructor(buffer: SharedArrayBuffer, addon: Pick<Addon, "signal">, doorbell: number) {
    this.#control = new Int32Array(buffer, 0, CONTROL_WORDS);
    this.#words = new Int32Array(buffer, 4 * CONTROL_WORDS);
    this.#bytes = new Uint8Array(buffer, 4 * CONTROL_WORDS);
    this.payload = this.#bytes;
    this.#capacity = this.#bytes.length;
    this.#addon = addon;
    this.#doorbell = doorbell;
  }

  /** Opens a record and makes room for `payloadBytes`; false when the ring is too full. end() follows. */
  begin(kind: number, a: number, b: number, c: number, payloadBytes: number): boolean {
    const total = (HEADER_BYTES + payloadBytes + 7) & ~7;
    let at = this.#head & (this.#capacity - 1);
    const left = this.#capacity - at;
    const skip = left < total ? left : 0;
    if (!this.#fits(skip + total)) {
      this.#tail = Atomics.load(this.#control, TAIL);
      if (!this.#fits(skip + total)) return false;
    }
    if (skip > 0) {
      this.#words[at >> 2] = SKIP;
      this.#head = (this.#head + skip) | 0;
      at = 0;
    }
    const word = at >> 2;
    this.#words[word + TOTAL] = total;
    this.#words[word + KIND] = kind;
    this.#words[word + A] = a;
    this.#words[word + B] = b;
    this.#words[word + C] = c;
    this.#words[word + PAYLOAD] = payloadBytes;
    this.payloadOffset = at + HEADER_BYTES;
    return true;
  }

  /** Whether the consumer is so far behind that what can wait must not queue before what cannot. */
  isBehind(): boolean {
    this.#tail = Atomics.load(this.#control, TAIL);
    return ((this.#head - this.#tail) | 0) > this.#capacity / BACKLOG_SHARE;
  }

  /** Publishes the record that begin() opened. */
  end(): void {
    const total = this.#words[(this.payloadOffset - HEADER_BYTES) >> 2]!;
    this.#head = (this.#head + total) | 0;
    Atomics.store(this.#control, HEAD, this.#head);
    this.#unannounced = true;
  }

  /** Once a batch: rings the doorbell if there is something new and the consumer sleeps. */
  announce(): void {
    if (!this.#unannounced) return;
    this.#unannounced = false;
    if (Atomics.exchange(this.#control, IDLE, 0) === 1) this.#addon.signal(this.#doorbell);
  }

  #fits(bytes: number): boolean {
    return ((this.#head - this.#tail) | 0) + bytes <= this.#capacity;
  }
}

/** Of a ring of 4 MiB some 800 control messages: a tenth of a second, when the control plane is busy with them. */
const BACKLOG_SHARE = 32;

/** The fields of the record that the consumer reads; filled again for each one. */
export interface RingRecord {
  kind: number;
  a: number;
  b: number;
  c: number;
  /** A copy. */
  payload: Uint8Array;
}

/** The control plane's end. */
export class RecordConsumer {
  /** Records taken so far. */
  taken = 0;
  readonly #control: Int32Array;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;

  constructor(buffer: SharedArrayBuffer) {
    this.#control = new Int32Array(buffer, 0, CONTROL_WORDS);
    this.#words = new Int32Array(buffer, 4 * CONTROL_WORDS);
    this.#bytes = new Uint8Array(buffer, 4 * CONTROL_WORDS);
    this.#capacity = this.#bytes.length;
  }

  /** Takes the next record out; undefined when there is none now. */
  take(): RingRecord | undefined {
    for (;;) {
      const tail = this.#control[TAIL]!;
      if (tail === Atomics.load(this.#control, HEAD)) return undefined;
      const at = tail & (this.#capacity - 1);
      const word = at >> 2;
      const total = this.#words[word + TOTAL]!;
      if (total === SKIP) {
        Atomics.store(this.#control, TAIL, (tail + this.#capacity - at) | 0);
        continue;
      }
      const start = at + HEADER_BYTES;
      const record = {
        kind: this.#words[word + KIND]!,
        a: this.#words[word + A]!,
        b: this.#words[word + B]!,
        c: this.#words[word + C]!,
        // slice() of shared memory would be shared again
        payload: new Uint8Array(this.#bytes.subarray(start, start + this.#words[word + PAYLOAD]!)),
      };
      Atomics.store(this.#control, TAIL, (tail + total) | 0);
      this.taken += 1;
      return record;
    }
  }

  /** What the producer has published by now: isBefore() of it says whether all of that has been taken. */
  end(): number {
    return Atomics.load(this.#control, HEAD);
  }

  isBefore(end: number): boolean {
    return ((this.#control[TAIL]! - end) | 0) < 0;
  }

  /** Asks for the doorbell; false when something came meanwhile and take() should be called again. */
  sleep(): boolean {
    Atomics.store(this.#control, IDLE, 1);
    if (this.#control[TAIL]! === Atomics.load(this.#control, HEAD)) return true;
    return Atomics.exchange(this.#control, IDLE, 0) === 0;
  }
}
