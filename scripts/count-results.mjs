/**
 * The last line of .ci/run, and its exit code.
 *
 *     node count-results.mjs VITEST_JSON CHECK_STATUS TEST_STATUS START_STATUS
 */

import { existsSync, readFileSync } from "node:fs";

const [report, ...statuses] = process.argv.slice(2);
const [check, tests, start] = statuses.map(Number);

/** A file that failed outside its tests (it did not load, or a hook failed) counts as one failure. */
function failuresOf({ status, assertionResults }) {
  const failed = assertionResults.filter((result) => result.status === "failed").length;
  return status === "failed" ? Math.max(failed, 1) : failed;
}

let passed = 0;
let failed = 0;
let skipped = 0;
if (existsSync(report)) {
  const files = JSON.parse(readFileSync(report, "utf8")).testResults;
  for (const file of files) {
    const results = file.assertionResults;
    const passes = results.filter((result) => result.status === "passed").length;
    const others = results.filter((result) => result.status !== "passed" && result.status !== "failed");
    passed += passes;
    failed += failuresOf(file);
    skipped += others.length;
    if (process.env.CI === "true") for (const { fullName } of others) console.log(`skipped: ${fullName}`);
  }
}
// no report, no test at all, or an error between the tests: green must mean that tests ran
if (failed === 0 && (tests !== 0 || passed === 0)) failed++;
for (const status of [check, start]) status === 0 ? passed++ : failed++;
if (process.env.CI === "true") {
  failed += skipped;
  skipped = 0;
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed === 0 ? 0 : 1;
