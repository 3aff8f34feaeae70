import { randomBytes } from "node:crypto";

import { readU32 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import type { Alarm } from "../base/scheduler.ts";
import { type Clock, NEVER } from "../base/time.ts";

/** The machine's clocks, in whole milliseconds: every instant with a fraction that is kept would take 16 octets more. */
export const systemClock: Clock = {
  now: () => Math.floor(performance.now()),
  wallClock: () => Date.now(),
};

/** The same with fractions of a millisecond: for who measures how long things take. */
export const exactClock: Clock = { ...systemClock, now: () => performance.now() };

/** Randomness is bought from the system in blocks: a call each for every id and challenge would cost too much. */
const BLOCK_BYTES = 4096;

/** The system's cryptographic randomness. */
export function systemRandom(): RandomSource {
  let block = randomBytes(BLOCK_BYTES);
  let used = 0;
  /** Where `length` octets of the block are that nobody has had. */
  const take = (length: number): number => {
    if (used + length > BLOCK_BYTES) {
      block = randomBytes(BLOCK_BYTES);
      used = 0;
    }
    used += length;
    return used - length;
  };
  return {
    bytes(length) {
      if (length > BLOCK_BYTES) return new Uint8Array(randomBytes(length));
      const at = take(length);
      return new Uint8Array(block.subarray(at, at + length));
    },
    uint32: () => readU32(block, take(4)),
  };
}

/** The alarm of a running gateway: a timer of Node's. `onAlarm` runs the scheduler. */
export function timerAlarm(clock: Clock, onAlarm: () => void): Alarm & { cancel(): void } {
  /** setTimeout turns anything longer into 1 ms. */
  const LONGEST_TIMER_MS = 2 ** 31 - 1;
  let timer: NodeJS.Timeout | undefined;
  const cancel = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  return {
    cancel,
    arm(at) {
      cancel();
      if (at === NEVER) return;
      timer = setTimeout(onAlarm, Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(at - clock.now()))));
    },
  };
}
