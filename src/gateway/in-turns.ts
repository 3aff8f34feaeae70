import { performance } from "node:perf_hooks";
import { setImmediate as otherWork } from "node:timers/promises";

/** How long it goes on before others have their turn. */
const TURN_MS = 5;

/** Takes all steps of what takes long, and lets others work in between. Rejects with what a step throws. */
export async function inTurns<Value>(steps: Generator<undefined, Value, undefined>): Promise<Value> {
  for (;;) {
    const until = performance.now() + TURN_MS;
    let step = steps.next();
    while (step.done !== true && performance.now() < until) step = steps.next();
    if (step.done === true) return step.value;
    await otherWork();
  }
}
