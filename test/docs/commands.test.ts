/** No command slips into the documentation that nobody has run, or that the program does not understand. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { complaint, complaintInSentence } from "./command-line.ts";
import { ELSEWHERE } from "./elsewhere.ts";
import { blocksOf, indentedCodeOf, inlineCodeOf, linksOf } from "./markdown.ts";
import { PAGES, readPage, transcripts } from "./pages.ts";

const ROOT = new URL("../../", import.meta.url);
/** Where blocks are run: by test/docs, and by test/deploy/package.test.ts. */
const STAGES = ["lab", "start", "debian-install", "debian-configured", "debian-upgrade"];
/** What begins a line that is a command. */
const PROGRAMS =
  /^\s*(\$ |# )?(lacewing|npx|npm|node|systemctl|journalctl|dpkg|apt|apt-get|docker|ip|ethtool|sysctl|curl|mtr)\s/;
/** Beside the pages: where commands are named in sentences. */
const SOURCES = ["src", "web/src", "deploy"];

interface Named {
  readonly where: string;
  readonly text: string;
  /** In a sentence that does not mark where it ends. */
  readonly isOpen?: boolean;
}

/** Every file of a folder. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(new URL(folder, ROOT), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(tsx?|yaml|8)$/.test(entry.name))
    .map((entry) => `${entry.parentPath}/${entry.name}`);
}

/** Where a file's sentences name a command: to the end of the code, or to that of the line. */
function namedIn(path: string): readonly Named[] {
  const text = readFileSync(path, "utf8");
  // in templates, which begin after something that is no word, and in roff
  const plain = text.replaceAll(/\$\{[^}]*\}|\{\{[^}]*\}\}/g, "NAME").replaceAll(/\\([`-])/g, "$1");
  return [...plain.matchAll(/(?:(?<![:(=?>,[]\s*)(`)|(?<![\w/.@-]|user ))(lacewing [a-z]+[^\n`]*)(`?)/g)].map(
    ([, open, code = "", close]) => ({
      where: path.slice(ROOT.pathname.length),
      text: code,
      isOpen: open === undefined || close !== "`",
    }),
  );
}

const inline: readonly Named[] = PAGES.flatMap((page) =>
  inlineCodeOf(readPage(page)).map(({ code, line }) => ({ where: `${page}:${line}`, text: code })),
);

describe("the documentation", () => {
  it("has commands with their output in blocks of console, on a stage that there is", () => {
    const others = PAGES.flatMap((page) => {
      const text = readPage(page);
      const inBlocks = blocksOf(text)
        .filter(({ info }) => !info.startsWith("console"))
        .flatMap(({ lines, line }) => lines.map((each, index) => [line + 1 + index, each] as const));
      return [...inBlocks, ...indentedCodeOf(text)]
        .filter(([, line]) => PROGRAMS.test(line))
        .map(([number, line]) => `${page}:${number} ${line}`);
    });
    expect(others).toEqual([]);
    expect(transcripts().filter(({ stage }) => !STAGES.includes(stage))).toEqual([]);
    for (const stage of STAGES) expect(transcripts(stage), stage).not.toEqual([]);
  });

  const commands = inline.filter(({ text }) => /^(npx )?lacewing /.test(text));
  it.each(commands.map(({ where, text }) => [where, text]))(
    "%s names the command %s",
    async (_where, text = "") => {
      expect(await complaint(text.replace(/^npx /, ""))).toBeUndefined();
    },
  );

  it("names npm's scripts with options that they have; they are run somewhere", () => {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as {
      scripts: Record<string, string>;
    };
    const wrong = inline.filter(({ text }) => {
      const script = /^npm (?:run )?([\w:]+)/.exec(text)?.[1];
      if (script === undefined || script === "ci") return false;
      const line = scripts[script];
      const options = [...text.matchAll(/ --(\w[\w-]*)/g)].map(([, name]) => name!);
      return line === undefined || !options.every((name) => isKnown(name, line));
    });
    expect(wrong).toEqual([]);
    const bare = inline.flatMap(({ text }) => /^(npm (run )?[\w:]+|docker \w+)/.exec(text)?.[0] ?? []);
    expect(new Set(bare)).toEqual(new Set(Object.keys(ELSEWHERE)));
    for (const { file, text } of Object.values(ELSEWHERE)) expect(readPage(file)).toContain(text);
  });

  it("names files that are there, and leads to pages that are", () => {
    const named = inline.filter(
      ({ text }) =>
        /^(docs|deploy|test|src|scripts|bench|native|lab|web|\.ci)\/[\w./-]+$/.test(text) &&
        !existsSync(new URL(text, ROOT)),
    );
    expect(named).toEqual([]);
    const links = PAGES.flatMap((page) =>
      linksOf(readPage(page))
        .filter((path) => !existsSync(new URL(path, new URL(page, ROOT))))
        .map((path) => `${page}: ${path}`),
    );
    expect(links).toEqual([]);
  });

  it("and the program's own words name only commands that there are", async () => {
    const named = SOURCES.flatMap(filesOf).flatMap(namedIn);
    expect(named.length).toBeGreaterThan(30);
    const wrong: string[] = [];
    for (const { where, text, isOpen } of named) {
      const problem = await (isOpen ? complaintInSentence(text) : complaint(text));
      if (problem !== undefined) wrong.push(`${where}: ${text}: ${problem}`);
    }
    expect(wrong).toEqual([]);
  });
});

/** Whether an option is in what a script of package.json runs at last; those of vitest are its own. */
function isKnown(option: string, line: string): boolean {
  if (line.includes("vitest run")) return true;
  const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
    "dist/lab/main.js": ["lab/main.ts"],
    "dist/bench/main.js": ["bench/options.ts"],
    "scripts/fuzz.mjs": ["test/fuzz/main.ts"],
    "scripts/sim.mjs": ["test/sim/main.ts"],
    "scripts/generate-docs.mjs": ["scripts/generate-docs.mjs"],
  };
  const files = Object.entries(SOURCES_OF).find(([program]) => line.includes(program))?.[1] ?? [];
  return files.some((file) => readFileSync(new URL(file, ROOT), "utf8").includes(option));
}
