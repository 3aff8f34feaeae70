import type { IdPool } from "../../base/ids.ts";
import type { Logger } from "../../base/logger.ts";
import { DataplaneError } from "../../channel/errors.ts";
import {
  XDP_CHANNEL_BYTES,
  XDP_CHANNEL_FLAGS,
  XDP_CHANNEL_IN_IDS,
  XDP_CHANNEL_IN_MACS,
  XDP_CHANNEL_IN_PEER,
  XDP_CHANNEL_IN_TAGS,
  XDP_CHANNEL_L2TP,
  XDP_CHANNEL_NEXT,
  XDP_CHANNEL_OTHER,
  XDP_CHANNEL_TO_HEADER,
  XDP_CHANNEL_TO_HEADER_BYTES,
  XDP_CHANNEL_TO_IDS,
  XDP_CHANNEL_TO_IFINDEX,
  XDP_CHANNEL_TO_MAX_PPP,
  XDP_CHANNEL_TO_PEER,
  XDP_CHANNEL_TO_SUBSCRIBER,
  type XdpTables,
} from "../../io/xdp.ts";
import { SessionTable } from "../loop/session-table.ts";
import { numbers } from "../numbers.ts";
import { ethernetHeader, largestPppFrame } from "../pppoe-frame.ts";
import { tagWord } from "./peer-entry.ts";
import type { Peers } from "./peers.ts";
import type { ProgramCounters } from "./program-counters.ts";
import type { Channel, L2tpChannel, PppoeChannel } from "./records.ts";
import type { SharedGrace, Ticket } from "./shared-grace.ts";

const FLAGS = XDP_CHANNEL_FLAGS >>> 2;
const IN_IDS = XDP_CHANNEL_IN_IDS >>> 2;
const IN_PEER = XDP_CHANNEL_IN_PEER >>> 2;
const NEXT = XDP_CHANNEL_NEXT >>> 2;
const OTHER = XDP_CHANNEL_OTHER >>> 2;
const TO_PEER = XDP_CHANNEL_TO_PEER >>> 2;
const TO_IDS = XDP_CHANNEL_TO_IDS >>> 2;
const TO_IFINDEX = XDP_CHANNEL_TO_IFINDEX >>> 2;
const IN_TAGS = XDP_CHANNEL_IN_TAGS >>> 2;
const MAC_BYTES = 6;
const MAX_U16 = 0xffff;
const STRIDE = XDP_CHANNEL_BYTES >>> 2;

/**
 * The bridges that the program knows, and how it finds them. Each end gets an entry of its own for as long as it is
 * installed: what is taken back stays as it was until no run of the program can stand on it, so that the same
 * channels may be bridged again at once, to others, too.
 */
export class Bridges {
  readonly #channels: Int32Array;
  readonly #halves: Uint16Array;
  readonly #octets: Uint8Array;
  readonly #access: Int32Array;
  readonly #sessions: SessionTable;
  readonly #slots: IdPool;
  readonly #counters: ProgramCounters;
  readonly #grace: SharedGrace;
  readonly #peers: Peers;
  readonly #logger: Logger;
  /** Bridges that there was no room for, and of which of them it is said next. */
  #leftOut = 0;
  #sayAt = 1;

  constructor(
    tables: XdpTables,
    counters: ProgramCounters,
    grace: SharedGrace,
    peers: Peers,
    logger: Logger,
  ) {
    this.#channels = new Int32Array(tables.channels);
    this.#halves = new Uint16Array(tables.channels);
    this.#octets = new Uint8Array(tables.channels);
    this.#access = new Int32Array(tables.access);
    this.#sessions = new SessionTable(
      {
        tunnelDirectory: new Int32Array(tables.tunnels),
        sessionDirectories: new Int32Array(tables.directories),
        sessionPages: new Int32Array(tables.sessions),
      },
      { after: (then) => grace.after(grace.ticket(), then) },
    );
    this.#slots = numbers(this.#channels.length / STRIDE - 1);
    this.#counters = counters;
    this.#grace = grace;
    this.#peers = peers;
    this.#logger = logger;
  }

  /** The program forwards between both from now on, unless there is no room for it. */
  install(a: Channel, b: Channel): void {
    if (!this.#takeRoom(a, b)) {
      this.#leaveOut();
      return;
    }
    this.#fill(a, b);
    this.#fill(b, a);
    this.#publish(a);
    this.#publish(b);
  }

  /** The loop forwards between a channel and the other end of its bridge again, when the ticket has passed. */
  withdraw(a: Channel, b: Channel): Ticket {
    const slots = [a.slot, b.slot] as const;
    this.#unpublish(a);
    this.#unpublish(b);
    a.slot = 0;
    b.slot = 0;
    const counted = [this.#fold(a, b, slots[0]), this.#fold(b, a, slots[1])] as const;
    const ticket = this.#grace.ticket();
    this.#grace.after(ticket, () => {
      // runs that had begun have counted on
      this.#retire(a, b, slots[0], counted[0]);
      this.#retire(b, a, slots[1], counted[1]);
    });
    return ticket;
  }

  /** Said of the first one, the tenth, the hundredth…: at the limit some find room and others do not. */
  #leaveOut(): void {
    this.#leftOut += 1;
    if (this.#leftOut < this.#sayAt) return;
    this.#sayAt *= 10;
    const fields = { bridges: this.#leftOut };
    this.#logger.error(fields, "the program's tables are full: bridges are left to the loop");
  }

  #takeRoom(a: Channel, b: Channel): boolean {
    for (const { peer } of [a, b]) if (peer.kind === "udp" && !this.#peers.introduce(peer)) return false;
    if (!this.#take(a)) return false;
    if (this.#take(b)) return true;
    this.#giveBack(a);
    return false;
  }

  #take(channel: Channel): boolean {
    const slot = this.#slots.take();
    if (slot === undefined) return false;
    if (channel.kind === "l2tp" && !this.#reserve(channel)) {
      this.#slots.release(slot);
      return false;
    }
    channel.slot = slot;
    return true;
  }

  #reserve({ spec }: L2tpChannel): boolean {
    try {
      this.#sessions.reserve(spec);
      return true;
    } catch (error) {
      if (error instanceof DataplaneError && error.code === "table-full") return false;
      throw error;
    }
  }

  #giveBack(channel: Channel): void {
    if (channel.kind === "l2tp") this.#sessions.remove(channel.spec);
    this.#slots.release(channel.slot);
    channel.slot = 0;
  }

  #fill(channel: Channel, other: Channel): void {
    const words = this.#channels;
    const at = channel.slot * STRIDE;
    words[at + FLAGS] = flagsOf(channel, other);
    words[at + IN_IDS] = receivedIds(channel);
    words[at + IN_PEER] = channel.kind === "l2tp" ? channel.peer.number : 0;
    words[at + NEXT] = 0;
    words[at + OTHER] = other.slot;
    words[at + TO_PEER] = other.kind === "l2tp" ? other.peer.number : 0;
    words[at + TO_IDS] = sentIds(other);
    if (channel.kind === "pppoe") this.#fillSubscriber(channel);
    if (other.kind === "pppoe") this.#fillHeader(channel.slot, other);
  }

  /** Of what the subscriber at the other end gets. */
  #fillHeader(slot: number, { peer: { spec, port } }: PppoeChannel): void {
    const { ifindex, mtuBytes } = port.spec;
    const header = ethernetHeader(spec);
    const at = slot * XDP_CHANNEL_BYTES;
    this.#channels[slot * STRIDE + TO_IFINDEX] = ifindex;
    this.#halves[(at + XDP_CHANNEL_TO_HEADER_BYTES) >>> 1] = header.length;
    this.#halves[(at + XDP_CHANNEL_TO_MAX_PPP) >>> 1] = Math.min(
      MAX_U16,
      largestPppFrame(mtuBytes, spec.tags),
    );
    this.#octets.set(header, at + XDP_CHANNEL_TO_HEADER);
  }

  /** Whose frames are believed. */
  #fillSubscriber({ slot, peer: { spec } }: PppoeChannel): void {
    const { tags, localMac, remoteMac } = spec;
    const words = slot * STRIDE + IN_TAGS;
    for (let i = 0; i < 2; i++) this.#channels[words + i] = i < tags.length ? tagWord(tags[i]!) : 0;
    const macs = slot * XDP_CHANNEL_BYTES + XDP_CHANNEL_IN_MACS;
    this.#octets.set(localMac, macs);
    this.#octets.set(remoteMac, macs + MAC_BYTES);
  }

  #publish(channel: Channel): void {
    if (channel.kind === "l2tp") {
      this.#sessions.publish(channel.spec, channel.slot);
      return;
    }
    const first = firstOf(channel);
    Atomics.store(this.#channels, channel.slot * STRIDE + NEXT, this.#access[first]!);
    Atomics.store(this.#access, first, channel.slot);
  }

  /** What the entry points at stays: a run may stand on it. */
  #unpublish(channel: Channel): void {
    if (channel.kind === "l2tp") {
      this.#sessions.remove(channel.spec);
      return;
    }
    const first = firstOf(channel);
    const next = this.#channels[channel.slot * STRIDE + NEXT]!;
    if (this.#access[first] === channel.slot) {
      Atomics.store(this.#access, first, next);
      return;
    }
    let before = this.#access[first]!;
    while (this.#channels[before * STRIDE + NEXT] !== channel.slot)
      before = this.#channels[before * STRIDE + NEXT]!;
    Atomics.store(this.#channels, before * STRIDE + NEXT, next);
  }

  /** Adds to a channel's totals what the program has counted since `before`; returns what it has counted. */
  #fold(channel: Channel, other: Channel, slot: number, before: Counted = NOTHING): Counted {
    const counted = {
      frames: this.#counters.frames(slot),
      octets: this.#counters.octets(slot),
      control: this.#counters.controlFrames(slot),
    };
    const frames = counted.frames - before.frames;
    const octets = counted.octets - before.octets;
    channel.totals.framesIn += frames;
    channel.totals.octetsIn += octets;
    channel.totals.controlFramesIn += counted.control - before.control;
    other.totals.framesOut += frames;
    other.totals.octetsOut += octets;
    if (channel.closed) {
      channel.peer.framesOfClosed += frames;
      this.#counters.framesOfClosed += frames;
    }
    return counted;
  }

  #retire(channel: Channel, other: Channel, slot: number, before: Counted): void {
    this.#fold(channel, other, slot, before);
    this.#counters.clear(slot);
    this.#slots.release(slot);
  }
}

interface Counted {
  readonly frames: number;
  readonly octets: number;
  readonly control: number;
}

const NOTHING: Counted = { frames: 0, octets: 0, control: 0 };

function firstOf({ peer, spec }: PppoeChannel): number {
  return (peer.port.number << 16) | spec.sessionId;
}

function flagsOf({ kind }: Channel, other: Channel): number {
  if (kind === "pppoe") return 0;
  return XDP_CHANNEL_L2TP | (other.kind === "pppoe" ? XDP_CHANNEL_TO_SUBSCRIBER : 0);
}

function receivedIds({ kind, spec }: Channel): number {
  return kind === "pppoe" ? spec.sessionId : (spec.localTunnelId << 16) | spec.localSessionId;
}

function sentIds({ kind, spec }: Channel): number {
  return kind === "pppoe" ? spec.sessionId : (spec.remoteTunnelId << 16) | spec.remoteSessionId;
}
