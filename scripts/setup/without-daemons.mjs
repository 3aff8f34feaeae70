/**
 * Runs a command that installs Debian packages so that none of the daemons they bring is started.
 *
 *     node without-daemons.mjs POLICY_FILE COMMAND [ARG...]
 *
 * POLICY_FILE is /usr/sbin/policy-rc.d, which Debian's maintainer scripts ask before they start a daemon; it is
 * there while COMMAND runs and gone afterwards, however COMMAND ends. One that somebody else put there stays as it
 * is and decides. Only one of us may run at a time: the caller holds a lock.
 */

import { spawn } from "node:child_process";
import { chmodSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { END_SIGNALS, ended } from "./tools.mjs";

const MARK = "# Lacewing's set-up: no daemon is started while it installs packages";
const [policyFile, command, ...args] = process.argv.slice(2);

/** Returns whether the file is ours to remove. */
function forbidDaemons(path) {
  try {
    // left by one of us that was killed: nobody else runs now
    if (readFileSync(path, "utf8").includes(MARK)) rmSync(path);
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
  try {
    writeFileSync(path, `#!/bin/sh\n${MARK}\nexit 101\n`, { flag: "wx" });
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
  // by itself, because the mode given on creation passes through the umask
  chmodSync(path, 0o755);
  return true;
}

// from here on no signal ends us before the policy is gone again
for (const signal of END_SIGNALS) process.on(signal, () => {});
const ours = forbidDaemons(policyFile);
process.on("exit", () => {
  if (ours) rmSync(policyFile, { force: true });
});

const { status, error } = await ended(() =>
  spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit"],
    // RUNLEVEL: invoke-rc.d starts nothing in single-user mode, should the policy be somebody else's
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8", RUNLEVEL: "1" },
  }),
);
if (error) process.stderr.write(`${error.message}\n`);
process.exitCode = status ?? 1;
