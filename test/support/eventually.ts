import { setTimeout as delay } from "node:timers/promises";

const INTERVAL_MS = 50;

interface EventuallyOptions {
  readonly timeoutMs?: number;
  readonly hopeless?: () => string | undefined;
}

/**
 * Waits until `check` returns something other than undefined or false, and returns that. Rejects after `timeoutMs`
 * with `what`, and with what the last try threw: a try that throws is one that is not yet true. `hopeless` says why it
 * will never be, and ends the wait at once.
 */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  { timeoutMs = 40_000, hopeless = () => undefined }: EventuallyOptions = {},
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
    const reason = hopeless();
    if (reason !== undefined) throw new Error(`it will never be that ${what}: ${reason}`);
    if (performance.now() > deadline)
      throw new Error(`not within ${timeoutMs} ms: ${what}`, problem === undefined ? {} : { cause: problem });
    await delay(INTERVAL_MS);
  }
}
