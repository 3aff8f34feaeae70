/**
 * Calls that wait for their ICRQ. It is built when the tunnel's window has room for it, not before: a
 * thousand calls that wait for a slow LNS take no memory for messages, ICCN and CDN go ahead of them, and one
 * that is given up meanwhile costs nothing on the wire.
 *
 * The time in the queue has a limit of its own, and the set-up is timed from the ICRQ on. Where more calls
 * come than the tunnel can take, the oldest leave without an ICRQ, and those whose ICRQ goes out still have
 * the time to get through: with one limit over both, every one would go out only to expire.
 */

import type { MessageOf } from "../wire/l2tp-messages.ts";
import { fifoPush, fifoShift } from "./fifo.ts";
import type { CallRequest, EndedSession } from "./outputs.ts";
import { setupDeadline, type Turn } from "./registry.ts";
import type { SessionState, TunnelState } from "./state.ts";

/** How far a session is that ends now. */
export function ended({ id, progress }: SessionState): EndedSession {
  const stage = progress.stage === "established" ? "connected" : "set-up";
  const unanswered = progress.stage === "wait-tunnel" || progress.stage === "wait-reply";
  return { session: id, stage, unanswered };
}

/**
 * Of a call's wait for its ICRQ. A host that authenticates by PAP gives up after 30 s (ten requests 3 s apart
 * are customary), and the rest of the set-up must fit before that.
 */
const QUEUE_TIMEOUT_MS = 20_000;

/** Makes a session of the LAC's side and queues its call; undefined when the tunnel has as many as it may. */
export function queueCall(
  turn: Turn,
  tunnel: TunnelState,
  maxSessions: number,
  call: CallRequest,
): SessionState | undefined {
  const deadline = turn.now + (turn.registry.config.queueTimeoutMs ?? QUEUE_TIMEOUT_MS);
  const session = turn.registry.addSession(tunnel, maxSessions, (id) => ({
    id,
    side: "lac",
    outgoing: false,
    speedUpdates: call.connectSpeedUpdate === true,
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
export function nextCall(turn: Turn, tunnel: TunnelState): MessageOf<"ICRQ"> | undefined {
  for (;;) {
    const id = fifoShift(tunnel.waitingCalls);
    if (id === undefined) return undefined;
    const session = tunnel.sessions[id];
    // it may have ended, and its id may even be a later call's, whose turn it then is
    if (session?.progress.stage !== "wait-tunnel") continue;
    const { connectSpeedUpdate, ...call } = session.progress.call;
    const deadline = setupDeadline(turn);
    session.progress = { stage: "wait-reply", deadline };
    turn.registry.scheduleSession(tunnel, session, deadline);
    return {
      kind: "ICRQ",
      assignedSessionId: id,
      ...call,
      ...(connectSpeedUpdate === true && { connectSpeedUpdateEnable: true as const }),
    };
  }
}
