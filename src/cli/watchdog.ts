/** systemd's watchdog (sd_watchdog_enabled(3)): it ends who has not said for a while that he is well. */

const MICROSECONDS_PER_MS = 1000;
/** How often it is said, of the time in which it must be said: systemd's own advice. */
const SHARE = 2;
/** Of Node.js. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds between two "WATCHDOG=1"; undefined where nobody waits for them from this process. */
export function watchdogIntervalMs(
  environment: Readonly<Record<string, string | undefined>>,
  pid: number,
): number | undefined {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: who } = environment;
  if (microseconds === undefined || !/^[1-9][0-9]{0,15}$/.test(microseconds)) return undefined;
  if (who !== undefined && who !== String(pid)) return undefined;
  const intervalMs = Math.floor(Number(microseconds) / MICROSECONDS_PER_MS / SHARE);
  return Math.min(Math.max(1, intervalMs), MAX_TIMER_MS);
}

/**
 * Says from the event loop that we are well, as often as systemd wants it: where the loop is stuck, nothing is said.
 * Returns what ends it.
 */
export function feedWatchdog(
  notify: (state: string) => Promise<boolean>,
  intervalMs: number,
  onError: (error: Error) => void,
): () => void {
  const timer = setInterval(() => notify("WATCHDOG=1").catch(onError), intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
