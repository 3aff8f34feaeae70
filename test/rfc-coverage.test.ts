import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const page = readFileSync(join(ROOT, "docs/rfc-coverage.md"), "utf8");

describe("docs/rfc-coverage.md", () => {
  it("names files that are there", () => {
    const named = [...page.matchAll(/`((?:src|test)\/[^`]+)`/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it("shows a test for everything that it calls done", () => {
    const done = page.split("\n").filter((line) => line.startsWith("|") && /\| done/.test(line));
    expect(done.length).toBeGreaterThan(40);
    expect(done.filter((line) => !line.includes("`test/"))).toEqual([]);
  });
});
