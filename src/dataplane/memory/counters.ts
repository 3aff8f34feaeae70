import type { ChannelCounters, ChannelId, DropReason } from "../../channel/dataplane.ts";
import { DROP_REASONS } from "../../channel/dataplane.ts";
import type { DropCode } from "../drop-codes.ts";

type Mutable<T> = { -readonly [key in keyof T]: T[key] };

/** Counters of an engine whose world is one thread. */
export class Counters {
  readonly #channels = new Map<ChannelId, Mutable<ChannelCounters>>();
  readonly #drops = new Float64Array(DROP_REASONS.length);

  add(channel: ChannelId): void {
    this.#channels.set(channel, { framesIn: 0, octetsIn: 0, framesOut: 0, octetsOut: 0 });
  }

  remove(channel: ChannelId): void {
    this.#channels.delete(channel);
  }

  received(channel: ChannelId, octets: number): void {
    const counters = this.#channels.get(channel)!;
    counters.framesIn += 1;
    counters.octetsIn += octets;
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
    return { ...this.#channels.get(channel)! };
  }

  drops(): Readonly<Record<DropReason, number>> {
    const drops = {} as Record<DropReason, number>;
    for (const [code, reason] of DROP_REASONS.entries()) drops[reason] = this.#drops[code]!;
    return drops;
  }
}
