import { setImmediate as otherWork } from "node:timers/promises";

/** What others may be kept waiting for: ten times what a message of a set-up takes. */
const TURN_MS = 4;
/** Items between looks at the clock: even of code that was never run before, well under a millisecond's worth. */
const LOOK_EVERY = 128;

/** Takes all steps of what takes long, in turns with whatever else there is to do. Rejects with what a step throws. */
export async function stepsInTurns<Value>(steps: Generator<undefined, Value, undefined>): Promise<Value> {
  for (;;) {
    const begun = performance.now();
    let step = steps.next();
    while (step.done !== true && performance.now() - begun < TURN_MS) step = steps.next();
    if (step.done === true) return step.value;
    await otherWork();
  }
}

/**
 * Has `act` called with every item, in turns with whatever else there is to do. What is added or taken away meanwhile may
 * be seen or not.
 */
export function inTurns<Item>(items: Iterable<Item>, act: (item: Item) => void): Promise<void> {
  return stepsInTurns(actions(items, act));
}

function* actions<Item>(
  items: Iterable<Item>,
  act: (item: Item) => void,
): Generator<undefined, void, undefined> {
  let done = 0;
  for (const item of items) {
    act(item);
    done += 1;
    if (done % LOOK_EVERY === 0) yield;
  }
}
