import { setImmediate as otherWork } from "node:timers/promises";

/** What others may be kept waiting for: ten times what a message of a set-up takes. */
const TURN_MS = 4;
/** Items between looks at the clock: even of code that was never run before, well under a millisecond's worth. */
const LOOK_EVERY = 128;

/**
 * Has `act` called with every item, in turns with whatever else there is to do. What is added or taken away meanwhile may
 * be seen or not.
 */
export async function inTurns<Item>(items: Iterable<Item>, act: (item: Item) => void): Promise<void> {
  let begun = performance.now();
  let done = 0;
  for (const item of items) {
    act(item);
    done += 1;
    if (done % LOOK_EVERY !== 0 || performance.now() - begun < TURN_MS) continue;
    await otherWork();
    begun = performance.now();
  }
}
