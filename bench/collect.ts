/**
 * Loaded before a gateway whose memory is measured (--expose-gc --import): on SIGUSR2 it collects its garbage and
 * tells on standard error what is left.
 */

process.on("SIGUSR2", () => {
  // what the first leaves to finalizers goes with the second
  globalThis.gc?.();
  setImmediate(() => {
    globalThis.gc?.();
    process.stderr.write(`collected ${JSON.stringify(process.memoryUsage())}\n`);
  });
});
