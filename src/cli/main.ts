#!/usr/bin/env node
import { runProgram } from "./program.ts";
import { readVersion } from "./version.ts";
import { watchdogIntervalMs } from "./watchdog.ts";

// A reader that goes away (show | head, a log collector that restarts) does not end us. A disk that is full ends a command,
// and no gateway: subscribers do without its log rather than without service.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE" || process.argv[2] === "run") return;
  process.stderr.write(`lacewing: standard output: ${error.message}\n`);
  process.exit(1);
});

// The gateway and the addon are loaded by the commands that need them: `check` and `show` work without.
process.exitCode = await runProgram(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  octets: process.stdout,
  env: process.env,
  signals: process,
  exitNow: (code) => process.exit(code),
  onExit: (act) => void process.once("exit", act),
  version: readVersion(),
  notify: async (state) => {
    if (process.env.NOTIFY_SOCKET === undefined) return false;
    const { addon } = await import("../io/native.ts");
    return addon.notify(state);
  },
  watchdogIntervalMs: watchdogIntervalMs(process.env, process.pid),
  startGateway: async (config, options) => {
    const { startGateway } = await import("../gateway/run.ts");
    return startGateway(config, options);
  },
  dial: async (options, surroundings) => {
    const { dial } = await import("../dial/dial.ts");
    return dial(options, surroundings);
  },
});
