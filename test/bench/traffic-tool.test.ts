import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { COMPILER } from "../../bench/traffic-tool.ts";

const TRAFFIC = join(import.meta.dirname, "../../bench/traffic");
const COMPILE_MS = 120_000;
const directory = mkdtempSync(join(tmpdir(), "lw-bench-test-"));
const checks = join(directory, "checks");

beforeAll(() => {
  const [compiler, ...flags] = COMPILER;
  const parts = ["packet.cc", "sessions.cc"].map((name) => join(TRAFFIC, name));
  execFileSync(compiler, [...flags, "-o", checks, join(import.meta.dirname, "traffic-tool.cc"), ...parts]);
}, COMPILE_MS);
afterAll(() => rmSync(directory, { recursive: true }));

it("packets, ledger, paces and the session file of the traffic tool are right", () => {
  expect(spawnSync(checks, [join(directory, "sessions")], { encoding: "utf8" })).toMatchObject({
    stdout: "ok\n",
    stderr: "",
    status: 0,
  });
});
