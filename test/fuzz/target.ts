import type { Dice } from "./dice.ts";

/** Something that takes octets from others. */
export type Target = CodecTarget | MachineTarget;

/** A function of its input alone. */
export interface CodecTarget {
  readonly kind: "codec";
  readonly name: string;
  /** The functions of src/wire that it calls. */
  readonly covers: readonly Covered[];
  /** The next input: a view that the next call overwrites. */
  next(dice: Dice): Uint8Array;
  /** Throws when the codec does, or when what it says cannot be. */
  check(input: Uint8Array): void;
}

// biome-ignore lint/suspicious/noExplicitAny: functions of any signature are listed, none is called through this
export type Covered = (...args: any[]) => unknown;

/** Something that remembers. It gets inputs in episodes; each begins with a new one. */
export interface MachineTarget {
  readonly kind: "machine";
  readonly name: string;
  /** At most so many inputs an episode. */
  readonly longestEpisode: number;
  /** What its owners begin with. */
  readonly opening: readonly Consequence[];
  begin(dice: Dice): Episode;
}

/** One input of a machine; plain data, so that it can be given again. */
export interface Step {
  /** Virtual time, ms. */
  readonly now: number;
  /** Which of the machines that talk with each other. */
  readonly end: number;
  /** What is called: "receive", "timeout", or what an owner may do. */
  readonly act: string;
  readonly bytes?: Uint8Array;
  /** Ids and choices. */
  readonly numbers?: readonly number[];
}

/** What follows from a step: octets on their way to the other end, or what the owner of this one will do. */
export type Consequence = Omit<Step, "now">;

export interface Episode {
  /** What owners may do unasked. */
  readonly whims: readonly Consequence[];
  /** Things that strangers send, mutated. */
  stranger(dice: Dice): Consequence;
  /** Gives an input to its machine; throws when the machine does, or answers what it must not. */
  apply(step: Step): readonly Consequence[];
  /** The earliest deadline, or Infinity. */
  deadline(): number;
  /** Throws when a state is larger than it may become. */
  checkBounds(): void;
  /** All hang up and nobody says anything more: throws when something is left that waits for nothing. */
  finish(now: number): void;
}

/** What a check finds wrong. */
class Violation extends Error {}

export function ensure(holds: boolean, what: string): void {
  if (!holds) throw new Violation(what);
}
