import { describe, expect, it } from "vitest";
import { matches, parseOptions } from "../../bench/options.ts";

describe("the benchmark's command line", () => {
  it("measures everything at full length when it says nothing", () => {
    expect(parseOptions([])).toEqual({ quick: false, only: undefined, json: false });
  });

  it("takes every option", () => {
    const options = { quick: true, only: "setup", json: true };
    expect(parseOptions(["--quick", "--only", "setup", "--json"])).toEqual(options);
  });

  it("refuses what it does not know", () => {
    expect(() => parseOptions(["--fast"])).toThrow(/--fast/);
  });
});

describe("--only", () => {
  it.each([
    ["setup", true],
    ["loop/lac/setup/rush/rate", true],
    ["loop/*/rush", true],
    ["lac/up", false],
    ["memory|*/rush", true],
    ["memory|idle", false],
    // dots and the like mean themselves
    ["loop.lac", false],
    ["(", false],
  ])("%s picks loop/lac/setup/rush/rate: %s", (pattern, picked) => {
    expect(matches("loop/lac/setup/rush/rate", pattern)).toBe(picked);
  });
});
