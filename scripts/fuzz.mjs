/** `npm run fuzz`: compiles test/fuzz and runs it with the same arguments (test/fuzz/main.ts says which). */

import { spawnSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

// types are `npm run check`'s business: what is here is only to run
const tsc = ["node_modules/typescript/bin/tsc", "-p", "test/fuzz", "--noCheck"];
const { status } = spawnSync(process.execPath, tsc, { cwd: ROOT, stdio: "inherit" });
if (status !== 0) process.exit(1);

await import(pathToFileURL(`${ROOT}.stamps/fuzz/test/fuzz/main.js`).href);
