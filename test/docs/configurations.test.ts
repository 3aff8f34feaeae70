import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { blocksOf } from "./markdown.ts";
import { PAGES, readPage } from "./pages.ts";

/** The reference has its examples from the schema, where they are tested. */
const HAND_WRITTEN = PAGES.filter((page) => page !== "docs/configuration.md");
const SAMPLES = HAND_WRITTEN.flatMap((page) =>
  blocksOf(readPage(page))
    .filter(({ info }) => info === "yaml")
    .map(({ lines, line }) => ({ title: `${page}:${line}`, text: lines.join("\n") })),
);

describe("a configuration in the documentation", () => {
  let folder: string;
  const write = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lacewing-documented-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each(SAMPLES.map(({ title, text }) => [title, text]))("has no mistakes: %s", (_title, text = "") => {
    for (const [, name] of text.matchAll(/(?:secret|token)-file: ([\w.]+)/g))
      write(name!, "not-really-a-secret\n");
    write("users.yaml", "- { name: alice@isp.example, password: not a password }\n");
    const path = write("lacewing.yaml", /^name:/m.test(text) ? text : `name: gateway\n${text}`);
    expect(() => loadConfig(path)).not.toThrow();
  });

  it("is in README, of a LAC and of an LNS", () => {
    expect(SAMPLES.filter(({ title }) => title.startsWith("README.md"))).toHaveLength(2);
  });
});
