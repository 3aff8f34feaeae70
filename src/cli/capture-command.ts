import { Command, Option } from "commander";
import {
  CAPTURE_DEFAULTS,
  CAPTURE_LEGS,
  type CaptureLegs,
  type CaptureLimits,
} from "../gateway/capture-request.ts";
import { sessionId } from "./arguments.ts";
import { type FramesOrOctets, parseLimit, parseRate, parseSeconds, parseSnap } from "./capture-limits.ts";
import { type CommandContext, EXIT_FAILED, EXIT_OK, socketOption, UsageError } from "./process.ts";

interface CaptureOptions {
  readonly write: string;
  readonly access?: true;
  readonly tunnel?: true;
  readonly both?: true;
  readonly limit?: FramesOrOctets;
  readonly duration?: number;
  readonly rate?: number;
  readonly snap?: number;
  readonly interface?: string;
  readonly filter?: string;
  readonly socket: string;
}

/** What is captured: a session, over the gateway's socket, or an interface, without it. */
export type CaptureSubject =
  | { readonly session: string; readonly legs: CaptureLegs | undefined; readonly socket: string }
  | { readonly interface: string; readonly filter: string | undefined };

export interface CaptureOrder {
  readonly subject: CaptureSubject;
  readonly limits: CaptureLimits;
  /** A file, or "-". */
  readonly path: string;
}

/** `lacewing capture`; `done` is told the exit code. */
export function captureCommand(context: CommandContext, done: (code: number) => void): Command {
  return new Command("capture")
    .description("write the frames of a session, or of an interface, as a pcapng file, which Wireshark reads")
    .argument("[session]", "the session (s12)", sessionOrNumber)
    .requiredOption("-w, --write <file>", "a new file, for its owner's eyes only; - is standard output")
    .option("--access", "only where it calls from: PPPoE")
    .option("--tunnel", "only L2TP; of a tunnel switch, both tunnels")
    .option("--both", "two legs; without these three, all that there are")
    .addOption(
      new Option(
        "--limit <count>",
        "end after so many frames (1000) or octets (10MB), or give it twice; 64MiB when absent",
      ).argParser(parseLimit),
    )
    .option("--duration <time>", "end after this time (90s, 10m, 1h); 10m when absent", parseSeconds)
    .option(
      "--rate <octets>",
      "keep so many octets a second of each leg, a frame counts 128 more; 2MiB when absent",
      parseRate,
    )
    .option("--snap <octets>", "keep so many octets of each frame; all when absent", parseSnap)
    .option("--interface <name>", "an interface of this host, without the gateway")
    .option("--filter <expression>", "of an interface, in pcap-filter(7)'s words; PPPoE and L2TP when absent")
    .addOption(socketOption(context))
    .action(async (session: string | undefined, options: CaptureOptions) => {
      const { write: path, limit, duration, rate, snap } = options;
      const given = { ...limit, seconds: duration, rate, snap };
      const wanted = Object.entries(given).filter(([, value]) => value !== undefined);
      const limits: CaptureLimits = { ...CAPTURE_DEFAULTS, ...Object.fromEntries(wanted) };
      const order = { subject: subjectOf(session, options), limits, path };
      const { runCapture } = await import("./capture-run.ts");
      done((await runCapture(order, context)) ? EXIT_OK : EXIT_FAILED);
    });
}

/** Throws a UsageError when what is given does not go together. */
function subjectOf(session: string | undefined, options: CaptureOptions): CaptureSubject {
  const { interface: name, filter, socket } = options;
  const legs = CAPTURE_LEGS.filter((leg) => options[leg]);
  if (legs.length > 1) throw new UsageError(`capture takes one of --${CAPTURE_LEGS.join(", --")}`);
  if ((session === undefined) === (name === undefined))
    throw new UsageError("capture needs a session (s12) or --interface");
  if (session === undefined) {
    if (legs.length > 0) throw new UsageError(`an interface has no legs: --${legs[0]} goes with a session`);
    return { interface: name!, filter };
  }
  if (filter !== undefined) throw new UsageError("--filter goes with --interface");
  return { session, legs: legs[0], socket };
}

/** Its number alone will do. */
function sessionOrNumber(text: string): string {
  return sessionId(/^\d+$/.test(text) ? `s${text}` : text);
}
