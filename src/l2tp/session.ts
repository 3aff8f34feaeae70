/**
 * The call machines (RFC 2661 §7.4, §7.5): one session from ICRQ to CDN, at the LAC and at the LNS, or from the
 * OCRQ that a LAC is sent. We ask for no outgoing calls ourselves.
 */

import { CDN_RESULT, GENERAL_ERROR, type ResultCode } from "../wire/l2tp-codes.ts";
import type { L2tpMessage, MessageKind, MessageOf, ParsedMessage } from "../wire/l2tp-messages.ts";
import { ended } from "./call-queue.ts";
import { connectionOf, iccnOf, occnOf } from "./call-values.ts";
import { onLineReport } from "./line-reports.ts";
import type { CallConnection, CallRequest, SessionCause } from "./outputs.ts";
import { setupDeadline, type Turn } from "./registry.ts";
import type { SessionProgress, SessionState, TunnelState } from "./state.ts";
import { send } from "./tunnel.ts";

type TunnelMessage = "SCCRQ" | "SCCRP" | "SCCCN" | "StopCCN" | "HELLO" | "CSUN" | "CSURQ";
type SessionMessage = Exclude<L2tpMessage, { kind: TunnelMessage }>;
type Reaction = "accepted" | "connected" | "ended" | "reported" | "out-of-place" | "nothing";

const IN_ANY_STATE = {
  CDN: "ended",
  WEN: "nothing",
  SLI: "nothing",
  OCRQ: "out-of-place",
  OCRP: "out-of-place",
  OCCN: "out-of-place",
} as const;

const NOTHING_FITS = {
  ...IN_ANY_STATE,
  ICRQ: "out-of-place",
  ICRP: "out-of-place",
  ICCN: "out-of-place",
} as const;

/** The peer has not heard of the call: what comes was meant for the one that had its id before. */
const NOTHING_MATTERS = {
  CDN: "nothing",
  WEN: "nothing",
  SLI: "nothing",
  OCRQ: "nothing",
  OCRP: "nothing",
  OCCN: "nothing",
  ICRQ: "nothing",
  ICRP: "nothing",
  ICCN: "nothing",
} as const;

/**
 * §7.4.1 and §7.4.2 for a session that exists, row by row. An ICRQ makes one in onNewCall(). One that names the
 * id of a call that stands ends that call and makes none: a CDN always comes before the reuse of its id, so the
 * peer has lost count, and our CDN under that id would end the new call anyway.
 */
const REACTIONS: Readonly<
  Record<SessionProgress["stage"], Readonly<Record<SessionMessage["kind"], Reaction>>>
> = {
  "wait-tunnel": NOTHING_MATTERS,
  "wait-reply": { ...NOTHING_FITS, ICRP: "accepted" },
  accepted: NOTHING_FITS,
  offered: NOTHING_FITS,
  "wait-connect": { ...NOTHING_FITS, ICCN: "connected" },
  established: { ...NOTHING_FITS, WEN: "reported", SLI: "reported" },
};

const ESTABLISHED: SessionProgress = { stage: "established" };

/** Takes one in-order message about a session; `sessionId` is the header's. */
export function onSessionMessage(
  turn: Turn,
  tunnel: TunnelState,
  sessionId: number,
  message: SessionMessage,
): void {
  const assigned = "assignedSessionId" in message ? message.assignedSessionId : undefined;
  const session = find(turn, tunnel, sessionId, message.kind, assigned);
  if (session === undefined) {
    onMessageForNoSession(turn, tunnel, message);
    return;
  }
  switch (REACTIONS[session.progress.stage][message.kind]) {
    case "accepted":
      onAccepted(turn, tunnel, session, message as MessageOf<"ICRP">);
      break;
    case "connected":
      session.progress = ESTABLISHED;
      turn.registry.unscheduleSession(tunnel, session);
      turn.out.push({
        kind: "call-connected",
        tunnel: tunnel.id,
        session: session.id,
        connection: connectionOf(message as MessageOf<"ICCN">),
      });
      break;
    case "ended":
      end(turn, tunnel, session, { by: "peer", ...codeOf(message as MessageOf<"CDN">) });
      break;
    case "reported":
      onLineReport(turn, tunnel, session, message as MessageOf<"WEN"> | MessageOf<"SLI">);
      break;
    case "out-of-place":
      closeSession(turn, tunnel, session, {
        result: CDN_RESULT.error,
        error: GENERAL_ERROR.sessionId,
        message: `${message.kind} in state ${session.progress.stage}`,
      });
      break;
    case "nothing":
      turn.registry.discard("unexpected");
      break;
  }
}

/**
 * Without a session id in the header the sender does not know ours yet, and names its own in the message. A call
 * is asked for by the sender's own in any case.
 */
function find(
  turn: Turn,
  tunnel: TunnelState,
  sessionId: number,
  kind: MessageKind,
  assignedSessionId: number | undefined,
): SessionState | undefined {
  const session = tunnel.sessions[sessionId];
  if (session !== undefined || assignedSessionId === undefined) return session;
  const isRequest = kind === "ICRQ" || kind === "OCRQ";
  if (!isRequest && (kind !== "CDN" || sessionId !== 0)) return undefined;
  return turn.registry.sessionPlacedByPeer(tunnel, assignedSessionId);
}

function onMessageForNoSession(turn: Turn, tunnel: TunnelState, message: SessionMessage): void {
  if (message.kind === "ICRQ") {
    const { kind: _, assignedSessionId, connectSpeedUpdateEnable, ...call } = message;
    const connectSpeedUpdate = connectSpeedUpdateEnable === true;
    const request = { ...call, ...(connectSpeedUpdate && { connectSpeedUpdate }) };
    onNewCall(turn, tunnel, assignedSessionId, request);
  } else if (message.kind !== "OCRQ") {
    // of a session that has ended here while the message was on its way
    turn.registry.discard("unexpected");
  } else if (turn.registry.peers.policyOf(tunnel.peerName).outgoingCalls) {
    const { kind: _, assignedSessionId, minimumBps, maximumBps, framingType, ...call } = message;
    onNewCall(turn, tunnel, assignedSessionId, {
      ...call,
      outgoing: { minimumBps, maximumBps, framingType },
    });
  } else {
    refuseCall(turn, tunnel, message.assignedSessionId, {
      result: CDN_RESULT.noFacilities,
      error: GENERAL_ERROR.none,
      message: "outgoing calls are not supported",
    });
  }
}

/** A call of the peer's: to us as LNS, or to us as LAC for a subscriber of ours. */
function onNewCall(turn: Turn, tunnel: TunnelState, remoteSessionId: number, call: CallRequest): void {
  if (remoteSessionId === 0) {
    turn.registry.discard("unexpected");
    return;
  }
  const { maxSessions } = turn.registry.peers.policyOf(tunnel.peerName);
  const deadline = setupDeadline(turn);
  const outgoing = call.outgoing !== undefined;
  const session = turn.registry.addSession(tunnel, maxSessions, (id) => ({
    id,
    side: outgoing ? "lac" : "lns",
    outgoing,
    speedUpdates: call.connectSpeedUpdate === true,
    callSerialNumber: call.callSerialNumber,
    remoteId: remoteSessionId,
    progress: { stage: "offered", deadline },
  }));
  if (session === undefined) {
    refuseCall(turn, tunnel, remoteSessionId, {
      result: CDN_RESULT.noFacilitiesNow,
      error: GENERAL_ERROR.none,
      message: "no session left",
    });
    return;
  }
  turn.registry.scheduleSession(tunnel, session, deadline);
  turn.out.push({
    kind: "call-offered",
    outgoing,
    tunnel: tunnel.id,
    session: session.id,
    remoteTunnelId: tunnel.remoteId,
    remoteSessionId,
    call,
  });
}

/** A CDN for a call that never became a session of ours. */
function refuseCall(turn: Turn, tunnel: TunnelState, remoteSessionId: number, code: ResultCode): void {
  const assignedSessionId = turn.registry.passingSessionId(tunnel);
  send(turn, tunnel, cdn(code, assignedSessionId), remoteSessionId);
}

function onAccepted(
  turn: Turn,
  tunnel: TunnelState,
  session: SessionState,
  message: MessageOf<"ICRP">,
): void {
  if (session.progress.stage !== "wait-reply") return;
  session.remoteId = message.assignedSessionId;
  if (session.remoteId === 0) {
    closeSession(turn, tunnel, session, {
      result: CDN_RESULT.error,
      error: GENERAL_ERROR.value,
      message: "Assigned Session ID is 0",
    });
    return;
  }
  session.progress = { stage: "accepted", deadline: session.progress.deadline };
  turn.out.push({
    kind: "call-accepted",
    tunnel: tunnel.id,
    session: session.id,
    remoteTunnelId: tunnel.remoteId,
    remoteSessionId: session.remoteId,
  });
}

/** Answers an offered call with ICRP, or an outgoing one with OCRP. Nothing happens in any other state. */
export function acceptCall(turn: Turn, tunnel: TunnelState, session: SessionState): void {
  if (session.progress.stage !== "offered") return;
  const { deadline } = session.progress;
  session.progress = { stage: session.outgoing ? "accepted" : "wait-connect", deadline };
  const kind = session.outgoing ? "OCRP" : "ICRP";
  send(turn, tunnel, { kind, assignedSessionId: session.id }, session.remoteId);
}

/** LAC: completes an accepted call with ICCN, or OCCN. Nothing happens in any other state. */
export function connectCall(
  turn: Turn,
  tunnel: TunnelState,
  session: SessionState,
  connection: CallConnection,
): void {
  if (session.progress.stage !== "accepted") return;
  session.progress = ESTABLISHED;
  turn.registry.unscheduleSession(tunnel, session);
  send(turn, tunnel, session.outgoing ? occnOf(connection) : iccnOf(connection), session.remoteId);
}

/** Ends a session with a CDN; a call whose ICRQ has not been sent ends without one. */
export function closeSession(
  turn: Turn,
  tunnel: TunnelState,
  session: SessionState,
  code: ResultCode,
  cause?: SessionCause,
): void {
  const told = session.progress.stage !== "wait-tunnel";
  end(turn, tunnel, session, cause ?? { by: told ? "us" : "unplaced", ...code });
  if (told) send(turn, tunnel, cdn(code, session.id), session.remoteId);
}

function cdn({ disconnect, ...resultCode }: ResultCode, assignedSessionId: number): MessageOf<"CDN"> {
  return {
    kind: "CDN",
    resultCode,
    assignedSessionId,
    ...(disconnect !== undefined && { pppDisconnectCause: disconnect }),
  };
}

function codeOf({ resultCode, pppDisconnectCause }: MessageOf<"CDN">): ResultCode {
  return { ...resultCode, ...(pppDisconnectCause !== undefined && { disconnect: pppDisconnectCause }) };
}

function end(turn: Turn, tunnel: TunnelState, session: SessionState, cause: SessionCause): void {
  turn.registry.removeSession(tunnel, session);
  turn.out.push({ kind: "session-down", tunnel: tunnel.id, cause, ...ended(session) });
}

/** A message about a session that must not be put up with ends the session (§4.1). */
export function onRefusedSessionMessage(
  turn: Turn,
  tunnel: TunnelState,
  sessionId: number,
  refused: Extract<ParsedMessage, { outcome: "refused" }>,
): void {
  const code = { result: CDN_RESULT.error, error: refused.error, message: refused.text };
  const assigned = refused.assignedSessionId ?? 0;
  const session = find(turn, tunnel, sessionId, refused.kind, assigned);
  if (session?.progress.stage === "wait-tunnel") {
    turn.registry.discard("unexpected");
  } else if (session !== undefined) {
    // a refused ICRP: the CDN must find the call that it would have made
    if (session.remoteId === 0) session.remoteId = assigned;
    if (refused.kind === "CDN") end(turn, tunnel, session, { by: "peer", ...code });
    else closeSession(turn, tunnel, session, code);
  } else if (assigned !== 0 && (refused.kind === "ICRQ" || refused.kind === "OCRQ")) {
    refuseCall(turn, tunnel, assigned, code);
  } else {
    turn.registry.discard("unexpected");
  }
}

/** Ends a session whose set-up has taken too long. */
export function onSessionDeadline(turn: Turn, tunnel: TunnelState, session: SessionState): void {
  const { stage } = session.progress;
  if (stage === "established" || turn.now < session.progress.deadline) return;
  const silence = {
    "wait-tunnel": {
      sent: "nothing",
      waitedFor: tunnel.progress.phase === "established" ? "room in the tunnel" : "tunnel",
    },
    "wait-reply": { sent: "ICRQ", waitedFor: "ICRP" },
    accepted: { sent: session.outgoing ? "OCRP" : "ICRQ", waitedFor: "decision of ours" },
    offered: { sent: "nothing", waitedFor: "decision of ours" },
    "wait-connect": { sent: "ICRP", waitedFor: "ICCN" },
  }[stage];
  const code = {
    result: CDN_RESULT.notEstablishedInTime,
    error: GENERAL_ERROR.none,
    message: `no ${silence.waitedFor} in time`,
  };
  closeSession(turn, tunnel, session, code, {
    by: "timeout",
    ...silence,
    times: silence.sent === "nothing" ? 0 : 1,
    silentMs: tunnel.lastHeard === null ? null : turn.now - tunnel.lastHeard,
  });
}
