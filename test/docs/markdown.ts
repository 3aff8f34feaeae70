/** What of a page of Markdown the tests of docs/ look at: its fenced blocks, and code among its words. */

/** A fenced block. */
export interface Block {
  /** What follows the opening fence: "yaml", "console lab". */
  readonly info: string;
  readonly lines: readonly string[];
  /** Of the opening fence, from 1. */
  readonly line: number;
}

/** Code among words: `lacewing show`. */
export interface InlineCode {
  readonly code: string;
  readonly line: number;
}

interface Parts {
  readonly blocks: readonly Block[];
  /** Outside the blocks, with their numbers from 1. */
  readonly prose: readonly (readonly [number, string])[];
}

function partsOf(text: string): Parts {
  const blocks: Block[] = [];
  const prose: [number, string][] = [];
  let open: { info: string; lines: string[]; line: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence !== null && open === undefined) open = { info: fence[1]!.trim(), lines: [], line: index + 1 };
    else if (fence !== null && open !== undefined) {
      blocks.push(open);
      open = undefined;
    } else if (open !== undefined) open.lines.push(line);
    else prose.push([index + 1, line]);
  }
  if (open !== undefined) throw new Error(`the block that begins in line ${open.line} does not end`);
  return { blocks, prose };
}

export function blocksOf(text: string): readonly Block[] {
  return partsOf(text).blocks;
}

export function inlineCodeOf(text: string): readonly InlineCode[] {
  // code may go on in the next line; a cell of a table has \| for a bar
  const whole = partsOf(text).prose;
  const joined = whole.map(([, line]) => line).join("\n");
  return [...joined.matchAll(/`([^`]+)`/g)].map((found) => ({
    code: found[1]!.replaceAll("\n", " ").replaceAll("\\|", "|"),
    line: whole[joined.slice(0, found.index).split("\n").length - 1]![0],
  }));
}

/** Lines that Markdown shows as code since they are indented after an empty one; those of lists are none. */
export function indentedCodeOf(text: string): readonly (readonly [number, string])[] {
  let isInList = false;
  let before = "";
  return partsOf(text).prose.filter(([, line]) => {
    if (/^\s*([-*]|\d+\.) /.test(line)) isInList = true;
    else if (/^\S/.test(line)) isInList = false;
    const isCode = !isInList && /^ {4}/.test(line) && (before === "" || /^ {4}/.test(before));
    before = line;
    return isCode;
  });
}

/** Where links lead to: paths relative to the page, without the part after #. */
export function linksOf(text: string): readonly string[] {
  const prose = partsOf(text).prose.map(([, line]) => line);
  return [...prose.join("\n").matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)]
    .map(([, path]) => path!)
    .filter((path) => !/^\w+:/.test(path));
}
