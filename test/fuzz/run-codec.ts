import { Dice, hashOf, mixed } from "./dice.ts";
import { type Failure, failureOf } from "./failure.ts";
import { liveBytes } from "./growth.ts";
import { minimised } from "./minimise.ts";
import type { CodecTarget } from "./target.ts";
import { TimeLimitExceeded, withinTime } from "./time-limit.ts";

/** How much a target gets; whichever is reached first ends it. */
export interface Budget {
  readonly seed: number;
  readonly frames: number;
  readonly seconds: number;
}

export interface Outcome {
  readonly target: string;
  readonly frames: number;
  readonly seconds: number;
  /** By how much what is in use has grown since it was warm. */
  readonly grownBytes: number;
  readonly failure: Failure | undefined;
}

const BATCH = 8192;
/** A batch takes some 20 ms. Not longer: an endless loop that keeps things must end before the memory does. */
const BATCH_LIMIT_MS = 1000;
const SLOW_BATCH_MS = 500;
/** On a machine that does other things, too: what takes a microsecond may take a thousand of them, once. */
const SLOW_INPUT_MS = 20;
/** Compiled code, caches; half an octet a frame of ten million would be more. */
export const GROWTH_LIMIT_BYTES = 4 << 20;
/** Frames until code is compiled and caches are full. */
const WARM_UP = 4 * BATCH;

/** Gives a codec `frames` inputs. Each is made from the seed, the target's name and its number alone. */
export async function runCodec(target: CodecTarget, { seed, frames, seconds }: Budget): Promise<Outcome> {
  const dice = new Dice();
  const base = mixed(seed, hashOf(target.name));
  const begun = performance.now();
  let done = 0;
  let warmBytes = 0;
  const finished = async (failure: Failure | undefined): Promise<Outcome> => ({
    target: target.name,
    frames: done,
    seconds: (performance.now() - begun) / 1000,
    grownBytes: warmBytes === 0 ? 0 : (await liveBytes()) - warmBytes,
    failure,
  });
  /** Input number `index` once more, as an array of its own. */
  const inputAt = (index: number): Uint8Array => {
    dice.seed(mixed(base, index));
    return Uint8Array.from(target.next(dice));
  };
  while (done < frames && performance.now() - begun < seconds * 1000) {
    const first = done;
    const last = Math.min(frames, first + BATCH);
    const started = performance.now();
    try {
      withinTime(BATCH_LIMIT_MS, () => {
        for (; done < last; done++) {
          dice.seed(mixed(base, done));
          target.check(target.next(dice));
        }
      });
    } catch (error) {
      // the machine may have stood still, and not the codec
      if (!(error instanceof TimeLimitExceeded) || failsWith(target, inputAt(done)))
        return finished(codecFailure(target, seed, done, inputAt(done), error));
    }
    if (performance.now() - started > SLOW_BATCH_MS) {
      for (let index = first; index < Math.min(done + 1, last); index++) {
        const input = inputAt(index);
        const ms = quickest(() => target.check(input));
        if (ms > SLOW_INPUT_MS) {
          const error = new Error(`took ${ms.toFixed(1)} ms`);
          return finished({ ...failureOf(target.name, seed, error), frame: index, input: [input] });
        }
      }
    }
    if (warmBytes === 0 && done >= WARM_UP) warmBytes = await liveBytes();
  }
  const outcome = await finished(undefined);
  if (outcome.grownBytes <= GROWTH_LIMIT_BYTES) return outcome;
  const message = `${outcome.grownBytes} octets more in use after ${done} frames`;
  return { ...outcome, failure: { target: target.name, seed, message, input: [] } };
}

function failsWith(target: CodecTarget, input: Uint8Array): boolean {
  try {
    withinTime(BATCH_LIMIT_MS, () => target.check(input));
    return false;
  } catch {
    return true;
  }
}

function codecFailure(
  target: CodecTarget,
  seed: number,
  frame: number,
  input: Uint8Array,
  error: unknown,
): Failure {
  const fails = (bytes: Uint8Array): boolean => failsWith(target, bytes);
  return { ...failureOf(target.name, seed, error), frame, input: [minimised(input, fails)] };
}

/** Milliseconds, of three times: what disturbs us does not do so every time. */
function quickest(work: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const started = performance.now();
    work();
    least = Math.min(least, performance.now() - started);
    if (least < SLOW_INPUT_MS) break;
  }
  return least;
}
