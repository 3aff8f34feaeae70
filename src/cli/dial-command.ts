import { Command, InvalidArgumentError, Option } from "commander";
import { Secret } from "../base/secret.ts";
import { readTextFile } from "../config/private-file.ts";
import type { DialOptions } from "../dial/dial-options.ts";
import { GatheredLines } from "./gathered-lines.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK } from "./process.ts";
import { StopSignals } from "./stop-signals.ts";

/** What commander makes of the command line. */
interface ParsedOptions {
  readonly interface: string;
  readonly user: string;
  readonly password?: string;
  readonly passwordFile?: string;
  readonly count: number;
  readonly rate?: number;
  readonly atOnce?: number;
  readonly device: DialOptions["device"];
  readonly serviceName: string;
  readonly netns?: string;
  readonly json?: true;
}

/** `lacewing dial`; `done` is told the exit code. */
export function dialCommand(context: CommandContext, done: (code: number) => void): Command {
  const command = new Command("dial");
  return command
    .description("call as an emulated PPPoE subscriber, and stay online until Ctrl-C")
    .requiredOption("--interface <name>", "the Ethernet interface to call on")
    .requiredOption("--user <name>", "the user name; %d in it is the number of the session, from 1")
    .option("--password <text>", "the password, which others can see in the list of processes")
    .addOption(
      new Option("--password-file <path>", "the file whose only line is the password").conflicts("password"),
    )
    .option("--count <number>", "how many sessions to bring up", whole(1, 65_535), 1)
    .option("--rate <number>", "how many to begin in a second; all at once when absent", positive)
    .option("--at-once <number>", "how many may be coming up at one time", whole(1, 65_535))
    .addOption(
      new Option("--device <kind>", "a device for each session, one for all, or none (no IP)")
        .choices(["each", "shared", "none"])
        .default("each"),
    )
    .option("--service-name <name>", "the Service-Name to ask for", "")
    .option("--netns <name>", "the named network namespace to make devices in")
    .option("--json", "report as JSON lines")
    .action(async (parsed: ParsedOptions) => {
      const password = passwordOf(parsed);
      if (typeof password === "string") return command.error(`error: ${password}`);
      if (parsed.count > 1 && !parsed.user.includes("%d"))
        return command.error("error: with --count, --user needs a %d for the number of the session");
      done(await call(optionsOf(parsed, password), context));
    });
}

async function call(options: DialOptions, context: CommandContext): Promise<number> {
  const stopSignals = new StopSignals(context.signals, () => context.exitNow(EXIT_FAILED));
  const lines = new GatheredLines(context.stdout);
  context.onExit(() => lines.flush());
  try {
    const write = (text: string) => lines.write(text);
    const allUp = await context.dial(options, { write, signal: stopSignals.signal });
    return allUp ? EXIT_OK : EXIT_FAILED;
  } finally {
    stopSignals.dispose();
    lines.flush();
  }
}

function optionsOf(parsed: ParsedOptions, password: Secret): DialOptions {
  return {
    interface: parsed.interface,
    user: parsed.user,
    password,
    count: parsed.count,
    device: parsed.device,
    serviceName: parsed.serviceName,
    json: parsed.json === true,
    ...(parsed.rate === undefined ? {} : { ratePerSecond: parsed.rate }),
    ...(parsed.atOnce === undefined ? {} : { atOnce: parsed.atOnce }),
    ...(parsed.netns === undefined ? {} : { netns: parsed.netns }),
  };
}

/** The password, or why there is none. */
function passwordOf({ password, passwordFile }: ParsedOptions): Secret | string {
  if (password !== undefined) return new Secret(password);
  if (passwordFile === undefined) return "one of --password and --password-file is needed";
  const file = readTextFile(passwordFile);
  return file.ok ? new Secret(file.text.replace(/\r?\n$/, "")) : `${passwordFile} ${file.reason}`;
}

function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed: a whole number from ${min} to ${max}.`);
  };
}

function positive(text: string): number {
  const value = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (value > 0) return value;
  throw new InvalidArgumentError("Allowed: a number greater than 0.");
}
