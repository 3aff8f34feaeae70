import { Argument, Command, CommanderError } from "commander";
import { LacewingError } from "../base/errors.ts";
import { ConfigError } from "../config/config-error.ts";
import { loadConfig } from "../config/load.ts";
import { readResource } from "../control/client.ts";
import { dialCommand } from "./dial-command.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from "./process.ts";
import { run } from "./run-command.ts";
import { SHOWN, showTable } from "./show-tables.ts";

const DEFAULT_SOCKET = "/run/lacewing/lacewing.sock";

/** Runs the command line `argv` (without node and script) and resolves to the exit code. */
export async function runProgram(argv: readonly string[], context: CommandContext): Promise<number> {
  let code = EXIT_OK;
  const program = buildProgram(context, (result) => {
    code = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return code;
  } catch (error) {
    // help and version end with code 0, everything that commander complains of is wrong usage
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    return failure(error, context);
  }
}

/** Says what went wrong: our own errors by their message, anything else (a bug, or the system) with its stack. */
function failure(error: unknown, context: CommandContext): number {
  if (error instanceof ConfigError) {
    context.stderr.write(`${error.message}\n`);
    return EXIT_USAGE;
  }
  const known = error instanceof LacewingError || (error instanceof Error && "syscall" in error);
  const text = error instanceof Error ? (known ? error.message : error.stack) : String(error);
  context.stderr.write(`lacewing: ${text}\n`);
  return EXIT_FAILED;
}

function buildProgram(context: CommandContext, done: (code: number) => void): Command {
  const program = new Command("lacewing")
    .description("LAC/LNS gateway: PPPoE, L2TPv2 and PPP in one user-space service")
    .version(context.version);
  program
    .command("run")
    .description("run the gateway")
    .requiredOption("-c, --config <file>", "the configuration")
    .action(async ({ config }: { readonly config: string }) => done(await run(config, context)));
  program
    .command("check")
    .description("tell what is wrong with a configuration, and do nothing else")
    .requiredOption("-c, --config <file>", "the configuration")
    .action(({ config }: { readonly config: string }) => {
      loadConfig(config);
      context.stdout.write(`${config}: no mistakes\n`);
    });
  program
    .command("show")
    .description("show what a running gateway does")
    .addArgument(new Argument("<what>", "what to show").choices(SHOWN))
    .option("--json", "as JSON")
    .option("--socket <path>", "the gateway's control socket", DEFAULT_SOCKET)
    .action((what: (typeof SHOWN)[number], options: { readonly json?: true; readonly socket: string }) =>
      show(what, options, context),
    );
  program.addCommand(dialCommand(context, done));
  for (const command of [program, ...program.commands])
    command.exitOverride().configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  return program;
}

async function show(
  what: (typeof SHOWN)[number],
  options: { readonly json?: true; readonly socket: string },
  context: CommandContext,
): Promise<void> {
  const view = await readResource(options.socket, what);
  const text = options.json
    ? `${JSON.stringify(view, null, 2)}\n`
    : showTable(what, view, context.stdout.columns);
  context.stdout.write(text);
}
