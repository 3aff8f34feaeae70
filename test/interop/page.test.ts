import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SCENARIOS } from "./catalogue.ts";
import { catalogueScenarios, listedScenarios } from "./page.ts";

const here = fileURLToPath(new URL(".", import.meta.url));

describe("docs/interop.md", () => {
  it("lists every scenario as the catalogue has it, and no other: npm run interop writes it", () => {
    const page = readFileSync(join(here, "../../docs/interop.md"), "utf8");
    expect(listedScenarios(page)).toEqual(catalogueScenarios());
  });
});

describe("the catalogue of scenarios", () => {
  it("has no scenario without a test", () => {
    const files = readdirSync(here).filter((name) => /\.(interop|test)\.ts$/.test(name));
    const code = files.map((name) => readFileSync(join(here, name), "utf8")).join("");
    const untested = Object.keys(SCENARIOS).filter((id) => !code.includes(`"${id}"`));
    expect(untested).toEqual([]);
  });
});
