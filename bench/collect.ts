/**
 * Loaded before a gateway that is measured (--expose-gc --import). On SIGUSR2 it collects its garbage and tells on
 * standard error what is left. From one SIGWINCH to the next it looks how long its event loop is held up, and tells the most.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";

/** V8 gives pages back in threads of its own. */
const GIVE_BACK_MS = 500;

const RESOLUTION_MS = 1;

process.on("SIGUSR2", () => {
  // the holes of garbage between what lives are filled sooner or later: they belong to no session
  setFlagsFromString("--compact-on-every-full-gc");
  globalThis.gc?.();
  // what the first leaves to finalizers goes with the second
  setImmediate(() => {
    globalThis.gc?.();
    setFlagsFromString("--no-compact-on-every-full-gc");
    setTimeout(
      () => process.stderr.write(`collected ${JSON.stringify(process.memoryUsage())}\n`),
      GIVE_BACK_MS,
    );
  });
});

let delay: ReturnType<typeof monitorEventLoopDelay> | undefined;

process.on("SIGWINCH", () => {
  if (delay === undefined) {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
    process.stderr.write("watching\n");
    return;
  }
  // what this turn comes too late by is not noted yet
  setTimeout(() => {
    const longestMs = (delay?.max ?? 0) / 1e6 - RESOLUTION_MS;
    delay?.disable();
    delay = undefined;
    process.stderr.write(`held-up ${longestMs}\n`);
  }, 2 * RESOLUTION_MS);
});
