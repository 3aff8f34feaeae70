import type { Figure, Run } from "./results.ts";
import type { Stage } from "./stage.ts";

/** Something that is measured several times, in turns with others on the same stage. */
export interface Benchmark {
  /** What one run gives, in this order. */
  readonly figures: readonly Figure[];
  /** A run that counts for nothing: code gets compiled, caches and buffers get filled. */
  warmUp(stage: Stage): Promise<void>;
  /** Rejects when what came out is not what went in. */
  run(stage: Stage): Promise<Run>;
}

/** Benchmarks that share a stage, and what it must have for them. */
export interface Scene {
  readonly benchmarks: readonly Benchmark[];
  prepare(stage: Stage): Promise<void>;
}

/** How long runs last. */
export interface Extent {
  readonly name: string;
  readonly runs: number;
  readonly closedLoopMs: number;
  readonly pacedMs: number;
  readonly rushSetups: number;
  readonly steadySetups: number;
}

export const FULL: Extent = {
  name: "full",
  runs: 5,
  closedLoopMs: 2000,
  pacedMs: 10_000,
  rushSetups: 4000,
  steadySetups: 3000,
};

/** As many set-ups in a rush: the dialler is a new process each time, and needs a thousand to get up to speed itself. */
export const QUICK: Extent = { ...FULL, name: "quick", closedLoopMs: 400, pacedMs: 2000, steadySetups: 1000 };
