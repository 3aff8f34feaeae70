/**
 * `npm run fuzz`: hostile input for every codec and every machine.
 *
 *     --frames N       inputs of each codec (10,000,000); a machine gets a fifth of that, the data plane too
 *     --only PATTERN   targets whose name matches this regular expression
 *     --seconds S      at most so long for each target
 *     --seed S         another seed is another run; the same seed is the same run
 *
 * Prints a line for each target. What fails is printed with the seed and the input that show it again; the exit code
 * is then 1.
 */

import { parseArgs } from "node:util";
import { describeFailure } from "./failure.ts";
import type { Outcome } from "./run-codec.ts";
import { runTarget } from "./run-target.ts";
import { TARGETS } from "./targets.ts";

/** A machine takes some ten times as long for an input as a codec. */
const MACHINE_SHARE = 1 / 5;

/** A number above zero; ends the process with a sentence when it is none. */
function positive(option: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  process.stderr.write(`--${option} must be a number above zero, not "${text}"\n`);
  return process.exit(2);
}

function line({ target, frames, seconds, grownBytes, failure }: Outcome): string {
  const rate = `${Math.round(frames / seconds / 1000)}k/s`;
  const growth = `${(grownBytes / 1024).toFixed(0)} KiB more in use`;
  const verdict = failure === undefined ? "ok" : "FAILED";
  return `${target.padEnd(24)} ${String(frames).padStart(10)} inputs ${rate.padStart(8)}  ${growth.padStart(24)}  ${verdict}`;
}

const { values } = parseArgs({
  options: {
    frames: { type: "string", default: "10000000" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "Infinity" },
    seed: { type: "string", default: "1" },
  },
});
const pattern = new RegExp(values.only);
const chosen = TARGETS.filter(({ name }) => pattern.test(name));
if (chosen.length === 0) {
  process.stderr.write(`no target matches "${values.only}": ${TARGETS.map(({ name }) => name).join(", ")}\n`);
  process.exit(2);
}
const frames = positive("frames", values.frames);
const seconds = positive("seconds", values.seconds);
const seed = Number(values.seed);
for (const target of chosen) {
  const share = target.kind === "codec" ? frames : Math.ceil(frames * MACHINE_SHARE);
  const outcome = await runTarget(target, { seed, frames: share, seconds });
  process.stdout.write(`${line(outcome)}\n`);
  if (outcome.failure === undefined) continue;
  process.exitCode = 1;
  process.stdout.write(`${describeFailure(outcome.failure)}\n`);
}
