import type { Facts } from "./facts.ts";
import type { StoryStage } from "./story-view.ts";

/** One thing that goes wrong: how it is recognised, what it usually is, and what to do about it. */
export interface Diagnosis {
  /** Stable: the anchor in docs/troubleshooting.md. */
  readonly code: string;
  /** Where it stops. */
  readonly stage: StoryStage;
  readonly when: (facts: Facts) => boolean;
  /** It is asked of what is open, too, and of nothing else. */
  readonly whileOpen?: true;
  /** What follows from others, or is no more than that it ended: told only where nothing else explains it. */
  readonly unlessExplained?: true;
  /** What is the case, and what usually causes it. */
  readonly text: string;
  /** What to do, the likeliest to help first. */
  readonly advice: readonly string[];
}
