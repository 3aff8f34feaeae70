import type { Changes } from "./changes.ts";

/** How changes and rest take turns while traffic runs. */
export interface SlicePlan {
  /** While there are changes: so many a second. */
  readonly rate: number;
  /** Of changes, and as many of rest. */
  readonly slices: number;
  readonly sliceMs: number;
}

/** What went through in all slices of one kind. */
export interface Slices {
  readonly frames: number;
  readonly seconds: number;
}

export interface Alternated {
  readonly changing: Slices;
  readonly resting: Slices;
  /** Changes that were made. */
  readonly made: number;
}

const LOOK_MS = 2;
/** The first frames find caches cold and windows empty. */
const SETTLING_MS = 100;

/**
 * Waits until traffic runs, and then has changes made and not made by turns, so that what else slows the machine down
 * does so for both. `frames`: how many have gone through so far.
 */
export async function alternate(
  { rate, slices, sliceMs }: SlicePlan,
  changes: Pick<Changes, "begin" | "end">,
  frames: () => number,
): Promise<Alternated> {
  const before = frames();
  while (frames() === before) await pause(LOOK_MS);
  await pause(SETTLING_MS);
  const totals = { changing: { frames: 0, seconds: 0 }, resting: { frames: 0, seconds: 0 } };
  let made = 0;
  for (let i = 0; i < slices; i += 1) {
    for (const kind of ["changing", "resting"] as const) {
      // who rests looks at the clock as often: that wakes processors that sleep, and is no cost of changes
      changes.begin(kind === "changing" ? rate : 0);
      const [count, since] = [frames(), performance.now()];
      await pause(sliceMs);
      totals[kind].seconds += (performance.now() - since) / 1000;
      totals[kind].frames += frames() - count;
      made += await changes.end();
    }
  }
  return { ...totals, made };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
