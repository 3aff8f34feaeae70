import type { Comparison, Figure, Run } from "./results.ts";

/** Something that is measured several times, in turns with others on the same stage. */
export interface Benchmark<Stage> {
  /** What one run gives, in this order. */
  readonly figures: readonly Figure[];
  /** How often it is run, where that is less often than the others of its scene. */
  readonly runs?: number;
  /** A run that counts for nothing: code gets compiled, caches and buffers get filled. */
  warmUp(stage: Stage): Promise<void>;
  /** Rejects with Faulty when what came out is not what went in, with LeftOut when this alone cannot be measured here and now. */
  run(stage: Stage): Promise<Run>;
}

/** Benchmarks that share a stage, and what it must have for them. */
export interface Scene<Stage extends { close(): Promise<void> } = { close(): Promise<void> }> {
  readonly name: string;
  readonly benchmarks: readonly Benchmark<Stage>[];
  /** How often they are run; as often as those of other scenes when absent. */
  readonly runs?: number;
  /** Which figures are compared with which. */
  readonly comparisons?: readonly Comparison[];
  /** The stage, ready for all of them; measure() closes it. */
  open(): Promise<Stage>;
}

/** What is measured, and for how long. */
export interface Extent {
  readonly name: string;
  readonly runs: number;
  /** Of what differs by so little that it takes more runs to see it. */
  readonly pairs: number;
  /** Octets of the packets that go to one LNS. */
  readonly sizes: readonly number[];
  /** Numbers of sessions that traffic goes through, ascending; the last are all that are there. */
  readonly sessionCounts: readonly number[];
  readonly closedLoopMs: number;
  readonly pacedMs: number;
  readonly tcpMs: number;
  /** Subscribers of a set-up benchmark, and of a storm. */
  readonly setups: number;
  readonly steadySetups: number;
  /** Whether a storm also goes to an LNS that is dead. */
  readonly deadLns: boolean;
  /** Sessions that are there when a gateway's idle time and memory are measured; 0 when that is not done. */
  readonly crowd: number;
  /** Sessions of the largest LAC. */
  readonly scale: number;
  /** Of an LNS whose address or device changes. */
  readonly diverted: number;
}

export const FULL: Extent = {
  name: "full",
  runs: 5,
  pairs: 9,
  sizes: [64, 128, 512, 1400],
  sessionCounts: [1, 1000, 64_000],
  closedLoopMs: 300,
  pacedMs: 1000,
  tcpMs: 1000,
  setups: 10_000,
  steadySetups: 1500,
  deadLns: true,
  crowd: 64_000,
  scale: 100_000,
  diverted: 60_000,
};

/** The dialler is a new process each time, and needs a thousand set-ups to get up to speed itself. */
export const QUICK: Extent = {
  ...FULL,
  name: "quick",
  runs: 2,
  pairs: 2,
  sizes: [64],
  sessionCounts: [1, 4000],
  tcpMs: 500,
  setups: 3000,
  steadySetups: 1000,
  deadLns: false,
  crowd: 0,
  scale: 8000,
  diverted: 8000,
};

/** Thrown by a scene's open() that cannot be played here, and by a benchmark's run(); its message says why. */
export class LeftOut extends Error {
  override readonly name = "LeftOut";
}

/**
 * Thrown by a benchmark's run() in which something came out that had not gone in, or somebody did not get in: that figure
 * means nothing, and somebody has to look. The cause is what was counted.
 */
export class Faulty extends Error {
  override readonly name = "Faulty";
}
