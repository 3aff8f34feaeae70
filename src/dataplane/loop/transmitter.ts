import {
  type Region,
  TX_ADDRESS,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_HEAD_LENGTH,
  TX_HEAD_OFFSET,
  TX_STRIDE,
  TX_USER,
} from "../../io/addon.ts";
import { type DropCode, SEND_FAILED, SEND_FULL, TOO_BIG } from "../drop-codes.ts";
import { INDEX_MAX } from "./channel-word.ts";
import { COUNTERS_STRIDE, FRAMES_OUT, OCTETS_OUT } from "./tables.ts";

export type SendKind = "packet" | "udp";

const EAGAIN = 11;
const EMSGSIZE = 90;
const ENOBUFS = 105;

/** Frames that wait for one descriptor until the end of the batch. */
class SendQueue {
  readonly kind: SendKind;
  readonly fd: number;
  descriptors: Int32Array;
  count = 0;
  /** In the list of queues to flush. */
  listed = false;

  constructor(kind: SendKind, fd: number, capacity: number) {
    this.kind = kind;
    this.fd = fd;
    this.descriptors = new Int32Array(capacity * TX_STRIDE);
  }
}

/** The region's part that sends. */
export type FrameSender = Pick<Region, "sendPacket" | "sendUdp" | "lastErrno">;

/** Collects the frames of a batch by lane and sends them with as few calls as possible. */
export class Transmitter {
  readonly #sender: FrameSender;
  readonly #addresses: Uint8Array;
  readonly #drops: Float64Array;
  readonly #capacity: number;
  readonly #counters: Float64Array;
  readonly #queues: (SendQueue | undefined)[] = [];
  readonly #waiting: SendQueue[] = [];
  #waitingCount = 0;

  /** `addresses`: the table that TX_ADDRESS refers to. `drops` and `counters`: this worker's rows. */
  constructor(
    sender: FrameSender,
    addresses: Uint8Array,
    drops: Float64Array,
    lanes: number,
    capacity: number,
    counters: Float64Array,
  ) {
    this.#sender = sender;
    this.#addresses = addresses;
    this.#drops = drops;
    this.#capacity = capacity;
    this.#counters = counters;
    for (let lane = 0; lane < lanes; lane++) this.#queues.push(undefined);
  }

  open(lane: number, kind: SendKind, fd: number): void {
    this.#queues[lane] = new SendQueue(kind, fd, this.#capacity);
  }

  close(lane: number): void {
    const queue = this.#queues[lane];
    if (queue !== undefined && queue.count > 0) this.#flush(queue);
    this.#queues[lane] = undefined;
  }

  /**
   * Queues one frame. Its pieces stay as they are until flush() returns. `user`: senderOf() a channel that has
   * counted the frame already, or 0.
   */
  queue(
    lane: number,
    headOffset: number,
    headLength: number,
    bodyOffset: number,
    bodyLength: number,
    address: number,
    user: number,
  ): void {
    const queue = this.#queues[lane];
    if (queue === undefined) {
      this.#drops[SEND_FAILED]! += 1;
      this.#refused(user, headLength + bodyLength);
      return;
    }
    const { descriptors } = queue;
    let at = queue.count * TX_STRIDE;
    if (at === descriptors.length) {
      this.#flush(queue);
      at = 0;
    }
    descriptors[at + TX_HEAD_OFFSET] = headOffset;
    descriptors[at + TX_HEAD_LENGTH] = headLength;
    descriptors[at + TX_BODY_OFFSET] = bodyOffset;
    descriptors[at + TX_BODY_LENGTH] = bodyLength;
    descriptors[at + TX_ADDRESS] = address;
    descriptors[at + TX_USER] = user;
    queue.count += 1;
    if (!queue.listed) {
      queue.listed = true;
      if (this.#waitingCount === this.#waiting.length) this.#waiting.push(queue);
      else this.#waiting[this.#waitingCount] = queue;
      this.#waitingCount += 1;
    }
  }

  /** Sends everything, or counts what the system does not take. */
  flush(): void {
    for (let i = 0; i < this.#waitingCount; i++) {
      const queue = this.#waiting[i]!;
      queue.listed = false;
      if (queue.count > 0) this.#flush(queue);
    }
    this.#waitingCount = 0;
  }

  #flush(queue: SendQueue): void {
    let taken = this.#send(queue, queue.descriptors, queue.count);
    while (taken < queue.count) {
      const errno = this.#sender.lastErrno;
      this.#drops[reasonOf(errno)]! += 1;
      const refused = taken * TX_STRIDE;
      const octets =
        queue.descriptors[refused + TX_HEAD_LENGTH]! + queue.descriptors[refused + TX_BODY_LENGTH]!;
      this.#refused(queue.descriptors[refused + TX_USER]!, octets);
      // the frame that was refused is lost, not those behind it
      taken += 1;
      const left = queue.count - taken;
      queue.descriptors.copyWithin(0, taken * TX_STRIDE, queue.count * TX_STRIDE);
      queue.count = left;
      taken = left > 0 ? this.#send(queue, queue.descriptors, left) : 0;
    }
    queue.count = 0;
  }

  /** What was counted as sent when it was queued was not. */
  #refused(user: number, octets: number): void {
    const channel = user & INDEX_MAX;
    if (channel === 0) return;
    this.#counters[channel * COUNTERS_STRIDE + FRAMES_OUT]! -= 1;
    this.#counters[channel * COUNTERS_STRIDE + OCTETS_OUT]! -= octets - (user >>> HEADER_SHIFT);
  }

  #send(queue: SendQueue, descriptors: Int32Array, count: number): number {
    if (queue.kind === "udp") return this.#sender.sendUdp(queue.fd, descriptors, count, this.#addresses);
    return this.#sender.sendPacket(queue.fd, descriptors, count);
  }
}

/** Of the octets before the PPP frame in what senderOf() gives. */
export const HEADER_SHIFT = 20;

/** Whose a queued frame is, and how many octets go before its PPP frame. */
export function senderOf(channel: number, headerBytes: number): number {
  return channel | (headerBytes << HEADER_SHIFT);
}

/** Under what a frame is counted that the system did not take. */
export function reasonOf(errno: number): DropCode {
  if (errno === EMSGSIZE) return TOO_BIG;
  return errno === EAGAIN || errno === ENOBUFS ? SEND_FULL : SEND_FAILED;
}
