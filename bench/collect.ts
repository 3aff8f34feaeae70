/**
 * Loaded before a gateway whose memory is measured (--expose-gc --import): on SIGUSR2 it collects its garbage and
 * tells on standard error what is left.
 */
import { setFlagsFromString } from "node:v8";

/** V8 gives pages back in threads of its own. */
const GIVE_BACK_MS = 500;

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
