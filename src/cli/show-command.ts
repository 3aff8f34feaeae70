import { Argument, Command, Option } from "commander";
import { SESSION_SORT_KEYS } from "../gateway/operations.ts";
import {
  ALL_STATES,
  interval,
  isSession,
  macAddress,
  rowCount,
  STATES,
  since,
  tunnelId,
  tunnelOf,
  WANTED,
} from "./arguments.ts";
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

const THINGS: Readonly<Record<What, string>> = {
  health: "what is wrong first, and how much the gateway carries; also when nothing is named",
  sessions: "subscribers, a line each",
  session: "one of them, with its channels: show session s12",
  tunnels: "L2TP tunnels, a line each",
  tunnel: "one of them: show tunnel 4711",
  lns: "LNSes: whether they are well, how long they are locked out, what they carry",
  users: "user names with their sessions",
  interfaces: "access ports",
  channels: "channels of the data plane",
  counters: "everything that counts, with what it means",
  drops: "dropped frames by reason, with what it means",
  workers: "the data plane's threads, and how busy they are",
  captures: "captures that run, and who captures whom",
  pools: "address pools, and how full they are",
  rates: "what flows, over a second",
  status: "which gateway this is",
  config: "the configuration that it runs with, without secrets",
};

const HELP = `
What there is to show:
${Object.entries(THINGS)
  .map(([name, text]) => `  ${name.padEnd(12)}${text}`)
  .join("\n")}

Examples:
  lacewing show sessions --realm isp.example --since 15m
  lacewing show sessions --lns lns1 --state calling
  lacewing show session s12
  lacewing show lns --json`;

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
    .option("--realm <realm>", "of all users of this realm")
    .option("--lns <peer>", "that are carried to this LNS")
    .addOption(new Option("--state <state>", "in this state").choices(ALL_STATES))
    .addOption(
      new Option(
        "--role <role>",
        "carried to an LNS (lac), or on to another (lts); ending here, from a LAC (lns) or a port (pta)",
      ).choices(["lac", "lts", "lns", "pta"]),
    )
    .option("--interface <name>", "that come in by this access port, or from this L2TP peer")
    .option("--mac <address>", "of this MAC address", macAddress)
    .option("--tunnel <id>", "that came, or are carried on, in this tunnel", tunnelId)
    .option("--since <time>", "that began in the last 15m, 2h or 1d, or since 2026-01-31T12:00:00Z", since)
    .option("--peer <peer>", "with this L2TP peer")
    .addOption(
      new Option("--sort <key>", "in this order; with a minus sign, the other way round").choices(sorts),
    )
    .option("--limit <count>", "so many rows (default: 100; with --json all)", rowCount)
    .option("--watch [seconds]", "again and again, every 2 seconds or as many, until Ctrl-C", interval)
    .option("--json", "as JSON, as the HTTP API has it")
    .addOption(socketOption(context))
    .addHelpText("after", HELP)
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
  const closed = new AbortController();
  const onClosed = (): void => closed.abort();
  // whoever read it has gone (show --watch | head): nobody looks any more
  context.octets.on("error", onClosed);
  const ended = AbortSignal.any([stop.signal, closed.signal]);
  try {
    while (!ended.aborted) {
      const text = await once();
      context.stdout.write(context.stdout.isTTY === true ? CLEAR + text : `${text}\n`);
      await pause(milliseconds, ended);
    }
  } finally {
    context.octets.off("error", onClosed);
    stop.dispose();
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}

/** Throws a UsageError when what is given does not go together. */
function check(what = "health", id: string | undefined, options: ParsedOptions): What {
  const wanted = what as What;
  const needsId = wanted === "session" || wanted === "tunnel";
  if (needsId && id === undefined)
    throw new UsageError(`show ${what} needs an id, as in: show ${what} ${EXAMPLES[wanted]}`);
  if (needsId) checkId(wanted, id ?? "");
  else if (id !== undefined) throw new UsageError(`show ${what} takes no id`);
  for (const [name, things] of Object.entries(FILTERS))
    if (name in options && !things.includes(wanted))
      throw new UsageError(`--${name} goes with show ${things.join(", show ")}, not with show ${what}`);
  const { state } = options;
  if (state !== undefined && STATES[wanted]?.includes(state) === false)
    throw new UsageError(`${what} are not ${state}; they are ${STATES[wanted]?.join(", ")}`);
  return wanted;
}

function checkId(what: keyof typeof EXAMPLES, id: string): void {
  const isOne = what === "session" ? isSession(id) : tunnelOf(id) !== undefined;
  if (!isOne) throw new UsageError(`there is no ${what} ${JSON.stringify(id)}. ${WANTED[what]}`);
}

const EXAMPLES = { session: "s12", tunnel: "4711" } as const;
