import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./root.ts";
import type { TrafficReport } from "./traffic-report.ts";

const SOURCES = join(ROOT, "bench", "traffic");
const BUILT = join(ROOT, "build", "bench");
const TOOL = join(BUILT, "traffic");
/** Compiler and flags. */
export const COMPILER = ["g++", "-std=c++20", "-O2", "-Wall", "-Wextra", "-Werror"] as const;

/** Compiles bench/traffic/ when its sources are newer than what was compiled. */
export function buildTrafficTool(): void {
  const sources = readdirSync(SOURCES).map((name) => join(SOURCES, name));
  const builtAt = existsSync(TOOL) ? statSync(TOOL).mtimeMs : 0;
  if (sources.every((source) => statSync(source).mtimeMs < builtAt)) return;
  mkdirSync(BUILT, { recursive: true });
  const unfinished = `${TOOL}.${process.pid}`;
  const [compiler, ...flags] = COMPILER;
  execFileSync(
    compiler,
    [...flags, "-o", unfinished, ...sources.filter((source) => source.endsWith(".cc"))],
    {
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  renameSync(unfinished, TOOL);
}

/** One run, with the LNS's UDP socket `lnsSocket` as the tool's own. Rejects with what the tool complains about. */
export function runTraffic(options: readonly string[], lnsSocket: number): Promise<TrafficReport> {
  return new Promise((resolve, reject) => {
    const tool = spawn(TOOL, options, { stdio: ["ignore", "pipe", "pipe", lnsSocket] });
    let output = "";
    let complaint = "";
    tool.stdout!.on("data", (data) => {
      output += data;
    });
    tool.stderr!.on("data", (data) => {
      complaint += data;
    });
    tool.once("error", reject);
    tool.once("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as TrafficReport);
      else reject(new Error(complaint.trim() || `the traffic tool ended with ${code}`));
    });
  });
}
