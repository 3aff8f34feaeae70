import { createContext, Script } from "node:vm";

const script = new Script("work()");

/** Thrown when work was stopped in its middle. */
export class TimeLimitExceeded extends Error {}

/**
 * Does `work` and stops it, wherever it is, after `ms`: an endless loop is a finding and not the end of the run. The
 * watch is V8's own, on a thread of its own; starting it costs some 100 µs, so give it batches.
 */
export function withinTime(ms: number, work: () => void): void {
  try {
    script.runInContext(createContext({ work }), { timeout: ms });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new TimeLimitExceeded(`not done within ${ms} ms`);
  }
}
