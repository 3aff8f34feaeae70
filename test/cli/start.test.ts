import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, vi } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Imports that are there when the file runs, and not those that it makes later. */
const STATIC = /^(?:import|export)\s(?!type\s)(?:[^;"]*?\sfrom\s)?"([^"]+)"/gm;

/** Everything that a file loads before it does anything. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(join(ROOT, file), "utf8").matchAll(STATIC))
    if (specifier!.startsWith(".")) loadedBy(relative(ROOT, join(ROOT, dirname(file), specifier!)), seen);
    else seen.add(specifier!);
  return seen;
}

it("the command loads commander and little else before it knows what it is to do: a prompt waits for it", () => {
  const loaded = loadedBy("src/cli/main.ts");
  expect([...loaded].filter((name) => !name.startsWith("src/") && !name.startsWith("node:"))).toEqual([
    "commander",
  ]);
  const layers = new Set(
    [...loaded].filter((name) => name.startsWith("src/")).map((name) => name.split("/")[1]),
  );
  expect([...layers].sort()).toEqual(["base", "cli", "config", "control", "gateway"]);
  expect(loaded.size).toBeLessThan(50);
});

it("run loads what it needs", () => {
  expect(loadedBy("src/cli/run-command.ts")).toContain("hono");
});

it("a command that cannot write says so in a line; a gateway goes on without its log", async () => {
  const command = join(ROOT, "dist/src/cli/main.js");
  const full = openSync("/dev/full", "w");
  const help = spawnSync(process.execPath, [command, "show", "--help"], { stdio: ["ignore", full, "pipe"] });
  expect(help.status).toBe(1);
  expect(String(help.stderr)).toMatch(/^lacewing: standard output: ENOSPC[^\n]*\n$/);
  const directory = mkdtempSync(join(tmpdir(), "lacewing-full-"));
  const [config, socket] = [join(directory, "lacewing.yaml"), join(directory, "lacewing.sock")];
  writeFileSync(config, `name: full\ncontrol: { socket: ${socket} }\n`);
  const gateway = spawn(process.execPath, [command, "run", "-c", config], {
    stdio: ["ignore", full, "pipe"],
  });
  const exited = once(gateway, "exit");
  await vi.waitFor(() => expect(existsSync(socket)).toBe(true), 10_000);
  const status = spawnSync(process.execPath, [command, "show", "status", "--socket", socket]);
  expect(String(status.stdout)).toContain("full");
  gateway.kill("SIGTERM");
  expect(await exited).toEqual([0, null]);
  rmSync(directory, { recursive: true });
}, 30_000);
