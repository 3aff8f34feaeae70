/** The words of the command line, in the order in which commander reads them. */

/** What is of the command itself, and asks no gateway. */
const ITS_OWN: readonly string[] = ["-h", "--help", "-V", "--version"];

/**
 * No command is `show`, as wg(8) has it: `lacewing`, `lacewing --json`. The socket may stand before the command:
 * `lacewing --socket PATH why alice`.
 */
export function inOrder(argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === undefined) return ["show"];
  if (ITS_OWN.includes(first) || !first.startsWith("-")) return argv;
  const taken = socketWords(argv);
  const [command, ...others] = argv.slice(taken);
  if (taken === 0 || command === undefined || command.startsWith("-")) return ["show", first, ...rest];
  return [command, ...others, ...argv.slice(0, taken)];
}

/**
 * Those of a command that is one with the word behind it only: the socket goes with both, and where there is no second
 * word, it is that which is to be spoken of.
 */
export function ofTwoWords(words: readonly string[]): readonly string[] {
  const [command = "", ...others] = words;
  const taken = socketWords(others);
  if (taken === 0) return words;
  const second = others.slice(taken);
  return second.length === 0 ? [command] : [command, ...second, ...others.slice(0, taken)];
}

/** How many words at the beginning say which socket. */
function socketWords([first = ""]: readonly string[]): number {
  if (first.startsWith("--socket=")) return 1;
  return first === "--socket" ? 2 : 0;
}
