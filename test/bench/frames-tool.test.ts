import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { BPF_COMPILER, COMPILER } from "../../bench/frames-tool.ts";

const SOURCES = join(import.meta.dirname, "../../bench/xdp");
const COMPILE_MS = 120_000;
const directory = mkdtempSync(join(tmpdir(), "lw-bench-test-"));
const checks = join(directory, "checks");
const programs = join(directory, "frames.bpf.o");
// libbpf and clang come with what runs the XDP engine, which is optional
const hasTools = existsSync("/usr/include/bpf/libbpf.h") && spawnSync("clang", ["--version"]).status === 0;
const isRoot = process.getuid?.() === 0;

beforeAll(() => {
  if (!hasTools) return;
  const [clang, ...words] = BPF_COMPILER;
  execFileSync(clang!, [...words, "-c", join(SOURCES, "frames.bpf.c"), "-o", programs]);
  const [compiler, ...flags] = COMPILER;
  const parts = ["templates.cc", "sessions.cc"].map((name) => join(SOURCES, name));
  // what runs for a moment need not be compiled for long
  const quick = flags.filter((flag) => flag !== "-O2");
  const all = [...quick, "-o", checks, join(import.meta.dirname, "frames-tool.cc"), ...parts, "-lbpf"];
  execFileSync(compiler, all);
}, COMPILE_MS);
afterAll(() => rmSync(directory, { recursive: true }));

function check(...words: readonly string[]): object {
  return spawnSync(checks, words, { encoding: "utf8" });
}

it.runIf(hasTools)("frames and the session file of the generator are right", () => {
  expect(check(join(directory, "sessions"))).toMatchObject({ stdout: "ok\n", stderr: "", status: 0 });
});

it.runIf(hasTools && isRoot)(
  "the sink tells lost, reordered, duplicated, damaged and misdelivered frames",
  () => {
    const result = check(join(directory, "sessions"), programs);
    expect(result).toMatchObject({ stdout: "ok\n", stderr: "", status: 0 });
  },
);
