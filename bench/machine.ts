import { execFileSync } from "node:child_process";
import { arch, cpus, loadavg, release, totalmem } from "node:os";
import type { Circumstances } from "./results.ts";
import { ROOT } from "./root.ts";

/** Of this machine, this checkout and this moment. */
export function circumstances(extent: string): Circumstances {
  const processors = cpus();
  return {
    machine: `${processors[0]?.model.trim() ?? "unknown processor"} (${arch()})`,
    processors: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.version,
    commit: commit(),
    date: new Date().toISOString(),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    extent,
  };
}

/** "unknown" where there is no git or no repository. Results themselves are no difference. */
function commit(): string {
  const git = (...words: string[]): string =>
    execFileSync("git", words, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  try {
    const changed =
      git("status", "--porcelain", "--", ".", ":!bench/results", ":!docs/performance.md") !== "";
    return git("rev-parse", "--short=12", "HEAD") + (changed ? "+" : "");
  } catch {
    return "unknown";
  }
}
