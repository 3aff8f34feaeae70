/**
 * What a `console` block documents: commands, each with its output.
 *
 *     $ lacewing show sessions
 *     SESSION  ROLE  STATE  USER
 *     …
 *
 * A line `…` stands for any lines, or none, and a line that ends in " …" for one that goes on. A command may go on in the next
 * line after a backslash.
 */

import { normalised } from "./normalise.ts";

const ELLIPSIS = "…";
/** Longer lines are cut when an output is written. */
const WIDTH = 120;

export interface Step {
  /** As it is given to a shell. */
  readonly command: string;
  readonly output: readonly string[];
}

/** Throws when the lines do not begin with a command. */
export function stepsOf(lines: readonly string[]): readonly Step[] {
  const steps: { command: string; output: string[] }[] = [];
  for (const line of lines) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), output: [] });
    else if (last === undefined) throw new Error(`a console block begins with "$ ", not with: ${line}`);
    else if (last.output.length === 0 && last.command.endsWith("\\")) last.command += `\n${line}`;
    else last.output.push(line);
  }
  return steps;
}

/** As the block has them. */
export function linesOf(steps: readonly Step[]): readonly string[] {
  return steps.flatMap(({ command, output }) => [...`$ ${command}`.split("\n"), ...output]);
}

/** Whether a command that has `said` this is documented by `output`. */
export function agrees(output: readonly string[], said: readonly string[]): boolean {
  const [first, ...rest] = output;
  if (first === undefined) return said.length === 0;
  if (first === ELLIPSIS) {
    for (let skipped = 0; skipped <= said.length; skipped++)
      if (agrees(rest, said.slice(skipped))) return true;
    return false;
  }
  return said.length > 0 && isLine(first, said[0]!) && agrees(rest, said.slice(1));
}

function isLine(documented: string, said: string): boolean {
  if (!documented.endsWith(` ${ELLIPSIS}`)) return normalised(documented) === normalised(said);
  return normalised(said).startsWith(normalised(documented.slice(0, -ELLIPSIS.length)));
}

/**
 * The output to document from now on: what was said, left out where it was before as far as that can be told. Lines that are
 * right stay as they are.
 */
export function renewed(output: readonly string[], said: readonly string[]): readonly string[] {
  if (agrees(output, said)) return output;
  const renewedLines: string[] = [];
  let at = 0;
  let isLeftOut = false;
  for (const line of output) {
    if (line === ELLIPSIS) {
      isLeftOut = true;
      continue;
    }
    const found = said.findIndex((each, index) => index >= at && isAlike(line, each));
    if (found < 0) continue;
    if (found > at) renewedLines.push(...(isLeftOut ? [ELLIPSIS] : said.slice(at, found).map(cut)));
    renewedLines.push(isLine(line, said[found]!) ? line : cut(said[found]!));
    at = found + 1;
    isLeftOut = false;
  }
  if (at < said.length) renewedLines.push(...(isLeftOut && at > 0 ? [ELLIPSIS] : said.slice(at).map(cut)));
  return renewedLines;
}

/** The same line with other contents: it begins alike. */
function isAlike(one: string, other: string): boolean {
  return isLine(one, other) || beginning(one) === beginning(other);
}

/** Its first word; where that is a time or an id, those that tell what of. */
function beginning(line: string): string {
  const words = normalised(line).split(" ");
  return words.slice(0, words[0]?.startsWith("<") ? 4 : 1).join(" ");
}

function cut(line: string): string {
  if (line.length <= WIDTH) return line;
  return `${line.slice(0, line.lastIndexOf(" ", WIDTH - 2))} ${ELLIPSIS}`;
}
