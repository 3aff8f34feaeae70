/**
 * Required by a gateway before all else (NODE_OPTIONS): asked by SIGUSR2, it says on standard error what is in use after
 * everything that can be collected has been. Octets.
 */

const { setFlagsFromString } = require("node:v8");
const { runInNewContext } = require("node:vm");
const { isMainThread } = require("node:worker_threads");

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  process.on("SIGUSR2", () => {
    collect();
    setImmediate(() => {
      collect();
      const { rss, heapUsed, external } = process.memoryUsage();
      process.stderr.write(`${JSON.stringify({ msg: "memory", rss, heapUsed, external })}\n`);
    });
  });
}
