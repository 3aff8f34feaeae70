import { Argument, Command, InvalidArgumentError, Option } from "commander";
import { SESSION_SORT_KEYS } from "../gateway/operations.ts";
import { type CommandContext, socketOption, UsageError } from "./process.ts";
import { SHOWN, type ShowOptions, shownText, type What } from "./shown.ts";
import { StopSignals } from "./stop-signals.ts";

/** The options that go with each thing; all others go with everything. */
const FILTERS: Readonly<Record<string, readonly What[]>> = {
  user: ["sessions", "users"],
  realm: ["sessions", "users"],
  lns: ["sessions"],
  state: ["sessions", "tunnels"],
  role: ["sessions"],
  interface: ["sessions"],
  mac: ["sessions"],
  tunnel: ["sessions"],
  since: ["sessions"],
  sort: ["sessions"],
  peer: ["tunnels"],
  limit: ["sessions", "users", "channels"],
};

/** Clears the terminal, and goes to its upper left. */
const CLEAR = "\x1b[H\x1b[2J";

interface ParsedOptions extends ShowOptions {
  readonly json?: true;
  readonly watch?: number | true;
  readonly socket: string;
}

/** `lacewing show`. */
export function showCommand(context: CommandContext): Command {
  const sorts = SESSION_SORT_KEYS.flatMap((key) => [key, `-${key}`]);
  return new Command("show")
    .description("show what a running gateway does; its health when nothing is named")
    .addArgument(new Argument("[what]", "what to show").choices(Object.keys(SHOWN)))
    .argument("[id]", "of `session` and `tunnel`: which one")
    .option("--user <name>", "of a user, or of names that match a pattern with * and ?")
    .option("--realm <realm>", "of all users of a realm")
    .option("--lns <peer>", "that are bridged to an LNS")
    .option("--state <state>", "that stand there: open, calling; of tunnels: established")
    .addOption(new Option("--role <role>", "that are that to us").choices(["lac", "lts", "lns", "pta"]))
    .option("--interface <name>", "that come from an access interface, or an L2TP peer")
    .option("--mac <address>", "of a MAC address")
    .option("--tunnel <id>", "in a tunnel")
    .option("--since <time>", "that began then or later: 15m, 2h, 2026-01-31T12:00:00Z")
    .option("--peer <peer>", "with an L2TP peer")
    .addOption(
      new Option("--sort <key>", "in this order; with a minus sign, the other way round").choices(sorts),
    )
    .option("--limit <count>", "so many rows; a hundred when absent, and with --json all", rows)
    .option("--watch [seconds]", "again and again, until Ctrl-C", positive)
    .option("--json", "as JSON")
    .addOption(socketOption())
    .action((what: string | undefined, id: string | undefined, options: ParsedOptions) => {
      const wanted = check(what, id, options);
      const once = () => shownText(wanted, id, options, options.socket, context);
      return options.watch === undefined ? write(context, once) : watch(context, once, options.watch);
    });
}

async function write(context: CommandContext, once: () => Promise<string>): Promise<void> {
  context.stdout.write(await once());
}

async function watch(
  context: CommandContext,
  once: () => Promise<string>,
  interval: number | true,
): Promise<void> {
  const milliseconds = interval === true ? 2000 : 1000 * interval;
  const stop = new StopSignals(context.signals, () => context.exitNow(1));
  try {
    while (!stop.signal.aborted) {
      const text = await once();
      context.stdout.write(context.stdout.isTTY === true ? CLEAR + text : `${text}\n`);
      await pause(milliseconds, stop.signal);
    }
  } finally {
    stop.dispose();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Throws a UsageError when what is given does not go together. */
function check(what = "health", id: string | undefined, options: ParsedOptions): What {
  const wanted = what as What;
  const needsId = wanted === "session" || wanted === "tunnel";
  if (needsId && id === undefined)
    throw new UsageError(`show ${what} needs an id: show ${what} ${EXAMPLES[wanted]}`);
  if (!needsId && id !== undefined) throw new UsageError(`show ${what} takes no id`);
  for (const [name, things] of Object.entries(FILTERS))
    if (name in options && !things.includes(wanted))
      throw new UsageError(`--${name} goes with show ${things.join(", show ")}, not with show ${what}`);
  return wanted;
}

const EXAMPLES = { session: "s12", tunnel: "4711" } as const;

function rows(text: string): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new InvalidArgumentError("Allowed: a whole number from 1.");
}

function positive(text: string): number {
  const value = Number(text);
  if (value >= 0.1 && value <= 86_400) return value;
  throw new InvalidArgumentError("Allowed: seconds from 0.1.");
}
