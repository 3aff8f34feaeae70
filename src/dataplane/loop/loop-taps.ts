import { readU16, readU32 } from "../../base/bytes.ts";
import type { ChannelId, TappedFrame, TapSpec, TapTotals, UdpPeerSpec } from "../../channel/dataplane.ts";
import { ADDRESS_FAMILY, ADDRESS_LOCAL, ADDRESS_PORT, ADDRESS_REMOTE, ADDRESS_TOS } from "../../io/addon.ts";
import { sentPacket, writeOuterHeaders } from "../outer-packet.ts";
import type { Registry } from "../registry.ts";
import { addressOctets } from "../specs.ts";
import { TapTable } from "../tap-table.ts";
import { onwardTime, type Tap, type TapSink, Taps } from "../taps.ts";
import type { Grace } from "./grace.ts";
import type { RecordConsumer, RingRecord } from "./record-ring.ts";
import type { TableWriter } from "./table-writer.ts";
import { isDatagram, isOut, NO_SUM, RECORD_DATAGRAM, RECORD_SUM, slotOfRecord } from "./tap-record.ts";
import { WorkerRings } from "./worker-rings.ts";

/** Our end of an L2TP channel. */
interface TunnelEnd {
  /** All zeroes until a message has told what it came to, when the port is bound to any. */
  address: Uint8Array;
  readonly udpPort: number;
}

/** One that waits for its batch. */
type Kept = { -readonly [field in keyof TappedFrame]: TappedFrame[field] };

const HIGH_WORD = 2 ** 32;
/** What Date.now() leaves out, and a little. */
const SAME_CLOCK_MS = 2;

/** The control plane's end of taps: opens and ends them, and gives what all threads have kept to the sinks. */
export class LoopTaps {
  /** What workers know of taps. */
  readonly shared: SharedArrayBuffer;
  readonly #registry: Registry;
  readonly #writer: TableWriter;
  readonly #grace: Grace;
  readonly #table: TapTable;
  readonly #taps: Taps;
  readonly #rings = new WorkerRings(
    (record) => this.#take(record),
    () => this.#deliver(),
  );
  /** All taps of one time have the same, so that frames of different channels stay in order. */
  #epochUs = 0;
  /** By slot. */
  readonly #ends: (TunnelEnd | undefined)[] = [];
  readonly #waiting = new Map<Tap, Kept[]>();

  /** `workers`: as many as may ever run at once. */
  constructor(registry: Registry, writer: TableWriter, grace: Grace, workers: number) {
    this.#registry = registry;
    this.#writer = writer;
    this.#grace = grace;
    this.shared = TapTable.allocate(workers + 1);
    // the row after the last worker's
    this.#table = new TapTable(this.shared, workers);
    this.#taps = new Taps(this.#table);
  }

  /** The ring of a worker that begins. */
  setRing(worker: number, ring: RecordConsumer): void {
    this.#rings.set(worker, ring);
  }

  /** Of a worker that has ended. */
  removeRing(worker: number): void {
    this.#rings.remove(worker);
  }

  /** Gives what is there to the sinks, a bounded number at a time, until the workers are to ring again. */
  drain(): void {
    this.#rings.drain();
  }

  tap(channel: ChannelId, spec: TapSpec, sink: TapSink): void {
    const { port } = this.#registry.peer(this.#registry.channel(channel).spec.peer).spec;
    const wire = this.#registry.port(port).spec;
    if (this.#taps.isEmpty) this.#epochUs = epochUs();
    const { slot } = this.#taps.open(channel, spec, sink, performance.now(), this.#epochUs);
    this.#ends[slot] =
      wire.kind === "udp" ? { address: addressOctets(wire.address), udpPort: wire.udpPort } : undefined;
    this.#writer.setTapped(channel, true);
  }

  async untap(channel: ChannelId): Promise<TapTotals> {
    const tap = this.#taps.end(channel);
    this.#writer.setTapped(channel, false);
    await this.#grace.settled();
    return this.#finish(tap);
  }

  totals(channel: ChannelId): TapTotals | undefined {
    const tap = this.#taps.of(channel);
    return tap && this.#taps.totals(tap);
  }

  /** The channel, tapped or not, is about to be closed. */
  closing(channel: ChannelId): void {
    if (this.#taps.of(channel) === undefined) return;
    const tap = this.#taps.end(channel);
    this.#writer.setTapped(channel, false);
    this.#grace.after(() => this.#finish(tap));
  }

  /** The control plane sends a frame on a tapped PPPoE channel. */
  sentFrame(channel: ChannelId, frame: Uint8Array): void {
    this.#sent(channel, frame);
  }

  /** And an L2TP message. */
  sentMessage(channel: ChannelId, message: Uint8Array, peer: UdpPeerSpec): void {
    const tap = this.#taps.of(channel);
    const end = tap && this.#ends[tap.slot];
    if (end !== undefined) this.#sent(channel, sentPacket(message, peer, end.address, end.udpPort));
  }

  #sent(channel: ChannelId, whole: Uint8Array): void {
    const tap = this.#taps.of(channel);
    if (tap === undefined) return;
    const now = performance.now();
    const kept = this.#table.keep(tap.slot, whole.length, now);
    if (kept === 0) return;
    const timeUs = this.#table.timeUs(tap.slot, now);
    const frame = whole.slice(0, kept);
    this.#wait(tap, { channel, direction: "out", timeUs, lengthBytes: whole.length, frame });
    this.#rings.drainLater();
  }

  /** No worker can come upon the tap any more. */
  #finish(tap: Tap): TapTotals {
    this.#rings.drainAll();
    const totals = this.#taps.totals(tap);
    this.#taps.forget(tap);
    this.#ends[tap.slot] = undefined;
    return totals;
  }

  #take({ kind, a: length, b: high, c: low, payload }: RingRecord): void {
    const slot = slotOfRecord(kind);
    const tap = this.#taps.ofSlot(slot);
    if (tap === undefined) throw new TypeError(`a tapped frame of slot ${slot}, which is nobody's`);
    const { channel } = tap;
    const direction = isOut(kind) ? "out" : "in";
    const timeUs = high * HIGH_WORD + (low >>> 0);
    const end = this.#ends[slot];
    if (isDatagram(kind) && end !== undefined) {
      const frame = packetOf(payload, length, direction, end);
      const lengthBytes = frame.length + length - (payload.length - RECORD_DATAGRAM);
      this.#wait(tap, { channel, direction, timeUs, lengthBytes, frame });
    } else this.#wait(tap, { channel, direction, timeUs, lengthBytes: length, frame: payload });
  }

  #wait(tap: Tap, kept: Kept): void {
    const frames = this.#waiting.get(tap);
    if (frames === undefined) this.#waiting.set(tap, [kept]);
    else frames.push(kept);
  }

  #deliver(): void {
    if (this.#waiting.size === 0) return;
    const batches = [...this.#waiting];
    this.#waiting.clear();
    for (const [tap, frames] of batches) {
      frames.sort(byTime);
      // one thread's may have come only when another's had been given away
      for (const kept of frames) kept.timeUs = onwardTime(tap, kept.direction, kept.timeUs);
      tap.sink(frames.sort(byTime));
    }
  }
}

function byTime(a: Kept, b: Kept): number {
  return a.timeUs - b.timeUs;
}

/** When the clock of performance.now() began, in microseconds since 1970, by the wall clock as it is set now. */
function epochUs(): number {
  const step = Date.now() - (performance.timeOrigin + performance.now());
  return 1000 * (performance.timeOrigin + (Math.abs(step) < SAME_CLOCK_MS ? 0 : step));
}

/** The packet that a datagram's record is of, in the record's own octets. */
function packetOf(
  record: Uint8Array,
  payloadBytes: number,
  direction: "in" | "out",
  end: TunnelEnd,
): Uint8Array {
  const octets = record[ADDRESS_FAMILY] === 4 ? 4 : 16;
  const remote = record.slice(ADDRESS_REMOTE, ADDRESS_REMOTE + octets);
  const local = record.slice(ADDRESS_LOCAL, ADDRESS_LOCAL + octets);
  const said = local.some((octet) => octet !== 0);
  if (said && direction === "in") end.address = local;
  const ours = { address: said ? local : end.address, udpPort: end.udpPort };
  const theirs = { address: remote, udpPort: readU16(record, ADDRESS_PORT) };
  const [from, to] = direction === "in" ? [theirs, ours] : [ours, theirs];
  const sum = readU32(record, RECORD_SUM);
  const start = writeOuterHeaders(record, RECORD_DATAGRAM, {
    source: from.address,
    destination: to.address,
    sourcePort: from.udpPort,
    destinationPort: to.udpPort,
    tos: direction === "in" ? 0 : record[ADDRESS_TOS]!,
    payloadBytes,
    payloadSum: sum === NO_SUM ? undefined : sum,
  });
  return record.subarray(start);
}
