import type { ChannelCounters, ChannelId, DropReason, PeerId } from "../../channel/dataplane.ts";
import { DROP_REASONS } from "../../channel/dataplane.ts";
import { isPppControl } from "../../wire/ppp.ts";
import type { DropCode } from "../drop-codes.ts";

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

interface Counts extends Mutable<ChannelCounters> {
  userFrames: number;
}

/** Counters of an engine whose world is one thread. */
export class Counters {
  readonly #channels = new Map<ChannelId, Counts>();
  /** Data messages of UDP peers. */
  readonly #peers = new Map<PeerId, number>();
  readonly #drops = new Float64Array(DROP_REASONS.length);

  add(channel: ChannelId): void {
    this.#channels.set(channel, { framesIn: 0, octetsIn: 0, framesOut: 0, octetsOut: 0, userFrames: 0 });
  }

  remove(channel: ChannelId): void {
    this.#channels.delete(channel);
  }

  received(channel: ChannelId, frame: Uint8Array): void {
    const counters = this.#channels.get(channel)!;
    counters.framesIn += 1;
    counters.octetsIn += frame.length;
    if (!isPppControl(frame, 0)) counters.userFrames += 1;
  }

  /** A packet of its unit goes out on the channel. */
  fromUnit(channel: ChannelId): void {
    this.#channels.get(channel)!.userFrames += 1;
  }

  heard(peer: PeerId): void {
    this.#peers.set(peer, this.framesFrom(peer) + 1);
  }

  removePeer(peer: PeerId): void {
    this.#peers.delete(peer);
  }

  sent(channel: ChannelId, octets: number): void {
    const counters = this.#channels.get(channel)!;
    counters.framesOut += 1;
    counters.octetsOut += octets;
  }

  dropped(reason: DropCode): void {
    this.#drops[reason]! += 1;
  }

  of(channel: ChannelId): ChannelCounters {
    const { userFrames: _, ...counters } = this.#channels.get(channel)!;
    return counters;
  }

  framesIn(channel: ChannelId): number {
    return this.#channels.get(channel)!.framesIn;
  }

  userFrames(channel: ChannelId): number {
    return this.#channels.get(channel)!.userFrames;
  }

  framesFrom(peer: PeerId): number {
    return this.#peers.get(peer) ?? 0;
  }

  drops(): Readonly<Record<DropReason, number>> {
    const drops = {} as Record<DropReason, number>;
    for (const [code, reason] of DROP_REASONS.entries()) drops[reason] = this.#drops[code]!;
    return drops;
  }
}
