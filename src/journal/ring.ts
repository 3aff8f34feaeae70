/**
 * Records one behind the other in one array of octets, the oldest overwritten by the newest. A record, on a multiple
 * of eight octets:
 *
 *    0                   1                   2                   3
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |       octets of the body      |     kind      |     flags     |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      number, counted up over all rings of a journal           |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      milliseconds since 1970,                                 |
 *   |                               a double                        |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      session of ours, or 0; of discovery, a word (see Words)  |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |    tunnel of ours, or 0       | its session; or a word        |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                     MAC address, or 0                         |
 *   +                               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |                               |             0                 |
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |      body ...
 *
 * Numbers are in the machine's order: nobody else reads them. A place in the ring is counted on from its beginning and
 * never back, so that a reader who has waited sees by it that what he was about to read is gone.
 */

/** What a record is; 0: what is left of the ring before its beginning, unused. */
export const KIND = { pppoe: 1, ppp: 2, l2tp: 3, note: 4 } as const;
/** We sent it. */
export const FLAG_OUT = 1;
/** There was more of it than is kept. */
export const FLAG_CUT = 2;

export const HEADER_BYTES = 32;
const UNUSED = 0;
/** Room for some records of the largest kind. */
const SMALLEST_RING_BYTES = 65_536;

/** Words of a header. */
const NUMBER = 1;
const SESSION = 4;
const TUNNEL = 5;
const MAC_HIGH = 6;
const MAC_LOW = 7;
/** The double of a header. */
const TIME = 1;

export class Ring {
  /** Bodies are written into it and read from it, where begin() and scan() say. */
  readonly octets: Uint8Array;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #size: number;
  /** Where the next record goes and where the oldest is: as places, and in the array. */
  #head = 0;
  #headAt = 0;
  #tail = 0;
  #tailAt = 0;
  #records = 0;

  /** `sizeBytes`: at least 65,536 are used. The system gives memory as it is filled. */
  constructor(sizeBytes: number) {
    this.#size = Math.max(SMALLEST_RING_BYTES, sizeBytes - (sizeBytes % 8));
    const memory = new ArrayBuffer(this.#size);
    this.octets = new Uint8Array(memory);
    this.#words = new Uint32Array(memory);
    this.#doubles = new Float64Array(memory);
  }

  get records(): number {
    return this.#records;
  }

  get usedBytes(): number {
    return this.#head - this.#tail;
  }

  get sizeBytes(): number {
    return this.#size;
  }

  /** Begins a record with a body of at most 65,535 octets, and gives where in `octets` the body is to be written. */
  begin(kind: number, flags: number, number: number, time: number, bodyBytes: number): number {
    const need = HEADER_BYTES + ((bodyBytes + 7) & ~7);
    if (this.#headAt + need > this.#size) {
      const left = this.#size - this.#headAt;
      this.#makeRoom(left);
      if (left > 0) this.#words[this.#headAt >> 2] = UNUSED;
      this.#head += left;
      this.#headAt = 0;
    }
    this.#makeRoom(need);
    const at = this.#headAt;
    const word = at >> 2;
    const words = this.#words;
    words[word] = (bodyBytes << 16) | (kind << 8) | flags;
    words[word + NUMBER] = number;
    this.#doubles[(at >> 3) + TIME] = time;
    words[word + SESSION] = 0;
    words[word + TUNNEL] = 0;
    words[word + MAC_HIGH] = 0;
    words[word + MAC_LOW] = 0;
    this.#head += need;
    this.#headAt += need;
    this.#records += 1;
    return at + HEADER_BYTES;
  }

  /** Whom the record is about whose body is there. */
  setSession(body: number, session: number): void {
    this.#words[((body - HEADER_BYTES) >> 2) + SESSION] = session;
  }

  /** `within`: the L2TP session, or a word. */
  setTunnel(body: number, tunnel: number, within: number): void {
    this.#words[((body - HEADER_BYTES) >> 2) + TUNNEL] = (tunnel << 16) | within;
  }

  /** The first four octets of a MAC address as a number, and the last two. */
  setMac(body: number, high: number, low: number): void {
    const word = (body - HEADER_BYTES) >> 2;
    this.#words[word + MAC_HIGH] = high;
    this.#words[word + MAC_LOW] = low;
  }

  kind(body: number): number {
    return (this.#words[(body - HEADER_BYTES) >> 2]! >>> 8) & 0xff;
  }

  flags(body: number): number {
    return this.#words[(body - HEADER_BYTES) >> 2]! & 0xff;
  }

  bodyBytes(body: number): number {
    return this.#words[(body - HEADER_BYTES) >> 2]! >>> 16;
  }

  number(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + NUMBER]!;
  }

  time(body: number): number {
    return this.#doubles[((body - HEADER_BYTES) >> 3) + TIME]!;
  }

  session(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + SESSION]!;
  }

  tunnel(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + TUNNEL]! >>> 16;
  }

  within(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + TUNNEL]! & 0xffff;
  }

  macHigh(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + MAC_HIGH]!;
  }

  macLow(body: number): number {
    return this.#words[((body - HEADER_BYTES) >> 2) + MAC_LOW]!;
  }

  /** The place of the oldest record. */
  get oldest(): number {
    return this.#tail;
  }

  /**
   * Shows the bodies of at most `limit` records from a place on, oldest first, and gives the place to go on from;
   * undefined when there are no more. From a place that has been overwritten meanwhile it begins with the oldest.
   */
  scan(from: number, limit: number, see: (body: number) => void): number | undefined {
    let place = Math.max(from, this.#tail);
    let at = place % this.#size;
    for (let seen = 0; place < this.#head; ) {
      const step = this.#stepAt(at);
      if (this.#words[at >> 2] !== UNUSED) {
        if (seen === limit) return place;
        see(at + HEADER_BYTES);
        seen += 1;
      }
      place += step;
      at += step;
      if (at === this.#size) at = 0;
    }
    return undefined;
  }

  /** Appends all of it to another ring. */
  copyTo(other: Ring): void {
    this.scan(this.#tail, Number.POSITIVE_INFINITY, (body) => {
      const length = this.bodyBytes(body);
      const copy = other.begin(this.kind(body), this.flags(body), this.number(body), this.time(body), length);
      other.setSession(copy, this.session(body));
      other.setTunnel(copy, this.tunnel(body), this.within(body));
      other.setMac(copy, this.macHigh(body), this.macLow(body));
      other.octets.set(this.octets.subarray(body, body + length), copy);
    });
  }

  /** Octets from a record to the next one. */
  #stepAt(at: number): number {
    const first = this.#words[at >> 2]!;
    return first === UNUSED ? this.#size - at : HEADER_BYTES + (((first >>> 16) + 7) & ~7);
  }

  #makeRoom(octets: number): void {
    while (this.#head - this.#tail + octets > this.#size) {
      const step = this.#stepAt(this.#tailAt);
      if (this.#words[this.#tailAt >> 2] !== UNUSED) this.#records -= 1;
      this.#tail += step;
      this.#tailAt += step;
      if (this.#tailAt === this.#size) this.#tailAt = 0;
    }
  }
}
