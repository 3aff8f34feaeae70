/**
 * `npm run sim -- --seeds N [--seed S] [--trace]`: compiles the simulation (test/sim) and runs it, with stand-ins
 * for the machines of src/ that can be replaced by their snapshots at any time.
 */

import { spawnSync } from "node:child_process";
import { register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const BUILT = `${ROOT}.stamps/sim`;

// types are `npm run check`'s business: what is here is only to run
const tsc = ["node_modules/typescript/bin/tsc", "-p", "test/sim", "--noCheck"];
const { status } = spawnSync(process.execPath, tsc, { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(1);

register("./sim-hooks.mjs", import.meta.url);
await import(pathToFileURL(`${BUILT}/test/sim/main.js`).href);
