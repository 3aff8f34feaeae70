import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/count-results.mjs", import.meta.url));

describe("the last line of .ci/run", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-count-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  interface Run {
    /** One row a file: its own status, then those of its tests. */
    readonly files?: readonly (readonly string[])[];
    /** Exit codes of the check, the tests and the start. */
    readonly codes: readonly [number, number, number];
    readonly ci?: boolean;
  }

  function count({ files, codes, ci = false }: Run): [string | undefined, number | null] {
    const report = join(folder, "tests.json");
    if (files !== undefined) {
      const testResults = files.map(([status, ...tests]) => ({
        status,
        assertionResults: tests.map((result) => ({ status: result, fullName: "a test" })),
      }));
      writeFileSync(report, JSON.stringify({ testResults }));
    }
    const env = { ...process.env, CI: ci ? "true" : "" };
    const argv = [SCRIPT, report, ...codes.map(String)];
    const { stdout, status } = spawnSync(process.execPath, argv, { encoding: "utf8", env });
    return [stdout.trimEnd().split("\n").at(-1), status];
  }

  it.each<[string, Run, string, number]>([
    [
      "counts tests, the check and the start",
      { files: [["passed", "passed", "passed", "skipped"]], codes: [0, 0, 0] },
      "4 passed, 0 failed, 1 skipped",
      0,
    ],
    [
      "counts what is skipped as failed under CI",
      { files: [["passed", "passed", "skipped", "pending"]], codes: [0, 0, 0], ci: true },
      "3 passed, 2 failed, 0 skipped",
      1,
    ],
    [
      "counts each of the three commands",
      { files: [["failed", "passed", "failed"]], codes: [1, 1, 2] },
      "1 passed, 3 failed, 0 skipped",
      1,
    ],
    [
      "counts a file that did not load as one failure",
      { files: [["failed"], ["passed", "passed"]], codes: [0, 1, 0] },
      "3 passed, 1 failed, 0 skipped",
      1,
    ],
    [
      "fails when the tests failed outside every file",
      { files: [["passed", "passed"]], codes: [0, 1, 0] },
      "3 passed, 1 failed, 0 skipped",
      1,
    ],
    ["fails without a report", { codes: [0, 1, 0] }, "2 passed, 1 failed, 0 skipped", 1],
    ["fails when no test ran", { files: [], codes: [0, 0, 0] }, "2 passed, 1 failed, 0 skipped", 1],
  ])("%s", (_, run, line, code) => {
    expect(count(run)).toEqual([line, code]);
  });
});
