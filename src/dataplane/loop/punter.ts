import { ADDRESS_BYTES } from "../../io/addon.ts";
import { POLICED, PUNT_OVERFLOW } from "../drop-codes.ts";
import type { PuntLimits, Rate } from "./options.ts";
import type { RecordProducer } from "./record-ring.ts";

/** Kinds of records in the punt ring, and what their three words are. */
export const PUNT_FRAME = 1; // channel, its word
export const PUNT_CONTROL = 2; // port; payload: address record, datagram
export const PUNT_UNKNOWN_SESSION = 3; // port, session id; payload: Ethernet header
export const PUNT_TOO_BIG = 4; // unit, channel, its word; payload: packet
export const PUNT_UNREACHABLE = 5; // port, ICMP type and code, MTU; payload: address record, errno's name

/** Token buckets by number, in milliseconds of any clock. */
class Buckets {
  readonly #tokens: Float64Array;
  readonly #filledAt: Float64Array;
  readonly #rate: Rate;

  constructor(count: number, rate: Rate) {
    this.#tokens = new Float64Array(count).fill(rate.burst);
    this.#filledAt = new Float64Array(count);
    this.#rate = rate;
  }

  take(index: number, now: number): boolean {
    const filled = this.#tokens[index]! + ((now - this.#filledAt[index]!) * this.#rate.perSecond) / 1000;
    const tokens = filled > this.#rate.burst ? this.#rate.burst : filled;
    this.#filledAt[index] = now;
    this.#tokens[index] = tokens >= 1 ? tokens - 1 : tokens;
    return tokens >= 1;
  }
}

/** Octets of the buckets of so many channels. */
export function punterBytes(channels: number): number {
  return 2 * Float64Array.BYTES_PER_ELEMENT * (channels + 1);
}

/** Hands frames to the control plane: policed, bounded and counted, so that no flood starves it. */
export class Punter {
  readonly #ring: RecordProducer;
  readonly #drops: Float64Array;
  readonly #clock: () => number;
  readonly #perChannel: Buckets;
  readonly #frames: Buckets;
  readonly #peerControl: Buckets;
  readonly #strangerControl: Buckets;
  readonly #unknown: Buckets;
  readonly #unreachable: Buckets;
  /** The time of this batch; -1 when nobody has asked yet. */
  #now = -1;

  /** `clock`: milliseconds, monotonic. `drops`: this worker's row. */
  constructor(
    ring: RecordProducer,
    drops: Float64Array,
    limits: PuntLimits,
    channels: number,
    clock: () => number,
  ) {
    this.#ring = ring;
    this.#drops = drops;
    this.#clock = clock;
    this.#perChannel = new Buckets(channels + 1, limits.perChannel);
    this.#frames = new Buckets(1, limits.frames);
    this.#peerControl = new Buckets(1, limits.peerControl);
    this.#strangerControl = new Buckets(1, limits.strangerControl);
    this.#unknown = new Buckets(1, limits.unknownSession);
    this.#unreachable = new Buckets(1, limits.unreachable);
  }

  frame(channel: number, word: number, bytes: Uint8Array, offset: number, length: number): void {
    const now = this.#time();
    // the channel's own bucket first: a flood on one takes nothing from the others
    if (!this.#perChannel.take(channel, now) || !this.#frames.take(0, now)) this.#drop(POLICED);
    else if (!this.#ring.begin(PUNT_FRAME, channel, word, 0, length)) this.#drop(PUNT_OVERFLOW);
    else this.#fill(0, bytes, offset, length);
  }

  /**
   * `known`: the sender's address is a peer's, whom strangers take nothing from. `address`: offset of the sender's
   * address record in `bytes`.
   */
  control(
    port: number,
    known: boolean,
    bytes: Uint8Array,
    offset: number,
    length: number,
    address: number,
  ): void {
    const bucket = known ? this.#peerControl : this.#strangerControl;
    // one ring for all: what strangers put into it, peers would have to wait for
    if (!bucket.take(0, this.#time()) || (!known && this.#ring.isBehind())) this.#drop(POLICED);
    else if (!this.#ring.begin(PUNT_CONTROL, port, 0, 0, ADDRESS_BYTES + length)) this.#drop(PUNT_OVERFLOW);
    else {
      this.#copy(0, bytes, address, ADDRESS_BYTES);
      this.#fill(ADDRESS_BYTES, bytes, offset, length);
    }
  }

  /** `offset`: of the Ethernet header, which has `length` octets. The frame itself counts as dropped elsewhere. */
  unknownSession(port: number, sessionId: number, bytes: Uint8Array, offset: number, length: number): void {
    if (!this.#unknown.take(0, this.#time())) return;
    if (this.#ring.begin(PUNT_UNKNOWN_SESSION, port, sessionId, 0, length))
      this.#fill(0, bytes, offset, length);
  }

  /** The packet itself counts as dropped elsewhere. */
  tooBig(
    unit: number,
    channel: number,
    word: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
  ): void {
    const now = this.#time();
    if (!this.#perChannel.take(channel, now) || !this.#frames.take(0, now)) return;
    const kept = Math.min(length, TOO_BIG_BYTES);
    if (this.#ring.begin(PUNT_TOO_BIG, unit, channel, word, kept)) this.#fill(0, bytes, offset, kept);
  }

  /** `icmp`: type and code. `report`: address record, whose local address is the reporter's, and the name of the errno. */
  unreachable(port: number, icmp: number, info: number, report: Uint8Array): void {
    if (!this.#unreachable.take(0, this.#time())) return;
    if (this.#ring.begin(PUNT_UNREACHABLE, port, icmp, info, report.length))
      this.#fill(0, report, 0, report.length);
  }

  /** At the end of a batch. */
  endBatch(): void {
    this.#now = -1;
    this.#ring.announce();
  }

  #fill(at: number, bytes: Uint8Array, offset: number, length: number): void {
    this.#copy(at, bytes, offset, length);
    this.#ring.end();
  }

  #copy(at: number, bytes: Uint8Array, offset: number, length: number): void {
    const to = this.#ring.payload;
    const start = this.#ring.payloadOffset + at;
    for (let i = 0; i < length; i++) to[start + i] = bytes[offset + i]!;
  }

  #time(): number {
    if (this.#now < 0) this.#now = this.#clock();
    return this.#now;
  }

  #drop(reason: number): void {
    this.#drops[reason]! += 1;
  }
}

/** What an ICMP error of ours quotes at most: RFC 1812 §4.3.2.3 asks for 576 octets in all, RFC 4443 for 1280. */
const TOO_BIG_BYTES = 1280;
