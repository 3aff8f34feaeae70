/** The pages that people read, and what is in them. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { type Block, blocksOf } from "./markdown.ts";
import { agrees, linesOf, renewed, type Step, stepsOf } from "./transcript.ts";

const ROOT = new URL("../../", import.meta.url);
/** Set where outputs are to be written, and not compared: `npm run docs -- --transcripts`. */
const WRITES = process.env.LACEWING_TRANSCRIPTS === "write";
/** What only looks; it may have to look again until what was ordered before has happened. */
const LOOKS = /^lacewing (show|why) /;
const PATIENCE_MS = 5000;

/** By their paths in the checkout. */
export const PAGES: readonly string[] = [
  "README.md",
  "CONTRIBUTING.md",
  ...readdirSync(new URL("docs", ROOT))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

export function readPage(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** A `console` block of a page. */
export interface Transcript {
  /** "docs/operations.md:17 $ lacewing show", to be named by. */
  readonly title: string;
  readonly page: string;
  readonly block: Block;
  /** The second word of its info: where it is run. Empty: by no test of transcripts. */
  readonly stage: string;
  readonly steps: readonly Step[];
}

/** Those of a stage, or all, in the order of the pages. */
export function transcripts(stage?: string): readonly Transcript[] {
  return PAGES.flatMap((page) =>
    blocksOf(readPage(page))
      .filter(({ info }) => /^console\b/.test(info))
      .map((block) => {
        const steps = stepsOf(block.lines);
        const title = `${page}:${block.line} $ ${steps[0]?.command ?? ""}`;
        return { title, page, block, stage: block.info.slice("console".length).trim(), steps };
      }),
  ).filter((each) => stage === undefined || each.stage === stage);
}

/** Those of a stage with their titles before them, as tests are named. */
export function titled(stage: string): readonly (readonly [string, Transcript])[] {
  return transcripts(stage).map((each) => [each.title, each]);
}

/** Runs a command, and resolves to what it has said. */
type Run = (command: string) => string | Promise<string>;

/** Runs a block; resolves to it as it is, and as it should be: the page itself has the latter when outputs are to be written. */
export async function replay(
  { page, block, steps }: Transcript,
  run: Run,
): Promise<{ is: string; should: string }> {
  const renewedSteps: Step[] = [];
  for (const { command, output } of steps) {
    const said = await patiently(command, output, run);
    renewedSteps.push({ command, output: renewed(output, said) });
  }
  const [is, should] = [block.lines, linesOf(renewedSteps)].map((lines) => lines.join("\n"));
  if (!WRITES) return { is: is!, should: should! };
  const text = readPage(page);
  const fenced = `\`\`\`${block.info}\n${is}\n`;
  writeFileSync(
    new URL(page, ROOT),
    text.replace(fenced, () => `\`\`\`${block.info}\n${should}\n`),
  );
  return { is: should!, should: should! };
}

async function patiently(command: string, output: readonly string[], run: Run): Promise<readonly string[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const said = (await run(command)).split("\n").map((line) => line.trimEnd());
    const lines = said.join("") === "" ? [] : said;
    if (WRITES || !LOOKS.test(command) || agrees(output, lines) || performance.now() > deadline) return lines;
  }
}
