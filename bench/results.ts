import { rounded, type Spread, spreadOf } from "./statistics.ts";

/** What a bigger value means. */
export type Better = "higher" | "lower";

/** One figure. */
export interface Result {
  /** "loop/lac/up/64B": engine, role, direction, octets of the IP packets. */
  readonly name: string;
  /** Median of the runs. */
  readonly value: number;
  readonly unit: string;
  readonly better: Better;
  readonly min: number;
  readonly max: number;
  /** In the order in which they were made. */
  readonly runs: readonly number[];
  /** What the value must reach on a machine with two processors. */
  readonly floor?: number;
  /** The same measured of something else, in turns with this. */
  readonly versus?: { readonly name: string; readonly value: number; readonly ratio: number };
}

/** Where and when the figures came to be. */
export interface Circumstances {
  readonly machine: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** With "+" when the checkout differs from it. */
  readonly commit: string;
  /** ISO 8601. */
  readonly date: string;
  /** "full", "quick", or the pattern of --only. */
  readonly extent: string;
}

/** What bench/results/*.json holds. */
export interface ResultFile extends Circumstances {
  readonly results: readonly Result[];
}

/** What a benchmark says of a figure before it is measured. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  readonly floor?: number;
}

/** Throws a RangeError when there were no runs. */
export function resultOf(figure: Figure, runs: readonly number[]): Result {
  const { median, min, max }: Spread = spreadOf(runs);
  return {
    name: figure.name,
    value: rounded(median),
    unit: figure.unit,
    better: figure.better,
    min: rounded(min),
    max: rounded(max),
    runs: runs.map(rounded),
    ...(figure.floor !== undefined && { floor: figure.floor }),
  };
}

/** Undefined when nothing is asked of it. */
export function meetsFloor({ value, better, floor }: Result): boolean | undefined {
  if (floor === undefined) return undefined;
  return better === "higher" ? value >= floor : value <= floor;
}
