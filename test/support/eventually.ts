import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MS = 50;

/**
 * Waits until `check` returns something other than undefined or false, and returns that. Rejects after `timeoutMs`
 * with `what`, and with what the last try threw: a try that throws is one that is not yet true.
 */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 20_000 } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let problem: unknown;
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what}`, problem === undefined ? {} : { cause: problem });
    await delay(INTERVAL_MS);
  }
}
