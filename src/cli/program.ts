import { Argument, Command, CommanderError } from "commander";
import { LacewingError } from "../base/errors.ts";
import { ConfigError } from "../config/config-error.ts";
import { RefusedError } from "../control/control-error.ts";
import { captureCommand } from "./capture-command.ts";
import { configCommand } from "./config-command.ts";
import { dialCommand } from "./dial-command.ts";
import { examplesText } from "./examples.ts";
import { orderCommands } from "./order-commands.ts";
import { printable } from "./printable.ts";
import {
  type CommandContext,
  EXIT_FAILED,
  EXIT_OK,
  EXIT_USAGE,
  socketOption,
  UsageError,
} from "./process.ts";
import { showCommand } from "./show-command.ts";
import { inOrder, ofTwoWords } from "./words.ts";

/** Runs the command line `argv` (without node and script) and resolves to the exit code. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<number> {
  let code = EXIT_OK;
  const program = buildProgram(context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(wordsFor(program, argv), { from: "user" });
    return code;
  } catch (error) {
    // help and version end with code 0, everything that commander complains of is wrong usage
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    return failure(error, context);
  }
}

/** As commander reads them. Throws a UsageError where the second word of a command is missing. */
function wordsFor(program: Command, argv: readonly string[]): readonly string[] {
  const words = inOrder(argv);
  const command = program.commands.find((each) => each.name() === words[0]);
  if (command === undefined || !needsWord(command)) return words;
  const read = ofTwoWords(words);
  const [first] = command.commands;
  if (read.length > 1 || first === undefined) return read;
  const names = command.commands.map((each) => each.name()).join(" or ");
  throw new UsageError(
    `${command.name()} needs another word: ${names}, as in: lacewing ${command.name()} ${first.name()}`,
  );
}

/** It has commands beneath it, or its first argument is one of a few words. */
function needsWord({ commands, registeredArguments: [first] }: Command): boolean {
  return commands.length > 0 || (first?.required === true && first.argChoices !== undefined);
}

/** Says what went wrong: our own errors by their message, anything else (a bug, or the system) with its stack. */
function failure(error: unknown, context: CommandContext): number | Promise<number> {
  if (error instanceof UsageError) {
    context.stderr.write(`error: ${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof ConfigError) {
    context.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  if (error instanceof RefusedError) return refusal(error, context);
  const known = error instanceof LacewingError || (error instanceof Error && "syscall" in error);
  const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
  context.stderr.write(`lacewing: ${text}\n`);
  return EXIT_FAILED;
}

/** What the gateway does not understand, or its file has wrong, is wrong usage, as if we had seen it ourselves. */
const USAGE_STATUS: readonly number[] = [400, 422];

/** Tells what the gateway says; what it quotes of others does nothing to the terminal. */
async function refusal(
  { message, status, socketPath }: RefusedError,
  { stderr, version }: CommandContext,
): Promise<number> {
  const said = message.split("\n").map(printable).join("\n");
  stderr.write(`lacewing: ${said}\n`);
  const { gatewayVersion } = await import("../control/client.ts");
  const theirs = await gatewayVersion(socketPath);
  if (theirs !== version)
    stderr.write(
      `lacewing: the gateway is version ${printable(theirs ?? "unknown")}, this command ${version}: use the command that came with it, or restart it (systemctl restart lacewing)\n`,
    );
  return USAGE_STATUS.includes(status) ? EXIT_USAGE : EXIT_FAILED;
}

/** The command with all that is beneath it; `done` is told the exit code. What takes long to load is loaded when it runs. */
export function buildProgram(context: CommandContext, done: (code: number) => void): Command {
  const program = new Command("lacewing")
    .description("LAC/LNS gateway: PPPoE, L2TPv2 and PPP in one user-space service")
    .version(context.version)
    .enablePositionalOptions()
    .addOption(socketOption(context))
    .addHelpText("after", examplesText());
  program
    .command("run")
    .description("run the gateway")
    .requiredOption("-c, --config <file>", "the configuration")
    .action(async ({ config }: { readonly config: string }) => {
      const { run } = await import("./run-command.ts");
      done(await run(config, context));
    });
  program
    .command("check")
    .description("tell what is wrong with a configuration, and do nothing else")
    .requiredOption("-c, --config <file>", "the configuration")
    .action(async ({ config }: { readonly config: string }) => {
      const { check } = await import("./check-command.ts");
      await check(config, context);
    });
  program.addCommand(configCommand(context));
  program.addCommand(showCommand(context));
  for (const command of orderCommands(context, done)) program.addCommand(command);
  program.addCommand(captureCommand(context, done));
  program.addCommand(dialCommand(context, done));
  program
    .command("completion")
    .description("write the script that completes this command's words in a shell")
    .addArgument(new Argument("<shell>", "which shell").choices(["bash", "zsh"]))
    .action(async (shell: "bash" | "zsh") => {
      const { bashCompletion, zshCompletion } = await import("./completion.ts");
      context.stdout.write(shell === "bash" ? bashCompletion(program) : zshCompletion(program));
    });
  prepare(program, context);
  return program;
}

/** Whatever commander says goes where the context says, it never ends the process, and it says where there is more. */
function prepare(command: Command, context: CommandContext, path = command.name()): void {
  command
    .exitOverride()
    .showHelpAfterError(`(${path} --help shows what there is)`)
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  for (const each of command.commands) prepare(each, context, `${path} ${each.name()}`);
}
