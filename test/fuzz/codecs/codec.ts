import { equalBytes } from "../../../src/base/bytes.ts";
import { Mutator } from "../mutator.ts";
import type { Sample } from "../sample.ts";
import { type CodecTarget, type Covered, ensure } from "../target.ts";

/** A codec that gets mutations of `samples`. */
export function codec(
  name: string,
  covers: readonly Covered[],
  samples: readonly Sample[],
  check: (input: Uint8Array) => void,
): CodecTarget {
  const mutator = new Mutator(samples);
  return { kind: "codec", name, covers, next: (dice) => mutator.next(dice), check };
}

/**
 * What was parsed can be emitted, is parsed again, and is emitted the same: whatever a codec normalises, it does so
 * the first time. Returns what was emitted.
 */
export function emitsAgain<T>(
  value: T,
  emit: (value: T) => Uint8Array,
  parse: (bytes: Uint8Array) => T | string | undefined,
): Uint8Array {
  const emitted = emit(value);
  const again = parse(emitted);
  ensure(again !== undefined && typeof again !== "string", "what was emitted is not parsed");
  ensure(equalBytes(emit(again as T), emitted), "what was emitted is emitted differently");
  return emitted;
}

/** `emitted` is the beginning of `input`: nothing was normalised, and what follows is padding. */
export function ensureBeginning(emitted: Uint8Array, input: Uint8Array): void {
  let i = 0;
  while (i < emitted.length && emitted[i] === input[i]) i++;
  ensure(i === emitted.length, "what was emitted is not what was parsed");
}
