import { counted, duration } from "../base/words.ts";
import type { CaptureLimits } from "../gateway/capture-request.ts";
import type { CaptureOrder, CaptureSubject } from "./capture-command.ts";
import { CaptureFlow, type CaptureOutcome, type CaptureSource } from "./capture-flow.ts";
import { type CaptureOutput, openCaptureOutput } from "./capture-output.ts";
import { DEFAULT_FILTER, InterfaceCapture } from "./interface-capture.ts";
import { quantity } from "./numbers-text.ts";
import { printable } from "./printable.ts";
import { type CommandContext, EXIT_FAILED } from "./process.ts";
import { SessionCapture } from "./session-capture.ts";
import { StopSignals } from "./stop-signals.ts";

/** Captures until a limit, a signal or the reader ends it. Resolves to whether it went well. */
export async function runCapture(
  { subject, limits, path }: CaptureOrder,
  context: CommandContext,
): Promise<boolean> {
  const say = (text: string): unknown => context.stderr.write(`${printable(text)}\n`);
  const stop = new StopSignals(context.signals, () => context.exitNow(EXIT_FAILED));
  try {
    const { source, output } = await open(subject, limits, path, context);
    say(beginning(subject, limits, output));
    const outcome = await new CaptureFlow(source, output).run(stop.signal);
    say(ending(outcome, output));
    // what a reader does not take would keep us
    if (!output.isOwn && output.stream.writableLength > 0) context.exitNow(EXIT_FAILED);
    return !outcome.failed;
  } finally {
    stop.dispose();
  }
}

/** No file is made when nothing can be captured. */
async function open(
  subject: CaptureSubject,
  limits: CaptureLimits,
  path: string,
  context: CommandContext,
): Promise<{ readonly source: CaptureSource; readonly output: CaptureOutput }> {
  if (path === "-")
    return { output: openCaptureOutput(path, context), source: await begin(subject, limits, context) };
  const source = await begin(subject, limits, context);
  try {
    return { source, output: openCaptureOutput(path, context) };
  } catch (error) {
    source.destroy();
    throw error;
  }
}

function begin(
  subject: CaptureSubject,
  limits: CaptureLimits,
  { version }: CommandContext,
): Promise<CaptureSource> {
  if ("session" in subject) {
    const { session, legs, socket } = subject;
    return SessionCapture.begin(socket, { ...limits, session, legs, version });
  }
  const { interface: name, filter = DEFAULT_FILTER } = subject;
  return InterfaceCapture.begin({ ...limits, interface: name, filter, application: `Lacewing ${version}` });
}

function beginning(
  subject: CaptureSubject,
  { frames, octets, seconds }: CaptureLimits,
  { name }: CaptureOutput,
): string {
  const what = "session" in subject ? `session ${subject.session}` : `interface ${subject.interface}`;
  const most = [
    ...(frames === undefined ? [] : [counted(frames, "frame")]),
    `${quantity(octets)}B`,
    duration(seconds),
  ];
  return `capturing ${what} to ${name}, at most ${most.join(" or ")}; Ctrl-C ends it. There may be passwords in it.`;
}

function ending({ tally, reason }: CaptureOutcome, { name }: CaptureOutput): string {
  const { packets, octets, dropped } = tally;
  const missed = dropped === 0 ? "" : `, ${counted(dropped, "frame")} more not kept`;
  return `${counted(packets, "frame")}, ${quantity(octets)}B to ${name}${missed}: ${reason}`;
}
