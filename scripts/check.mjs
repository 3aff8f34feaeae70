/**
 * `npm run check`: everything about the source that can be judged without running it. All checks run, whatever
 * the earlier ones said; the output of one that fails is shown.
 */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHECKS = [
  ["types", "node_modules/typescript/bin/tsc", "-p", "."],
  ["types of the page", "node_modules/typescript/bin/tsc", "-p", "web"],
  ["lint and format", "node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."],
  ["unused code", "node_modules/knip/bin/knip.js", "--no-progress"],
  ["import direction", "node_modules/vitest/vitest.mjs", "run", "test/architecture.test.ts"],
];

let failures = 0;
for (const [name, ...argv] of CHECKS) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { cwd: ROOT, encoding: "utf8" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (status !== 0) {
    failures++;
    process.stdout.write(`${stdout}${stderr}\n`);
  }
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
}
process.exitCode = failures === 0 ? 0 : 1;
