/** The last minutes of the rates: the gateway tells those of a second, the page remembers. */

import type { RatesView } from "../../../src/gateway/operations-views.ts";

interface Sample {
  /** Seconds since 1970. */
  readonly at: number;
  /** Null: nobody knows. */
  readonly values: readonly (number | null)[];
}

export type History = readonly Sample[];

export const KEPT_SECONDS = 300;
/** More between two samples is a gap, and drawn as one. */
const GAP_SECONDS = 4;

export function withSample(history: History, sample: Sample): History {
  const last = history.at(-1);
  if (last !== undefined && sample.at <= last.at) return history;
  const isGap = last !== undefined && sample.at - last.at > GAP_SECONDS;
  const gap = isGap ? [{ at: last.at + 1, values: sample.values.map(() => null) }] : [];
  return [...history, ...gap, sample].filter(({ at }) => at > sample.at - KEPT_SECONDS);
}

/** Octets a second to the subscribers and from them, and sessions that came up. */
export function sampleOf({ at, total, setupsPerSecond }: RatesView): Sample {
  return {
    at: Date.parse(at) / 1000,
    values: [total.octetsOutPerSecond, total.octetsInPerSecond, setupsPerSecond],
  };
}

/** Columns, as uPlot takes them: times, then the chosen values of each. */
export function columnsOf(history: History, chosen: readonly number[]): (number | null)[][] {
  return [
    history.map(({ at }) => at),
    ...chosen.map((index) => history.map(({ values }) => values[index] ?? null)),
  ];
}

export interface Counted {
  /** Milliseconds of any clock. */
  readonly at: number;
  readonly octetsIn: number;
  readonly octetsOut: number;
}

/** Octets a second to and from a subscriber between two readings; undefined when they are of one moment. */
export function rateBetween(before: Counted, after: Counted): readonly [number, number] | undefined {
  const seconds = (after.at - before.at) / 1000;
  if (seconds <= 0) return undefined;
  const rate = (a: number, b: number): number => Math.max(0, (b - a) / seconds);
  return [rate(before.octetsOut, after.octetsOut), rate(before.octetsIn, after.octetsIn)];
}
