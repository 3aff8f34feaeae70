/**
 * Calls that wait for their ICRQ. It is built when the tunnel's window has room for it, not before: a
 * thousand calls that wait for a slow LNS take no memory for messages, ICCN and CDN go ahead of them, and one
 * that is given up meanwhile costs nothing on the wire.
 */

import type { MessageOf } from "../wire/l2tp-messages.ts";
import { fifoPush, fifoShift } from "./fifo.ts";
import type { CallRequest, SessionStage } from "./outputs.ts";
import type { Turn } from "./registry.ts";
import type { SessionState, TunnelState } from "./state.ts";

/** Whether a session's ICCN has been sent or received. */
export function stageOf(session: SessionState): SessionStage {
  return session.progress.stage === "established" ? "connected" : "set-up";
}

/** Makes a session of the LAC's side and queues its call; undefined when the tunnel has as many as it may. */
export function queueCall(
  turn: Turn,
  tunnel: TunnelState,
  maxSessions: number,
  deadline: number,
  call: CallRequest,
): SessionState | undefined {
  const session = turn.registry.addSession(tunnel, maxSessions, (id) => ({
    id,
    side: "lac",
    callSerialNumber: call.callSerialNumber,
    remoteId: 0,
    progress: { stage: "wait-tunnel", deadline, call },
  }));
  if (session === undefined) return undefined;
  turn.registry.scheduleSession(tunnel, session, deadline);
  fifoPush(tunnel.waitingCalls, session.id);
  return session;
}

/** The ICRQ of the next call that still waits; the session goes on to wait-reply. */
export function nextCall(tunnel: TunnelState): MessageOf<"ICRQ"> | undefined {
  for (;;) {
    const id = fifoShift(tunnel.waitingCalls);
    if (id === undefined) return undefined;
    const session = tunnel.sessions[id];
    // it may have ended, and its id may even be a later call's, whose turn it then is
    if (session?.progress.stage !== "wait-tunnel") continue;
    const { call, deadline } = session.progress;
    session.progress = { stage: "wait-reply", deadline };
    return { kind: "ICRQ", assignedSessionId: id, ...call };
  }
}
