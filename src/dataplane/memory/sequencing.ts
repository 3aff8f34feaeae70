import type { ChannelId, L2tpChannelSpec, L2tpSequencing, PeerId } from "../../channel/dataplane.ts";
import { limitsOf, PROGRESS_STRIDE, Reorder, type ReorderSink } from "../reorder.ts";

const SLOTS = 256;
const SLOT_BYTES = 2048;

interface Sequenced {
  follows: boolean;
  readonly peer: PeerId;
  readonly serial: number;
  readonly limits: number;
  sent: boolean;
  nextNs: number;
}

interface Order {
  readonly serial: Int32Array;
  readonly limits: Int32Array;
  readonly reorder: Reorder;
}

/** Sequence numbers of an engine whose world is one thread. */
export class Sequencing {
  readonly #channels = new Map<ChannelId, Sequenced>();
  readonly #maxChannels: number;
  readonly #maxPeers: number;
  readonly #deliver: (channel: ChannelId, frame: Uint8Array) => void;
  readonly #stale: () => void;
  #serial = 0;
  #now = 0;
  /** Made for the first message with a number: few tests have one. */
  #order: Order | undefined;

  /** `deliver`: a message that has waited; `stale`: one whose channel is gone. */
  constructor(
    maxChannels: number,
    maxPeers: number,
    deliver: (channel: ChannelId, frame: Uint8Array) => void,
    stale: () => void,
  ) {
    this.#maxChannels = maxChannels;
    this.#maxPeers = maxPeers;
    this.#deliver = deliver;
    this.#stale = stale;
  }

  add(channel: ChannelId, { peer, sequencing = "follow", reorder }: L2tpChannelSpec): void {
    this.#serial += 1;
    const sequenced = {
      peer,
      follows: false,
      serial: this.#serial,
      limits: limitsOf(reorder),
      sent: false,
      nextNs: 0,
    };
    this.#channels.set(channel, sequenced);
    this.set(channel, sequencing);
    this.#describe(channel, sequenced);
  }

  set(channel: ChannelId, sequencing: L2tpSequencing): void {
    const sequenced = this.#channels.get(channel)!;
    sequenced.follows = sequencing === "follow";
    sequenced.sent = sequencing === "always";
  }

  remove(channel: ChannelId): void {
    this.#channels.delete(channel);
  }

  isSent(channel: ChannelId): boolean {
    return this.#channels.get(channel)!.sent;
  }

  takeNs(channel: ChannelId): number {
    const sequenced = this.#channels.get(channel)!;
    const ns = sequenced.nextNs;
    sequenced.nextNs = (ns + 1) & 0xffff;
    return ns;
  }

  /** The peer has sent with a number or without: a channel that follows does the same. */
  heard(channel: ChannelId, numbered: boolean): void {
    const sequenced = this.#channels.get(channel)!;
    if (sequenced.follows) sequenced.sent = numbered;
  }

  /** As Reorder's; arrived() follows on DELIVER. */
  arrive(channel: ChannelId, ns: number, frame: Uint8Array): number {
    const verdict = this.#reorder().arrive(channel, ns, frame, 0, frame.length);
    // what went on has been copied
    this.#reorder().release();
    return verdict;
  }

  arrived(channel: ChannelId): void {
    this.#reorder().arrived(channel);
    this.#reorder().release();
  }

  passTime(ms: number): void {
    this.#now += ms;
    this.#order?.reorder.expire();
    this.#order?.reorder.release();
  }

  #reorder(): Reorder {
    this.#order ??= this.#makeOrder();
    return this.#order.reorder;
  }

  #makeOrder(): Order {
    const bytes = new Uint8Array(SLOTS * SLOT_BYTES);
    const serial = new Int32Array(this.#maxChannels + 1);
    const limits = new Int32Array(this.#maxChannels + 1);
    const sink: ReorderSink = {
      deliver: (channel, offset, length) => this.#deliver(channel, bytes.slice(offset, offset + length)),
      stale: this.#stale,
    };
    const pool = { bytes, offset: 0, slots: SLOTS, slotBytes: SLOT_BYTES, headroomBytes: 0 };
    const table = {
      serial,
      limits,
      progress: new Int32Array((this.#maxChannels + 1) * PROGRESS_STRIDE),
      peers: this.#maxPeers,
      peerOf: (channel: ChannelId) => this.#channels.get(channel)!.peer,
    };
    const reorder = new Reorder(table, pool, sink, this.#maxChannels, () => this.#now);
    this.#order = { serial, limits, reorder };
    for (const [channel, sequenced] of this.#channels) this.#describe(channel, sequenced);
    return this.#order;
  }

  #describe(channel: ChannelId, { serial, limits }: Sequenced): void {
    if (this.#order === undefined) return;
    this.#order.serial[channel] = serial;
    this.#order.limits[channel] = limits;
  }
}
