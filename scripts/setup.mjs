/**
 * Sets up whatever is missing for one purpose, and only that; every npm script goes through it first.
 *
 *     node scripts/setup.mjs [run|test|interop|check|build|package|bench|sanitizers]
 *
 * Plain JavaScript without dependencies, because nothing is installed when it starts. When all is there it says
 * nothing and takes a fraction of a second. It writes to standard error only.
 */

import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { STEPS } from "./setup/steps.mjs";
import { ended, SetupFailure, STAMPS, say } from "./setup/tools.mjs";

/** Set in the environment of the process that holds the lock. */
const LOCKED = "LACEWING_SETUP_LOCKED";
const LOCK_IS_TAKEN = 75;

/** Starts this script again under a lock, so that two set-ups at once do not undo each other. */
async function again() {
  mkdirSync(STAMPS, { recursive: true });
  const attempt = (...options) => {
    // -F: flock becomes the script, so that signals reach it
    const argv = ["-F", ...options, join(STAMPS, "lock"), process.execPath, ...process.argv.slice(1)];
    const environment = { ...process.env, [LOCKED]: "1" };
    return ended(() => spawn("flock", argv, { stdio: ["ignore", "inherit", "inherit"], env: environment }));
  };
  let result = await attempt("-n", "-E", String(LOCK_IS_TAKEN));
  if (result.status === LOCK_IS_TAKEN) {
    say("waits for another set-up of this checkout to end");
    result = await attempt();
  }
  if (result.error) throw new SetupFailure(`flock (Debian package util-linux): ${result.error.message}`);
  return result.status ?? 1;
}

async function setUp(purpose) {
  const steps = STEPS[purpose];
  if (steps === undefined) throw new SetupFailure(`"${purpose}" is none of ${Object.keys(STEPS).join(", ")}`);
  if (process.env[LOCKED] === undefined) {
    return steps.some((step) => step.why() !== undefined) ? again() : 0;
  }
  for (const step of steps) {
    // asked again: whoever held the lock before us may have done it, and one step can make the next one due
    const why = step.why();
    if (why === undefined) continue;
    say(why);
    await step.make();
  }
  return 0;
}

try {
  process.exitCode = await setUp(process.argv[2] ?? "run");
} catch (error) {
  if (!(error instanceof SetupFailure)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
