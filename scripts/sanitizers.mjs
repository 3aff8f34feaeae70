/**
 * `npm run test:sanitizers`: the addon's tests and the forwarding loop's on an addon with AddressSanitizer and
 * UndefinedBehaviorSanitizer. Fails on any report. First it makes sure that a fault of each kind is reported.
 *
 *     node scripts/sanitizers.mjs [TEST…]      test/native and test/dataplane/loop when none is named
 */

import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { SANITIZED } from "./setup/sanitized-addon.mjs";
import { ROOT } from "./setup/tools.mjs";

const REPORTS = join(SANITIZED, "reports");
const SUPPRESSIONS = join(ROOT, "test/sanitizers/suppressions.txt");
const TESTS = process.argv.length > 2 ? process.argv.slice(2) : ["test/native", "test/dataplane/loop"];
/** What the tests are made of. dist/ has the workers, which load the addon of the directory that they are in. */
const COPIED = [
  "src",
  "test",
  "dist",
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "vitest.config.ts",
];
/** Prepared for other tests, and large. */
const LEFT_OUT = [join(ROOT, "test/interop")];

const libasan = execFileSync("g++", ["-print-file-name=libasan.so"], { encoding: "utf8" }).trim();
const common = `log_path=${join(REPORTS, "report")}:print_stacktrace=1`;
const environment = {
  ...process.env,
  // node itself is built without: the runtime must be there before anything else
  LD_PRELOAD: libasan,
  // leaks: node and V8 leave to the end of the process what it frees anyway, and only that could be reported
  ASAN_OPTIONS: `${common}:detect_leaks=0:suppressions=${SUPPRESSIONS}`,
  UBSAN_OPTIONS: common,
};

function node(args, options = {}) {
  return spawnSync(process.execPath, args, {
    cwd: SANITIZED,
    env: environment,
    encoding: "utf8",
    ...options,
  });
}

function clearReports() {
  rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
}

function reports() {
  return readdirSync(REPORTS).map((name) => readFileSync(join(REPORTS, name), "utf8"));
}

/** A run that finds nothing means something only when a fault is found. */
function ensureFound(fault, report) {
  clearReports();
  const { status, stderr } = node(["-e", `require("./build/Release/canary.node").${fault}()`]);
  const said = [stderr, ...reports()].join("\n");
  if (status === 0 || !said.includes(report))
    throw new Error(`a deliberate fault (${fault}) was not reported as "${report}":\n${said}`);
}

ensureFound("overflow", "heap-buffer-overflow");
ensureFound("undefined", "signed integer overflow");

for (const path of COPIED) {
  rmSync(join(SANITIZED, path), { recursive: true, force: true });
  const filter = (source) => !LEFT_OUT.includes(source);
  if (existsSync(join(ROOT, path)))
    cpSync(join(ROOT, path), join(SANITIZED, path), { recursive: true, filter });
}
clearReports();
// UndefinedBehaviorSanitizer reports on standard error, AddressSanitizer in files; both end the process
const stdio = ["inherit", "inherit", "pipe"];
const { status, stderr } = node(["node_modules/vitest/vitest.mjs", "run", ...TESTS], { stdio });
const found = reports();
for (const text of [stderr, ...found]) process.stderr.write(text);
const clean = found.length === 0 && !stderr.includes("runtime error:");
process.stderr.write(
  clean
    ? "the sanitizers reported nothing; before that they reported a deliberate fault of each kind\n"
    : "the sanitizers reported faults\n",
);
process.exitCode = status === 0 && clean ? 0 : 1;
