/** What is asked of, and ordered from, a running gateway beside `show`. */

import { Argument, Command, Option } from "commander";
import { counted } from "../base/words.ts";
import { ask } from "../control/client.ts";
import type {
  ClearedView,
  DrainedView,
  EndedView,
  ReloadView,
  TunnelTestView,
} from "../gateway/operations-views.ts";
import type { StoryView } from "../journal/story-view.ts";
import { isSession, macOf, sessionId, tunnelId, tunnelOf, WANTED } from "./arguments.ts";
import { printableJson } from "./printable.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK, socketOption, UsageError } from "./process.ts";
import { type Screen, screenFor } from "./screen.ts";
import { reloadedScreen, reloadScreen, storyScreen, testScreen } from "./screens.ts";

interface CommonOptions {
  readonly socket: string;
  readonly json?: true;
}

type Done = (code: number) => void;

/** All of them; `done` is told the exit code. */
export function orderCommands(context: CommandContext, done: Done): readonly Command[] {
  return [
    whyCommand(context, done),
    testCommand(context, done),
    endCommand(context, done),
    drainCommand(context),
    lockoutCommand(context),
    reloadCommand(context, done),
  ];
}

/** Writes what is asked for, as JSON where that is wanted. */
async function answer<Value>(
  context: CommandContext,
  { json }: CommonOptions,
  value: Value,
  text: (value: Value, screen: Screen) => string,
): Promise<void> {
  const written = json
    ? `${printableJson(JSON.stringify(value, null, 2))}\n`
    : text(value, screenFor(context));
  context.stdout.write(written);
}

function command(context: CommandContext, name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .addOption(new Option("--json", "as JSON, as the HTTP API has it"))
    .addOption(socketOption(context));
}

function whyCommand(context: CommandContext, done: Done): Command {
  return command(
    context,
    "why",
    "tell what became of a session, a user, a host or a tunnel, and why; also of who has gone or never got in",
  )
    .argument(
      "<subject>",
      "a session (s12), a user name, a MAC address, the number of a tunnel, or TUNNEL/SESSION of L2TP, by our numbers or the other end's",
    )
    .action(async (subject: string, options: CommonOptions) => {
      const query = subjectQuery(subject);
      const story = await ask<StoryView>(options.socket, { path: "/v1/why", query });
      await answer(context, options, story, storyScreen);
      done(story.found ? EXIT_OK : EXIT_FAILED);
    });
}

/** What a word is, by how it looks. A user whose name is a number or like a session's is asked for with his realm. */
function subjectQuery(subject: string): Readonly<Record<string, string>> {
  if (isSession(subject)) return { session: subject };
  if (/^s\d+$/.test(subject)) throw new UsageError(`there is no session ${subject}. ${WANTED.session}`);
  const mac = macOf(subject);
  if (mac !== undefined) return { mac };
  if (tunnelOf(subject) !== undefined) return { tunnel: subject };
  const call = /^(\d{1,5})\/(\d{1,5})$/.exec(subject);
  if (call !== null) return { tunnel: call[1]!, call: call[2]! };
  return { user: subject };
}

interface TestOptions extends CommonOptions {
  readonly user?: string;
  readonly realm?: string;
  readonly lns?: string;
  readonly interface?: string;
}

function testCommand(context: CommandContext, done: Done): Command {
  const tunnel = command(
    context,
    "tunnel",
    "choose an LNS, open a tunnel and place a call as for a subscriber, and hang up",
  )
    .option("--user <name>", "as for this user")
    .option("--realm <realm>", "as for a user of this realm")
    .option("--lns <name>", "with this LNS, or one of this group")
    .option("--interface <name>", "as for a call on this access interface")
    .action(async (options: TestOptions) => {
      const { user, realm, lns, interface: from } = options;
      one({ user, realm, lns }, "test tunnel", "test tunnel --lns lns1");
      const body = { user, realm, lns, interface: from };
      const result = await ask<TunnelTestView>(options.socket, { path: "/v1/tunnel-tests", body });
      await answer(context, options, result, testScreen);
      done(result.ok ? EXIT_OK : EXIT_FAILED);
    });
  return new Command("test").description("try something without a subscriber").addCommand(tunnel);
}

interface EndOptions extends CommonOptions {
  readonly user?: string;
  readonly realm?: string;
  readonly tunnel?: number;
  readonly reason?: string;
}

function endCommand(context: CommandContext, done: Done): Command {
  return command(context, "end", "end sessions politely: one, or all of a user, a realm or a tunnel")
    .argument("[session]", "this one (s12)", sessionId)
    .option("--user <name>", "those of a user, or of names that match a pattern with * and ?")
    .option("--realm <realm>", "those of all users of a realm")
    .option("--tunnel <id>", "a tunnel, and with it its sessions", tunnelId)
    .option("--reason <text>", "for the log, and for the peer")
    .action(async (session: string | undefined, options: EndOptions) => {
      const { user, realm, tunnel, reason } = options;
      one({ session, user, realm, tunnel }, "end", "end s12");
      const body = { session, user, realm, tunnel, reason };
      const ended = await ask<EndedView>(options.socket, { path: "/v1/end", body });
      await answer(context, options, ended, ({ sessions, tunnels }) =>
        tunnels > 0
          ? `ending ${counted(tunnels, "tunnel")} and ${counted(sessions, "session")}\n`
          : `ending ${counted(sessions, "session")}\n`,
      );
      done(ended.sessions + ended.tunnels > 0 ? EXIT_OK : EXIT_FAILED);
    });
}

function drainCommand(context: CommandContext): Command {
  return command(context, "drain", "take no new calls while sessions go on, or take calls again")
    .addArgument(new Argument("<on|off>", "on: no new calls; off: calls again").choices(["on", "off"]))
    .option(
      "--interface <name>",
      "on this access interface; on all of them, and of calls by L2TP, when absent",
    )
    .action(async (word: "on" | "off", options: CommonOptions & { readonly interface?: string }) => {
      const body = { draining: word === "on", interface: options.interface };
      const drained = await ask<DrainedView>(options.socket, { path: "/v1/drain", body });
      await answer(context, options, drained, ({ draining, interfaces, l2tp }) => {
        const names = [...interfaces, ...(l2tp ? ["calls by L2TP"] : [])].join(", ");
        if (names === "") return "nobody may call here: neither by PPPoE nor by L2TP\n";
        return `${names}: ${draining ? "no new calls; sessions go on" : "calls are taken"}\n`;
      });
    });
}

function lockoutCommand(context: CommandContext): Command {
  const clear = command(context, "clear", "let calls go to LNSes again that were locked out")
    .argument("[lns]", "this one; all when absent")
    .action(async (lns: string | undefined, options: CommonOptions) => {
      const cleared = await ask<ClearedView>(options.socket, { path: "/v1/lockouts/clear", body: { lns } });
      await answer(context, options, cleared, (view) =>
        view.cleared.length === 0
          ? "none was locked out\n"
          : `${view.cleared.join(", ")}: calls go there again\n`,
      );
    });
  return new Command("lockout")
    .description("let LNSes be called again that were locked out")
    .addCommand(clear);
}

function reloadCommand(context: CommandContext, done: Done): Command {
  return command(context, "reload", "read the configuration file again, and go on with it")
    .option("--plan", "only tell what would change")
    .action(async (options: CommonOptions & { readonly plan?: true }) => {
      const { socket, plan = false } = options;
      const planned = await ask<ReloadView>(socket, { path: "/v1/reload", body: { plan: true } });
      if (plan || planned.changes.length === 0) return answer(context, options, planned, reloadScreen);
      if (options.json === undefined) await answer(context, options, planned, reloadScreen);
      const reloaded = await ask<ReloadView>(socket, { path: "/v1/reload", body: { plan: false } });
      await answer(context, options, reloaded, reloadedScreen);
      done(reloaded.problems.length === 0 ? EXIT_OK : EXIT_FAILED);
    });
}

/** Throws a UsageError unless exactly one is given. */
function one(
  given: Readonly<Record<string, string | number | undefined>>,
  name: string,
  example: string,
): void {
  const count = Object.values(given).filter((value) => value !== undefined).length;
  const names = Object.keys(given).map((each) => (each === "session" ? "a session" : `--${each}`));
  if (count !== 1)
    throw new UsageError(`${name} needs exactly one of ${names.join(", ")}, as in: ${example}`);
}
