import { describeCause, type L2tpOutput } from "../l2tp/outputs.ts";
import { STOPCCN_RESULT } from "../wire/l2tp-codes.ts";

export type TunnelDown = Extract<L2tpOutput, { kind: "tunnel-down" }>;

/** Whether the end of a tunnel, which we did not want, says that its peer is not to be called for a while. */
export function isPeersFault({ wasUp, cause, sessions }: TunnelDown): boolean {
  // its next tunnel is there already, or on its way
  if (cause.by === "replaced" || cause.by === "tie-breaker") return false;
  // who clears a tunnel that nobody uses is only tidy; an ICRQ may be on its way to him
  const tidy = cause.by === "peer" && cause.result === STOPCCN_RESULT.general;
  return !(wasUp && tidy && sessions.every(({ unanswered }) => unanswered));
}

/** Whom we have refused a tunnel, and why. */
export function refusalFields({
  from,
  peerHostName: hostName,
  cause,
}: Extract<L2tpOutput, { kind: "tunnel-refused" }>) {
  const reason = describeCause("StopCCN", { by: "us", ...cause });
  return { address: from.address, port: from.port, hostName, reason };
}
