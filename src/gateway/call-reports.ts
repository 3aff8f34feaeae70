import type { CallErrors, L2tpOutput, LinkInfo } from "../l2tp/outputs.ts";

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

/** A message's reports, each with the session that it is about. */
export function reportsIn(output: ReportOutput): readonly { session: number; report: CallReport }[] {
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
