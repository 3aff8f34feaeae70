/** Whether command lines that are only named somewhere are such as the command understands. */

import { type Command, CommanderError } from "commander";
import { type CommandContext, UsageError } from "../../src/cli/process.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { FakeProcess } from "../cli/fakes.ts";

/** What stands for something else, where just any word would not do. */
const PLACEHOLDERS: Readonly<Record<string, string>> = {
  SECONDS: "5",
  COUNT: "5",
  N: "5",
  TUNNEL: "4711",
  SESSION: "s12",
};
/** Who only names a command need not say all that it needs. */
const INCOMPLETE = [
  "commander.missingArgument",
  "commander.missingMandatoryOptionValue",
  "commander.help",
  "commander.helpDisplayed",
  "commander.version",
];

/** Why `line` (without the prompt, and only up to a pipe) is none; undefined when it is one. */
export async function complaint(line: string): Promise<string | undefined> {
  const [first = ""] = line.split(" | ");
  const words = wordsOf(first).map((word) => PLACEHOLDERS[word] ?? word);
  try {
    await programThatDoesNothing().parseAsync(words.slice(1), { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return INCOMPLETE.includes(error.code) ? undefined : error.message;
    if (error instanceof UsageError)
      return /needs (an id|exactly one)/.test(error.message) && words.length < 4 ? undefined : error.message;
    // it was understood, and the gateway that it asks is not there
    return undefined;
  }
}

/** What goes on after a command in a sentence. */
const VERB = /^(\w+s|and|to|of)$/;

/**
 * The same in the middle of a sentence that is not marked where the command ends: it is what the command understands, up to the
 * end of the clause or to a word with which the sentence goes on; all options are in it.
 */
export async function complaintInSentence(text: string): Promise<string | undefined> {
  const [clause = ""] = text.split(/[\\"]|&&|[;,.:)'](?=\s|$)/);
  const words = wordsOf(clause);
  const whole = await complaint(words.join(" "));
  if (whole === undefined) return undefined;
  const least = Math.max(2, words.findLastIndex((word) => word.startsWith("-")) + 1);
  for (let count = words.length - 1; count >= least; count--) {
    const problem = await complaint(words.slice(0, count).join(" "));
    if (problem === undefined) return VERB.test(words[count]!) ? undefined : whole;
  }
  return whole;
}

/** As a shell has them, as far as documentation goes: quotes around a word, and no others. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, one, two, bare]) => one ?? two ?? bare ?? "",
  );
}

/** The real one, but that commands which need no gateway are not carried out, and that others find none. */
function programThatDoesNothing(): Command {
  const process = new FakeProcess();
  const context: CommandContext = process.context;
  const program = buildProgram(context, () => {});
  disarm(program);
  return program;
}

function disarm(command: Command): void {
  const socket = command.options.find(({ long }) => long === "--socket");
  if (socket !== undefined) command.setOptionValue("socket", "/nonexistent/lacewing.sock");
  else if (command.commands.length === 0) command.action(() => {});
  for (const each of command.commands) disarm(each);
}
