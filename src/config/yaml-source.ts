import {
  type Document,
  type ErrorCode,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from "yaml";
import { isFileKey } from "./block.ts";

/** Keys of mappings and indices of lists, from the root on. */
export type Path = readonly PropertyKey[];

/** Something wrong at a place in a file; `at` says whether the key or the value of `path` is meant. */
export interface Problem {
  readonly path: Path;
  readonly at: "key" | "value";
  readonly text: string;
}

/** A place in a file; lines and columns count from 1. */
interface Place {
  readonly line: number;
  readonly column: number;
}

/** A problem with its place. */
export interface PlacedProblem {
  /** As it is shown to the file's author. */
  readonly file: string;
  readonly place: Place;
  readonly text: string;
}

/** What of a list stands before the part of it that is read. */
interface Before {
  readonly line: number;
  /** Items. */
  readonly index: number;
}

/**
 * What the YAML parser's codes mean. Its own messages are not used: they quote the file, and the file may have
 * secrets in it.
 */
const SYNTAX: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: "an alias cannot have an anchor or a tag",
  BAD_ALIAS: "an alias that has no name",
  BAD_COLLECTION_TYPE: "a tag that does not fit its collection",
  BAD_DIRECTIVE: "an unknown % directive",
  BAD_DQ_ESCAPE: "an unknown escape sequence in a double-quoted text",
  BAD_INDENT: "the indentation does not fit what is around it, or a bracket is not closed",
  BAD_PROP_ORDER: "anchors and tags must be right before their value",
  BAD_SCALAR_START: "a text cannot start with this character unless it is quoted",
  BLOCK_AS_IMPLICIT_KEY: "a key: value pair within a value; is the indentation right, or a quote missing?",
  BLOCK_IN_FLOW: "a block of lines within [ ] or { }",
  DUPLICATE_KEY: "a key that is there twice",
  IMPOSSIBLE: "this is not YAML",
  KEY_OVER_1024_CHARS: "a key of more than 1024 characters",
  MISSING_CHAR: "something is missing here: a comma, colon, blank, quote or bracket",
  MULTILINE_IMPLICIT_KEY: "a key that goes over several lines; is a colon missing?",
  MULTIPLE_ANCHORS: "two anchors on one value",
  MULTIPLE_DOCS: "a second document; only one is allowed",
  MULTIPLE_TAGS: "two tags on one value",
  NON_STRING_KEY: "a key that is not text",
  RESOURCE_EXHAUSTION: "nested too deeply",
  TAB_AS_INDENT: "a tab in the indentation; only blanks are allowed",
  TAG_RESOLVE_FAILED: "an unknown tag",
  UNEXPECTED_TOKEN: "something that does not belong here",
};

/** A YAML file as it was written: values, and the place of each. Aliases and tags are not allowed. */
export class YamlSource {
  /** As it is shown to the file's author. */
  readonly file: string;
  /** All that is wrong with it as YAML. */
  readonly problems: readonly PlacedProblem[];
  /** Whether `value` is what it says, as far as can be told; not when it cannot be read as YAML. */
  readonly readable: boolean;
  /** What it says, as plain values. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines = new LineCounter();
  readonly #before: Before;
  readonly #hidesKeys: (path: Path) => boolean;

  /**
   * `hidesKeys`: whether keys of the mapping at a path that we do not know could be secrets by mistake. `before`: of a
   * part of a file, what stands before it; its `value` is of the part alone.
   */
  constructor(
    file: string,
    text: string,
    hidesKeys: (path: Path) => boolean,
    before: Before = { line: 0, index: 0 },
  ) {
    this.file = file;
    this.#hidesKeys = hidesKeys;
    this.#before = before;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: "error",
    });
    const unreadable = [
      ...[...this.#document.errors, ...this.#document.warnings].map((error) =>
        this.#placed(error.pos[0], `${SYNTAX[error.code]} (YAML: ${error.code})`),
      ),
      ...this.#unsupported(),
    ];
    this.problems = [...unreadable, ...this.#repeatedKeys()];
    this.readable = unreadable.length === 0;
    this.value = this.readable ? this.#document.toJS() : undefined;
  }

  #line(offset: number): number {
    return this.#before.line + this.#lines.linePos(offset).line;
  }

  /** Whether the file says anything at `path`. */
  has(path: Path): boolean {
    return this.#find(path) !== undefined;
  }

  place(problem: Problem): PlacedProblem {
    const found = this.#find(problem.path) ?? this.#find(problem.path.slice(0, -1));
    const node = problem.at === "key" ? found?.key : (found?.value ?? found?.key);
    return this.#placed(offsetOf(node), problem.text);
  }

  /** What is written at `path`, short enough for a message; `hidden`: only its kind. */
  show(path: Path, hidden: boolean): string {
    const node = this.#find(path)?.value;
    if (isMap(node)) return "a mapping";
    if (isSeq(node)) return "a list";
    if (!isScalar(node) || node.value === null) return "nothing";
    if (hidden) return typeof node.value === "string" ? "a text" : `a ${typeof node.value}`;
    const written = typeof node.value === "string" ? JSON.stringify(node.value) : String(node.source);
    return written.length > 60 ? `${written.slice(0, 57)}...` : written;
  }

  #placed(offset: number, text: string): PlacedProblem {
    const { col } = this.#lines.linePos(offset);
    const place = { line: Math.max(1, this.#line(offset)), column: Math.max(1, col) };
    return { file: this.file, place, text };
  }

  /** What YAML allows and we do not. */
  #unsupported(): PlacedProblem[] {
    const problems: PlacedProblem[] = [];
    visit(this.#document, {
      Alias: (_, alias) => {
        const text = "an alias; values must be written out, and a text that starts with * needs quotes";
        problems.push(this.#placed(offsetOf(alias), text));
      },
      Pair: (_, { key }) => {
        if (isScalar(key) && key.value !== "__proto__") return;
        // an object's key of this name is its prototype
        const text = isScalar(key) ? 'the key "__proto__" is not allowed' : SYNTAX.NON_STRING_KEY;
        problems.push(this.#placed(offsetOf(key), text));
      },
    });
    return problems;
  }

  #repeatedKeys(): PlacedProblem[] {
    const problems: PlacedProblem[] = [];
    visit(this.#document, {
      Map: (_, map, ancestors) => {
        const path = ancestors.flatMap((node) =>
          isPair(node) && isScalar(node.key) ? [String(node.key.value)] : [],
        );
        const seen = new Map<string, number>();
        for (const { key } of map.items) {
          if (!isScalar(key)) continue;
          const name = String(key.value);
          const first = seen.get(name);
          const shown =
            isFileKey(name) || !this.#hidesKeys(path) ? `the key ${JSON.stringify(name)}` : "a key";
          const text = `${shown} is there twice, first in line ${first}`;
          if (first === undefined) seen.set(name, this.#line(offsetOf(key)));
          else problems.push(this.#placed(offsetOf(key), text));
        }
      },
    });
    return problems;
  }

  #find(path: Path): { readonly key?: Node | undefined; readonly value?: Node | undefined } | undefined {
    let key: Node | undefined;
    let value: Node | null | undefined = this.#document.contents as Node | null;
    for (const [depth, name] of path.entries()) {
      const step = depth === 0 && typeof name === "number" ? name - this.#before.index : name;
      if (isMap(value)) {
        const pair = value.items.find(
          (item) => isScalar(item.key) && String(item.key.value) === String(step),
        );
        if (pair === undefined) return undefined;
        key = pair.key as Node;
        value = pair.value as Node | null;
      } else if (isSeq(value) && typeof step === "number" && step >= 0 && step < value.items.length) {
        value = value.items[step] as Node | null;
        key = value ?? undefined;
      } else return undefined;
    }
    return { key, value: value ?? undefined };
  }
}

function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0;
}

/** "l2tp.peers[0].address"; the root is "". */
export function formatPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w-]+$/.test(String(step))) text += text === "" ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** One line for each problem, in the order of the file. */
export function formatProblems(problems: readonly PlacedProblem[]): string {
  const lines = [...problems]
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ file, place, text }) => `${file}:${place.line}:${place.column}: ${text}`);
  return [...new Set(lines)].join("\n");
}
