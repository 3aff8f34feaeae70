/**
 * The users file, read and checked some users at a time: ten thousand of them take half a second, in which others must
 * have their turn. What it says of a wrong file does not depend on that.
 */

import type { UserConfig } from "./config.ts";
import type { Raw } from "./raw.ts";
import { rawList, rawMap } from "./raw.ts";
import { type Confidential, schemaProblems } from "./schema-problems.ts";
import { UserCheck } from "./user-checks.ts";
import { usersSchema } from "./users-schema.ts";
import { formatProblems, type PlacedProblem, YamlSource } from "./yaml-source.ts";

/** What a users file says; `messages`: all that is wrong with it, in the order of the file. */
export interface UsersFile {
  readonly users: readonly UserConfig[];
  readonly messages: string;
}

/** Anything that is not clearly something else may be a password in the wrong place. */
const CONFIDENTIAL: Confidential = {
  value: (path) => !["name", "address", "dns", "unit"].includes(String(path[1])),
  unknownKeys: () => true,
};

/** Users that are read at a time: some milliseconds. */
const USERS_AT_A_TIME = 16;

/** Part of a file, with the number of lines and of users before it. */
interface Slice {
  readonly text: string;
  readonly line: number;
  readonly index: number;
  /** The users in it, where that is known before it is read. */
  readonly users?: number;
}

/** Reads a users file; it stops after every few users, and is to be gone on with. */
export function* usersFileSteps(
  config: Raw,
  file: string,
  text: string,
): Generator<undefined, UsersFile, undefined> {
  const reading = new Reading(config, file);
  for (const slice of slicesOf(text)) {
    // one part of what is no YAML is no YAML by itself, or means something else: all of it is looked at together
    if (reading.take(slice) !== undefined) return readUsersFile(config, file, text);
    yield;
  }
  return reading.result();
}

/** Reads a users file at one go. */
export function readUsersFile(config: Raw, file: string, text: string): UsersFile {
  const reading = new Reading(config, file);
  const unreadable = reading.take({ text, line: 0, index: 0 });
  return unreadable === undefined ? reading.result() : { users: [], messages: formatProblems(unreadable) };
}

class Reading {
  readonly #file: string;
  readonly #check: UserCheck;
  readonly #users: UserConfig[] = [];
  readonly #problems: PlacedProblem[] = [];

  constructor(config: Raw, file: string) {
    this.#file = file;
    this.#check = new UserCheck(config);
  }

  /** Takes a part of the file; what is wrong with it where it cannot be read as the part that it should be. */
  take(slice: Slice): readonly PlacedProblem[] | undefined {
    const { text, index, users } = slice;
    const source = new YamlSource(this.#file, text, CONFIDENTIAL.unknownKeys, slice);
    const list = rawList(source.value);
    if (!source.readable || (users !== undefined && list.length !== users)) return source.problems;
    const parsed = usersSchema.safeParse(source.value);
    const issues = (parsed.error?.issues ?? []).map((issue) => {
      const [first, ...rest] = issue.path;
      return typeof first === "number" ? { ...issue, path: [first + index, ...rest] } : issue;
    });
    const problems = [
      ...schemaProblems(source, issues, CONFIDENTIAL),
      ...list.flatMap((user, i) => this.#check.problemsOf(index + i, rawMap(user))),
    ];
    this.#problems.push(...source.problems, ...problems.map((each) => source.place(each)));
    this.#users.push(...(parsed.data ?? []));
    return undefined;
  }

  result(): UsersFile {
    return { users: Object.freeze(this.#users), messages: formatProblems(this.#problems) };
  }
}

/**
 * Parts of a list of which each item begins with a dash, and each part is a list itself. What is written in any other way
 * is one part.
 */
function* slicesOf(text: string): Generator<Slice, void, undefined> {
  const start = /^(?:[ \t]*(?:#.*)?\r?\n)*( *)-[ \t\r\n]/.exec(text);
  const whole = { text, line: 0, index: 0 };
  // a line that marks a document, or says something about it
  if (start === null || /^(?:---|\.\.\.|%)/m.test(text)) {
    yield whole;
    return;
  }
  const item = new RegExp(`^${start[1]}-[ \\t\\r\\n]`, "gm");
  let from = 0;
  let line = 0;
  let index = 0;
  let items = 0;
  for (let match = item.exec(text); match !== null; match = item.exec(text)) {
    if (items === USERS_AT_A_TIME) {
      const part = text.slice(from, match.index);
      yield { text: part, line, index, users: items };
      from = match.index;
      line += part.split("\n").length - 1;
      index += items;
      items = 0;
    }
    items += 1;
  }
  yield { text: text.slice(from), line, index, users: items };
}
