import {
  type ChannelId,
  MAX_TAPS,
  type TappedFrame,
  type TapSpec,
  type TapTotals,
} from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import { numbers, take } from "./numbers.ts";
import type { TapTable } from "./tap-table.ts";

const SNAP_MIN = 64;
const SNAP_MAX = 65_535;
const RATE_MIN = 64;
const RATE_MAX = 2 ** 30;

export type TapSink = (frames: readonly TappedFrame[]) => void;

/** One tap; a slot of the table is its own until it is forgotten. */
export interface Tap {
  readonly channel: ChannelId;
  readonly slot: number;
  readonly sink: TapSink;
  /** The time of the last frame of each direction. */
  readonly lastUs: { in: number; out: number };
}

/** Which channels are tapped, with the rules of `Dataplane`: every engine keeps one, of channels that it has. */
export class Taps {
  readonly #table: TapTable;
  readonly #slots = numbers(MAX_TAPS);
  readonly #ofChannel = new Map<ChannelId, Tap>();
  /** Those that have ended too, until they are forgotten. */
  readonly #ofSlot: (Tap | undefined)[] = [];

  constructor(table: TapTable) {
    this.#table = table;
  }

  /** `nowMs` and `epochUs` as TapTable.open(). */
  open(channel: ChannelId, spec: TapSpec, sink: TapSink, nowMs: number, epochUs: number): Tap {
    check(spec);
    if (this.#ofChannel.has(channel))
      throw new DataplaneError("in-use", `channel ${channel} is tapped already`);
    const slot = take(this.#slots, "taps");
    const tap = { channel, slot, sink, lastUs: { in: 0, out: 0 } };
    this.#ofChannel.set(channel, tap);
    this.#ofSlot[slot] = tap;
    this.#table.open(slot, channel, spec, nowMs, epochUs);
    return tap;
  }

  /** No channel is tapped. */
  get isEmpty(): boolean {
    return this.#ofChannel.size === 0;
  }

  /** Undefined: it is not tapped. */
  of(channel: ChannelId): Tap | undefined {
    return this.#ofChannel.get(channel);
  }

  ofSlot(slot: number): Tap | undefined {
    return this.#ofSlot[slot];
  }

  totals({ slot }: Tap): TapTotals {
    return this.#table.totals(slot);
  }

  /** Nothing more of it is kept. Throws when the channel is not tapped. */
  end(channel: ChannelId): Tap {
    const tap = this.#ofChannel.get(channel);
    if (tap === undefined) throw new DataplaneError("not-tapped", `channel ${channel} is not tapped`);
    this.#ofChannel.delete(channel);
    this.#table.close(tap.slot);
    return tap;
  }

  /** Nobody can still come upon it. */
  forget({ slot }: Tap): void {
    this.#ofSlot[slot] = undefined;
    this.#slots.release(slot);
  }
}

/** A time that does not go back within the tap's direction, of which it is the last one then. */
export function onwardTime({ lastUs }: Tap, direction: "in" | "out", timeUs: number): number {
  lastUs[direction] = Math.max(lastUs[direction], timeUs);
  return lastUs[direction];
}

function check({ snapBytes, octetsPerSecond }: TapSpec): void {
  const valid = (value: number, min: number, max: number) =>
    Number.isInteger(value) && value >= min && value <= max;
  if (!valid(snapBytes, SNAP_MIN, SNAP_MAX))
    throw new DataplaneError("bad-spec", `${snapBytes} octets of a frame`);
  if (!valid(octetsPerSecond, RATE_MIN, RATE_MAX))
    throw new DataplaneError("bad-spec", `${octetsPerSecond} octets a second`);
}
