import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

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
