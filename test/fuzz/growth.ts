import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Octets that are in use after everything that can be collected has been: the heap, and buffers beside it. */
export async function liveBytes(): Promise<number> {
  // what is beside the heap goes when the event loop turns, and what hung on it in the next round
  for (let round = 0; round < 2; round++) {
    collect();
    await nextTurn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
