/** What the steps of the set-up share: saying, running, and remembering what a result was made from. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout that this script belongs to. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const STAMPS = join(ROOT, ".stamps");

/** What the person at the terminal must read and do; ends the set-up without a stack trace. */
export class SetupFailure extends Error {}

/** One line to standard error: standard output belongs to what is started after the set-up. */
export function say(line) {
  process.stderr.write(`set-up: ${line}\n`);
}

/** What ends us, and so our child. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

/**
 * Starts a child process and tells how it ended; meanwhile it gets the signals that we get, so that it ends
 * before us. They are caught before it is there: none may fall between.
 * @param {() => import("node:child_process").ChildProcess} start
 * @returns {Promise<{ status?: number, signal?: string, error?: Error }>}
 */
export async function ended(start) {
  const forward = (signal) => child.kill(signal);
  for (const signal of END_SIGNALS) process.on(signal, forward);
  const child = start();
  const result = await new Promise((resolve) => {
    child.on("error", (error) => resolve({ error }));
    child.on("exit", (status, signal) => resolve({ status, signal }));
  });
  for (const signal of END_SIGNALS) process.off(signal, forward);
  return result;
}

/**
 * Runs a command in the checkout, its output going to .stamps/NAME.log, and shows the end of that when it fails.
 * @param {string} name
 * @param {readonly string[]} argv
 * @param {Record<string, string>} [environment] added to ours
 */
export async function run(name, [command, ...args], environment = {}) {
  const log = join(STAMPS, `${name}.log`);
  const output = openSync(log, "w");
  const stdio = ["ignore", output, output];
  const env = { ...process.env, ...environment };
  const { status, signal, error } = await ended(() => spawn(command, args, { cwd: ROOT, stdio, env }));
  closeSync(output);
  if (status === 0) return;
  const tail = readFileSync(log, "utf8").trimEnd().split("\n").slice(-40).join("\n");
  const reason = error?.message ?? signal ?? `status ${status}`;
  throw new SetupFailure(
    `${tail}\n\n"${[command, ...args].join(" ")}" failed (${reason}); its output is in ${log}`,
  );
}

/** Every file under `path` (or `path` itself), relative to the checkout, sorted; none when it is not there. */
export function filesUnder(path, keep = () => true) {
  const absolute = join(ROOT, path);
  if (!existsSync(absolute)) return [];
  const files = [];
  const walk = (relative, entry) => {
    if (entry === undefined || entry.isDirectory()) {
      for (const child of readdirSync(join(ROOT, relative), { withFileTypes: true })) {
        walk(join(relative, child.name), child);
      }
    } else if (entry.isFile() && keep(relative)) {
      files.push(relative);
    }
  };
  walk(path, undefined);
  return files.sort();
}

/** Names and contents of files, and whatever else a result depends on, as one short text. */
export function fingerprint(files, ...others) {
  const hash = createHash("sha256");
  for (const file of files)
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update("\0");
  for (const other of others) hash.update(`${other}\0`);
  return hash.digest("hex");
}

/** What the last successful make of `name` was made from. */
export function readStamp(name) {
  const path = join(STAMPS, name);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

export function writeStamp(name, value) {
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(join(STAMPS, name), value);
}
