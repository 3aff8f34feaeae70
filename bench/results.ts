import { rounded, type Spread, spreadOf } from "./statistics.ts";

/** What a bigger value means. */
type Better = "higher" | "lower";

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
  /** What it should reach. */
  readonly goal?: number;
  /** In most runs the generator was busy all the time: the LAC could do more. */
  readonly limitedBy?: "generator";
  /** The same measured of something else, in turns with this. */
  readonly versus?: Versus;
}

/** How a figure compares with another: the median of the ratios of runs that followed each other. */
interface Versus {
  readonly name: string;
  /** The other's median. */
  readonly value: number;
  /** This over the other. */
  readonly ratio: number;
  readonly min: number;
  readonly max: number;
  /** What the ratio must reach, and what it should. */
  readonly floor?: number;
  readonly goal?: number;
}

/** Two figures of one scene that are to be compared. */
export interface Comparison {
  readonly own: string;
  readonly other: string;
  readonly floor?: number;
  readonly goal?: number;
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
  /** Processes that wanted a processor before the first run: the load average of a minute. */
  readonly loadBefore: number;
  /** "full", "quick", or the pattern of --only. */
  readonly extent: string;
}

/** How long a scene took. */
export interface SceneTimes {
  readonly scene: string;
  readonly openSeconds: number;
  readonly warmUpSeconds: number;
  readonly runsSeconds: number;
  readonly closeSeconds: number;
}

/** What bench/results/*.json holds. */
export interface ResultFile extends Circumstances {
  /** Of everything. */
  readonly seconds: number;
  /** In the order in which they were played. */
  readonly scenes: readonly SceneTimes[];
  /** What could not be measured here, and why. */
  readonly leftOut?: readonly string[];
  readonly results: readonly Result[];
}

/** What a benchmark says of a figure before it is measured. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  readonly floor?: number;
  readonly goal?: number;
}

/** What one run of a benchmark gave. */
export interface Run {
  /** One for each figure. */
  readonly values: readonly number[];
  /** The generator was busy all the time. */
  readonly limitedByGenerator?: boolean;
  /** What else is worth a line. */
  readonly remark?: string;
}

/** The results of a benchmark's figures. Throws a RangeError when there were no runs. */
export function resultsOf(figures: readonly Figure[], runs: readonly Run[]): readonly Result[] {
  const limited = runs.filter(({ limitedByGenerator }) => limitedByGenerator).length > runs.length / 2;
  return figures.map((figure, i) => {
    const result = resultOf(
      figure,
      runs.map(({ values }) => values[i]!),
    );
    return limited ? { ...result, limitedBy: "generator" } : result;
  });
}

/** With the ratios of those that were measured both. */
export function compared(results: readonly Result[], comparisons: readonly Comparison[]): readonly Result[] {
  const byName = new Map(results.map((result) => [result.name, result]));
  return results.map((result) => {
    const comparison = comparisons.find(({ own, other }) => own === result.name && byName.has(other));
    if (comparison === undefined) return result;
    const { other: name, floor, goal } = comparison;
    const other = byName.get(name)!;
    const { median, min, max } = spreadOf(result.runs.map((value, i) => value / other.runs[i]!));
    return {
      ...result,
      versus: {
        name,
        value: other.value,
        ratio: rounded(median),
        min: rounded(min),
        max: rounded(max),
        ...(floor !== undefined && { floor }),
        ...(goal !== undefined && { goal }),
      },
    };
  });
}

function resultOf(figure: Figure, runs: readonly number[]): Result {
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
    ...(figure.goal !== undefined && { goal: figure.goal }),
  };
}

/** Of a floor or goal; undefined when nothing is asked. */
export function meets(value: number, asked: number | undefined, better: Better): boolean | undefined {
  if (asked === undefined) return undefined;
  return better === "higher" ? value >= asked : value <= asked;
}
