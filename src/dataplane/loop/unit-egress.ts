import {
  type Region,
  SUM_LENGTH,
  SUM_OFFSET,
  SUM_RESULT,
  SUM_STRIDE,
  TX_BODY_LENGTH,
  TX_BODY_OFFSET,
  TX_HEAD_LENGTH,
  TX_HEAD_OFFSET,
  TX_MORE,
  TX_STRIDE,
  TX_USER,
} from "../../io/addon.ts";
import { VNET_HEADER_BYTES } from "../../wire/virtio-net.ts";
import { SEND_FAILED } from "../drop-codes.ts";
import {
  ANY_FLOW,
  continues,
  flowHash,
  isIntact,
  isPushed,
  isUdp,
  jointHeaders,
  LARGEST_JOINED_BYTES,
  NO_FLOW,
  summedFrom,
  writeJoinedHeaders,
} from "../joining.ts";
import { reasonOf } from "./transmitter.ts";

/** Packets that wait at most, for all units together. */
const QUEUED = 1024;
/**
 * Places for flows that are looked for at one time, a power of two: far more than flows in a batch, since of two that
 * meet in a place and alternate nothing is joined.
 */
const FLOWS = 2048;
/** Packets that are joined to one at most: more pieces than two for each, a system call does not take. */
const MOST_JOINED = 256;
/** A socket may be told of no more than 64 datagrams at once. */
const MOST_JOINED_UDP = 64;

/** What is known of a packet that waits. */
const UNIT = 0;
const OFFSET = 1;
const LENGTH = 2;
/** Octets of its headers, if it may be joined with others. */
const HEADERS = 3;
/** The packet that continues it, and of the first one how many there are and which is the last; 0 is none. */
const NEXT = 4;
const JOINED = 5;
const LAST = 6;
const OCTETS = 7;
const STRIDE = 8;

type UnitRegion = Pick<Region, "bytes" | "allocate" | "sendTun" | "sum" | "lastErrno">;

/**
 * Collects the packets of a batch that go to the host, joins TCP segments that follow each other (and UDP datagrams,
 * where the kernel takes them so) to super-segments, and writes what goes to one unit together. What is joined has been
 * found intact before, as whoever gets it takes it for such; what is not goes as it came, and alone.
 */
export class UnitEgress {
  readonly #region: UnitRegion;
  readonly #bytes: Uint8Array;
  readonly #drops: Float64Array;
  /** By unit; -1 where this worker has none. */
  readonly #fds: number[] = [];
  /** Units whose device takes UDP super-segments. */
  readonly #segmentsUdp: boolean[] = [];
  /** What waits, from 1. */
  readonly #queue = new Int32Array((QUEUED + 1) * STRIDE);
  #queued = 0;
  /** By hash of a flow: the first packet of its last group, to which more may be joined; 0 is none. */
  readonly #flows = new Int32Array(FLOWS);
  readonly #sums = new Int32Array(QUEUED * SUM_STRIDE);
  readonly #descriptors = new Int32Array(QUEUED * TX_STRIDE);
  #described = 0;
  /** Vnet headers: first the one of zeroes that goes before whole packets, then one for each group. */
  readonly #vnetHeaders: number;
  #vnetUsed = 1;

  /** `drops`: this worker's row. */
  constructor(region: UnitRegion, units: number, drops: Float64Array) {
    this.#region = region;
    this.#bytes = region.bytes;
    this.#drops = drops;
    for (let unit = 0; unit <= units; unit++) {
      this.#fds.push(-1);
      this.#segmentsUdp.push(false);
    }
    this.#vnetHeaders = region.allocate((QUEUED / 2 + 1) * VNET_HEADER_BYTES);
  }

  open(unit: number, fd: number, segmentsUdp: boolean): void {
    this.#fds[unit] = fd;
    this.#segmentsUdp[unit] = segmentsUdp;
  }

  close(unit: number): void {
    this.flush();
    this.#fds[unit] = -1;
  }

  /**
   * Hands an IP packet, of as many octets as its header says, to the host through a unit. It stays where it is until
   * flush() returns, and is written to.
   */
  toUnit(unit: number, offset: number, length: number): void {
    if (this.#fds[unit]! < 0) {
      this.#drops[SEND_FAILED]! += 1;
      return;
    }
    if (this.#queued === QUEUED) this.flush();
    this.#queued += 1;
    const index = this.#queued;
    const q = this.#queue;
    const at = index * STRIDE;
    q[at + UNIT] = unit;
    q[at + OFFSET] = offset;
    q[at + LENGTH] = length;
    q[at + NEXT] = 0;
    q[at + JOINED] = 1;
    q[at + LAST] = index;
    q[at + OCTETS] = length;
    const headers = jointHeaders(this.#bytes, offset, length);
    q[at + HEADERS] = headers;
    // what comes after it must not go before it with what came before
    if (headers === ANY_FLOW) this.#flows.fill(0);
    else if (headers !== NO_FLOW) this.#join(index, headers);
  }

  /** Joins a packet to those before it in its flow; or it is one that others may be joined to, or nothing more is. */
  #join(index: number, headers: number): void {
    const q = this.#queue;
    const at = index * STRIDE;
    const offset = q[at + OFFSET]!;
    const length = q[at + LENGTH]!;
    const unit = q[at + UNIT]!;
    const bucket = (flowHash(this.#bytes, offset) ^ unit) & (FLOWS - 1);
    const first = this.#flows[bucket]!;
    const udp = isUdp(this.#bytes, offset);
    if (headers < 0 || (udp && !this.#segmentsUdp[unit])) {
      this.#flows[bucket] = 0;
      return;
    }
    const group = first * STRIDE;
    const last = q[group + LAST]! * STRIDE;
    const payload = length - headers;
    const full = q[group + LENGTH]! - headers;
    if (
      first === 0 ||
      q[group + UNIT] !== unit ||
      q[group + HEADERS] !== headers ||
      payload > full ||
      q[group + OCTETS]! + payload > LARGEST_JOINED_BYTES ||
      !continues(this.#bytes, q[last + OFFSET]!, q[last + LENGTH]!, offset, headers)
    ) {
      this.#flows[bucket] = isPushed(this.#bytes, offset) ? 0 : index;
      return;
    }
    q[last + NEXT] = index;
    q[at + JOINED] = 0;
    q[group + JOINED]! += 1;
    q[group + LAST] = index;
    q[group + OCTETS]! += payload;
    const most = udp ? MOST_JOINED_UDP : MOST_JOINED;
    // only the last may be shorter
    if (payload < full || q[group + JOINED] === most || isPushed(this.#bytes, offset))
      this.#flows[bucket] = 0;
  }

  /** Writes everything, or counts what the system does not take. */
  flush(): void {
    if (this.#queued === 0) return;
    this.#sumGroups();
    const q = this.#queue;
    let unit = q[STRIDE + UNIT]!;
    let sum = 0;
    for (let index = 1; index <= this.#queued; index++) {
      const at = index * STRIDE;
      // has gone with the first of its group
      if (q[at + JOINED] === 0) continue;
      if (q[at + UNIT] !== unit) {
        this.#write(unit);
        unit = q[at + UNIT]!;
      }
      if (q[at + JOINED] === 1) {
        this.#describe(index, 1, q[at + LENGTH]!);
      } else {
        this.#describeGroup(index, sum);
        sum += q[at + JOINED]!;
      }
    }
    this.#write(unit);
    this.#queued = 0;
    this.#vnetUsed = 1;
    this.#flows.fill(0);
  }

  /** Sums every packet that is in a group, with one call, group by group. */
  #sumGroups(): void {
    const q = this.#queue;
    let sums = 0;
    for (let first = 1; first <= this.#queued; first++) {
      if (q[first * STRIDE + JOINED]! < 2) continue;
      for (let index = first; index !== 0; index = q[index * STRIDE + NEXT]!) {
        const offset = q[index * STRIDE + OFFSET]!;
        const from = summedFrom(this.#bytes, offset);
        this.#sums[sums + SUM_OFFSET] = from;
        this.#sums[sums + SUM_LENGTH] = offset + q[index * STRIDE + LENGTH]! - from;
        sums += SUM_STRIDE;
      }
    }
    if (sums > 0) this.#region.sum(this.#sums, sums / SUM_STRIDE);
  }

  /** The packets of a group, in runs of intact ones; `sum` is the number of the first one's. */
  #describeGroup(first: number, sum: number): void {
    const q = this.#queue;
    let run = 0;
    let packets = 0;
    let octets = 0;
    let at = sum * SUM_STRIDE;
    for (let index = first; index !== 0; index = q[index * STRIDE + NEXT]!) {
      const offset = q[index * STRIDE + OFFSET]!;
      const length = q[index * STRIDE + LENGTH]!;
      const intact = isIntact(this.#bytes, offset, length, this.#sums[at + SUM_RESULT]!);
      at += SUM_STRIDE;
      if (intact && packets > 0) {
        packets += 1;
        octets += length - q[index * STRIDE + HEADERS]!;
        continue;
      }
      if (packets > 0) this.#describe(run, packets, octets);
      run = index;
      packets = intact ? 1 : 0;
      octets = length;
      // the host sees for itself that it is not
      if (!intact) this.#describe(index, 1, length);
    }
    if (packets > 0) this.#describe(run, packets, octets);
  }

  /** Describes one packet, or so many as one from `first` on, which have `octets` then. */
  #describe(first: number, packets: number, octets: number): void {
    const q = this.#queue;
    const at = first * STRIDE;
    const length = q[at + LENGTH]!;
    let vnet = this.#vnetHeaders;
    if (packets > 1) {
      const headers = q[at + HEADERS]!;
      vnet += this.#vnetUsed * VNET_HEADER_BYTES;
      this.#vnetUsed += 1;
      let last = first;
      for (let i = 1; i < packets; i++) last = q[last * STRIDE + NEXT]!;
      const pushed = isPushed(this.#bytes, q[last * STRIDE + OFFSET]!);
      writeJoinedHeaders(this.#bytes, vnet, q[at + OFFSET]!, length, headers, octets, pushed);
    }
    this.#addPiece(vnet, VNET_HEADER_BYTES, q[at + OFFSET]!, length, packets > 1, packets);
    let index = first;
    for (let left = packets - 1; left > 0; left--) {
      index = q[index * STRIDE + NEXT]!;
      const headers = q[index * STRIDE + HEADERS]!;
      const payload = q[index * STRIDE + LENGTH]! - headers;
      this.#addPiece(0, 0, q[index * STRIDE + OFFSET]! + headers, payload, left > 1, 0);
    }
  }

  #addPiece(
    head: number,
    headBytes: number,
    body: number,
    bodyBytes: number,
    more: boolean,
    packets: number,
  ): void {
    const descriptors = this.#descriptors;
    const at = this.#described * TX_STRIDE;
    descriptors[at + TX_HEAD_OFFSET] = head;
    descriptors[at + TX_HEAD_LENGTH] = headBytes;
    descriptors[at + TX_BODY_OFFSET] = body;
    descriptors[at + TX_BODY_LENGTH] = bodyBytes;
    descriptors[at + TX_MORE] = more ? 1 : 0;
    descriptors[at + TX_USER] = packets;
    this.#described += 1;
  }

  /** Writes what is described, to the unit that it is for. */
  #write(unit: number): void {
    const fd = this.#fds[unit]!;
    let left = this.#descriptors;
    for (let count = this.#described; count > 0; ) {
      const taken = this.#region.sendTun(fd, left, count);
      if (taken === count) break;
      // the packet that was refused is lost, all that was joined to it too, but not those behind it
      this.#drops[reasonOf(this.#region.lastErrno)]! += left[taken * TX_STRIDE + TX_USER]!;
      let next = taken;
      while (left[next * TX_STRIDE + TX_MORE] === 1) next += 1;
      left = left.subarray((next + 1) * TX_STRIDE);
      count -= next + 1;
    }
    this.#described = 0;
  }
}
