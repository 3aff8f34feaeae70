import { setImmediate as nextTurn } from "node:timers/promises";
import { Dice, hashOf, mixed } from "./dice.ts";
import { type Failure, failureOf } from "./failure.ts";
import { liveBytes } from "./growth.ts";
import { fewer } from "./minimise.ts";
import { Mutator } from "./mutator.ts";
import { type Budget, GROWTH_LIMIT_BYTES, type Outcome } from "./run-codec.ts";
import { samples } from "./sample.ts";
import { type Consequence, type Episode, ensure, type MachineTarget, type Step } from "./target.ts";
import { withinTime } from "./time-limit.ts";

/** An episode takes milliseconds. */
const EPISODE_LIMIT_MS = 20_000;
/** Octets on the way and things to do: more are forgotten, as a link and an owner that are busy would. */
const PENDING_MAX = 32;
const CHECK_EVERY = 64;
const WARM_UP = 100_000;
/** Changes what the machines say to each other. */
const mutator = new Mutator(samples([new Uint8Array(1)]));

/** Gives a machine inputs in episodes. Each is made from the seed, the target's name and its number alone. */
export async function runMachine(target: MachineTarget, { seed, frames, seconds }: Budget): Promise<Outcome> {
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
  for (let number = 0; done < frames && performance.now() - begun < seconds * 1000; number++) {
    const episodeSeed = mixed(base, number);
    const steps: Step[] = [];
    try {
      withinTime(EPISODE_LIMIT_MS, () => play(target, episodeSeed, steps));
    } catch (error) {
      const needed = fewer(steps, (list) => fails(target, episodeSeed, list));
      return finished({ ...failureOf(target.name, seed, error), frame: number, input: needed });
    }
    done += steps.length;
    // what was serialised is freed when the event loop turns
    if (number % 64 === 0) await nextTurn();
    if (warmBytes === 0 && done >= WARM_UP) warmBytes = await liveBytes();
  }
  const outcome = await finished(undefined);
  if (outcome.grownBytes <= GROWTH_LIMIT_BYTES) return outcome;
  const message = `${outcome.grownBytes} octets more in use after ${done} inputs`;
  return { ...outcome, failure: { target: target.name, seed, message, input: [] } };
}

/** One episode; `steps` tells afterwards, also after a failure, what was given. */
function play(target: MachineTarget, seed: number, steps: Step[]): void {
  const dice = new Dice(seed);
  const episode = target.begin(dice);
  const pending: Consequence[] = [];
  let now = 1000;
  const give = (input: Consequence): void => {
    const step = { now, ...input };
    steps.push(step);
    for (const consequence of episode.apply(step))
      if (pending.length < PENDING_MAX) pending.push(consequence);
  };
  for (const input of target.opening) give(input);
  const length = dice.chance(90) ? 1 + dice.below(200) : 1 + dice.below(target.longestEpisode);
  while (steps.length < length) {
    now += dice.chance(80) ? dice.below(20) : dice.below(2000);
    const kind = dice.below(100);
    if (kind < 60 && pending.length > 0) give(fromPending(dice, pending));
    else if (kind < 75) give(episode.stranger(dice));
    else if (kind < 85 || pending.length === 0) {
      const deadline = episode.deadline();
      if (deadline > now && deadline < now + 100_000) now = deadline;
      give({ end: dice.below(2), act: "timeout" });
    } else if (episode.whims.length > 0) give(dice.pick(episode.whims));
    if (steps.length % CHECK_EVERY === 0) episode.checkBounds();
  }
  wrapUp(episode, now);
}

/** The next thing on its way: as it is, changed, again later, or lost. */
function fromPending(dice: Dice, pending: Consequence[]): Consequence {
  const at = dice.chance(70) ? 0 : dice.below(pending.length);
  const [next] = pending.splice(at, 1);
  const { bytes } = next!;
  const fate = dice.below(100);
  if (fate < 5 && pending.length < PENDING_MAX) pending.push(next!);
  if (bytes === undefined || fate < 75) return next!;
  return { ...next!, bytes: Uint8Array.from(mutator.of(dice, bytes)) };
}

function wrapUp(episode: Episode, now: number): void {
  episode.checkBounds();
  episode.finish(now);
  ensure(episode.deadline() === Number.POSITIVE_INFINITY, "a deadline is left");
}

/** Whether these steps alone make an episode fail. */
function fails(target: MachineTarget, seed: number, steps: readonly Step[]): boolean {
  try {
    withinTime(2000, () => {
      const episode = target.begin(new Dice(seed));
      for (const step of steps) {
        episode.apply(step);
        episode.checkBounds();
      }
      wrapUp(episode, steps.at(-1)?.now ?? 0);
    });
    return false;
  } catch {
    return true;
  }
}
