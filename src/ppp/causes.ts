/** How the ends of links read in a log: what was sent, how often, and what came back. */

import type { DownCause } from "./link-types.ts";
import type { FinishReason } from "./negotiation.ts";

export function timeoutText(name: string, sent: string, times: number): string {
  return `${name}: ${sent} sent ${times} times without an acceptable answer`;
}

export function stuckText(name: string, refusals: number, by: "us" | "peer"): string {
  return by === "us"
    ? `${name}: the peer insists on options that we refused ${refusals} times`
    : `${name}: the peer refused our options ${refusals} times`;
}

/** Why LCP finished when nobody had decided that it should. */
export function lcpFinishCause(reason: FinishReason): DownCause {
  if (reason.kind === "terminated")
    return { kind: "peer-terminated", message: "", text: "the peer ended the link" };
  const { sent, times } = reason;
  return {
    kind: "configure-timeout",
    lastSent: `LCP ${sent}`,
    times,
    text: timeoutText("LCP", sent, times),
  };
}
