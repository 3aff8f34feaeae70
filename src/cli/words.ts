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
  const taken = first === "--socket" ? 2 : first.startsWith("--socket=") ? 1 : 0;
  const [command, ...others] = argv.slice(taken);
  if (taken === 0 || command === undefined || command.startsWith("-")) return ["show", first, ...rest];
  return [command, ...others, ...argv.slice(0, taken)];
}
