import type { Logger } from "../base/logger.ts";
import type { CallErrors, ConnectSpeeds, L2tpOutput, LinkInfo } from "../l2tp/outputs.ts";

/** What a call's line runs at, in bit/s, as the LAC sees it. */
export interface CallSpeeds {
  readonly txConnectSpeed: number;
  readonly rxConnectSpeed: number;
}

/** What the ends of a call that stands tell each other: SLI, WEN, CSUN and CSURQ. */
export type CallReport =
  /** From LNS to LAC. */
  | { readonly kind: "link-info"; readonly info: LinkInfo }
  /** From LAC to LNS. */
  | { readonly kind: "wan-error"; readonly errors: CallErrors }
  /** From LAC to LNS. */
  | { readonly kind: "speeds-updated"; readonly speeds: CallSpeeds }
  /** From LNS to LAC. */
  | { readonly kind: "speeds-requested" };

export type ReportOutput = Extract<L2tpOutput, { readonly kind: CallReport["kind"] }>;

/** What there is of a call for the reports about it. */
interface ReportedCall {
  /** Returns whether it has been passed on. */
  readonly handler: { report(report: CallReport): boolean } | undefined;
  /** What we have told of its speeds. */
  readonly speeds: CallSpeeds | undefined;
}

/**
 * Tells calls what the other end of their tunnel says of them. What nobody behind us is told is of no use to us; to CSURQ
 * we answer by what we said last: that is returned.
 */
export function tellCalls(
  output: ReportOutput,
  callOf: (session: number) => ReportedCall | undefined,
  logger: Logger,
): readonly ConnectSpeeds[] | undefined {
  const { tunnel, kind } = output;
  const left = reportsIn(output).filter(({ session, report }) => !callOf(session)?.handler?.report(report));
  if (left.length === 0) return undefined;
  logger.debug({ tunnel, message: kind }, "L2TP: news of a line");
  if (kind !== "speeds-requested") return undefined;
  return left.flatMap(({ session }) => {
    const told = callOf(session)?.speeds;
    return told === undefined ? [] : [{ session, ...told }];
  });
}

/** A message's reports, each with the session that it is about. */
function reportsIn(output: ReportOutput): readonly { session: number; report: CallReport }[] {
  switch (output.kind) {
    case "link-info":
      return [{ session: output.session, report: { kind: output.kind, info: output.info } }];
    case "wan-error":
      return [{ session: output.session, report: { kind: output.kind, errors: output.errors } }];
    case "speeds-updated":
      return output.speeds.map(({ session, ...speeds }) => ({
        session,
        report: { kind: output.kind, speeds },
      }));
    case "speeds-requested":
      return output.sessions.map((session) => ({ session, report: { kind: output.kind } }));
  }
}
