/** The incoming call machines of LAC and LNS (RFC 2661 §7.4): one session from ICRQ to CDN. */

import { CDN_RESULT, GENERAL_ERROR, type ResultCode } from "../wire/l2tp-codes.ts";
import type { L2tpMessage, MessageOf, ParsedMessage } from "../wire/l2tp-messages.ts";
import { stageOf } from "./call-queue.ts";
import type { CallConnection, ProxyAuth, ProxyLcp, SessionCause } from "./outputs.ts";
import { setupDeadline, type Turn } from "./registry.ts";
import type { SessionProgress, SessionState, TunnelState } from "./state.ts";
import { send } from "./tunnel.ts";

type SessionMessage = Exclude<L2tpMessage, { kind: "SCCRQ" | "SCCRP" | "SCCCN" | "StopCCN" | "HELLO" }>;
type Reaction = "accepted" | "connected" | "ended" | "out-of-place" | "nothing";

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

/**
 * §7.4.1 and §7.4.2 for a session that exists, row by row. An ICRQ makes one in onNewCall(). One that names the
 * id of a call that stands ends that call and makes none: a CDN always comes before the reuse of its id, so the
 * peer has lost count, and our CDN under that id would end the new call anyway.
 */
const REACTIONS: Readonly<
  Record<SessionProgress["stage"], Readonly<Record<SessionMessage["kind"], Reaction>>>
> = {
  "wait-tunnel": NOTHING_FITS,
  "wait-reply": { ...NOTHING_FITS, ICRP: "accepted" },
  accepted: NOTHING_FITS,
  offered: NOTHING_FITS,
  "wait-connect": { ...NOTHING_FITS, ICCN: "connected" },
  established: NOTHING_FITS,
};

/** Takes one in-order message about a session; `sessionId` is the header's. */
export function onSessionMessage(
  turn: Turn,
  tunnel: TunnelState,
  sessionId: number,
  message: SessionMessage,
): void {
  const session = find(turn, tunnel, sessionId, message);
  if (session === undefined) {
    onMessageForNoSession(turn, tunnel, message);
    return;
  }
  switch (REACTIONS[session.progress.stage][message.kind]) {
    case "accepted":
      onAccepted(turn, tunnel, session, message as MessageOf<"ICRP">);
      break;
    case "connected":
      session.progress = { stage: "established" };
      turn.registry.unscheduleSession(tunnel, session);
      turn.out.push({
        kind: "call-connected",
        tunnel: tunnel.id,
        session: session.id,
        connection: connectionOf(message as MessageOf<"ICCN">),
      });
      break;
    case "ended":
      end(turn, tunnel, session, { by: "peer", ...(message as MessageOf<"CDN">).resultCode });
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

/** A header without a session id: the sender does not know ours yet, and names its own in the message. */
function find(
  turn: Turn,
  tunnel: TunnelState,
  sessionId: number,
  message: SessionMessage,
): SessionState | undefined {
  if (sessionId !== 0) return tunnel.sessions[sessionId];
  if (message.kind !== "CDN" && message.kind !== "ICRQ") return undefined;
  return turn.registry.sessionPlacedByPeer(tunnel, message.assignedSessionId);
}

function onMessageForNoSession(turn: Turn, tunnel: TunnelState, message: SessionMessage): void {
  if (message.kind === "ICRQ") {
    onNewCall(turn, tunnel, message);
  } else if (message.kind === "OCRQ") {
    refuseCall(turn, tunnel, message.assignedSessionId, {
      result: CDN_RESULT.noFacilities,
      error: GENERAL_ERROR.none,
      message: "outgoing calls are not supported",
    });
  } else {
    // of a session that has ended here while the message was on its way
    turn.registry.discard("unexpected");
  }
}

function onNewCall(turn: Turn, tunnel: TunnelState, message: MessageOf<"ICRQ">): void {
  const { kind: _, assignedSessionId, ...call } = message;
  if (assignedSessionId === 0) {
    turn.registry.discard("unexpected");
    return;
  }
  const { maxSessions } = turn.registry.peers.policyOf(tunnel.peerName);
  const deadline = setupDeadline(turn);
  const session = turn.registry.addSession(tunnel, maxSessions, (id) => ({
    id,
    side: "lns",
    callSerialNumber: call.callSerialNumber,
    remoteId: assignedSessionId,
    progress: { stage: "offered", deadline },
  }));
  if (session === undefined) {
    refuseCall(turn, tunnel, assignedSessionId, {
      result: CDN_RESULT.noFacilitiesNow,
      error: GENERAL_ERROR.none,
      message: "no session left",
    });
    return;
  }
  turn.registry.scheduleSession(tunnel, session, deadline);
  turn.out.push({
    kind: "call-offered",
    outgoing: false,
    tunnel: tunnel.id,
    session: session.id,
    remoteTunnelId: tunnel.remoteId,
    remoteSessionId: assignedSessionId,
    call,
  });
}

/** A CDN for a call that never became a session of ours. */
function refuseCall(turn: Turn, tunnel: TunnelState, remoteSessionId: number, code: ResultCode): void {
  const assignedSessionId = turn.registry.passingSessionId(tunnel);
  send(turn, tunnel, { kind: "CDN", resultCode: code, assignedSessionId }, remoteSessionId);
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

/** LNS: answers an offered call with ICRP. Nothing happens in any other state. */
export function acceptCall(turn: Turn, tunnel: TunnelState, session: SessionState): void {
  if (session.progress.stage !== "offered") return;
  session.progress = { stage: "wait-connect", deadline: session.progress.deadline };
  send(turn, tunnel, { kind: "ICRP", assignedSessionId: session.id }, session.remoteId);
}

/** LAC: completes an accepted call with ICCN. Nothing happens in any other state. */
export function connectCall(
  turn: Turn,
  tunnel: TunnelState,
  session: SessionState,
  connection: CallConnection,
): void {
  if (session.progress.stage !== "accepted") return;
  session.progress = { stage: "established" };
  turn.registry.unscheduleSession(tunnel, session);
  send(turn, tunnel, iccn(connection), session.remoteId);
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
  end(turn, tunnel, session, cause ?? { by: "us", ...code });
  if (told)
    send(turn, tunnel, { kind: "CDN", resultCode: code, assignedSessionId: session.id }, session.remoteId);
}

function end(turn: Turn, tunnel: TunnelState, session: SessionState, cause: SessionCause): void {
  const stage = stageOf(session);
  turn.registry.removeSession(tunnel, session);
  turn.out.push({ kind: "session-down", tunnel: tunnel.id, session: session.id, stage, cause });
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
  const session =
    sessionId === 0 ? turn.registry.sessionPlacedByPeer(tunnel, assigned) : tunnel.sessions[sessionId];
  if (session !== undefined) {
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
    accepted: { sent: "ICRQ", waitedFor: "decision of ours" },
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

/** Connect speeds have 32 bits and saturate. */
function bitsPerSecond(speed: number): number {
  return Math.max(0, Math.min(Math.floor(speed), 0xffff_ffff));
}

function iccn(c: CallConnection): MessageOf<"ICCN"> {
  const { proxyLcp: lcp, proxyAuth: auth } = c;
  return {
    kind: "ICCN",
    txConnectSpeed: bitsPerSecond(c.txConnectSpeed),
    framingType: c.framingType,
    ...(c.rxConnectSpeed !== undefined && { rxConnectSpeed: bitsPerSecond(c.rxConnectSpeed) }),
    ...(lcp?.initialReceived !== undefined && { initialReceivedLcp: lcp.initialReceived }),
    ...(lcp?.lastSent !== undefined && { lastSentLcp: lcp.lastSent }),
    ...(lcp?.lastReceived !== undefined && { lastReceivedLcp: lcp.lastReceived }),
    ...(auth !== undefined && { proxyAuthenType: auth.type }),
    ...(auth?.name !== undefined && { proxyAuthenName: auth.name }),
    ...(auth?.challenge !== undefined && { proxyAuthenChallenge: auth.challenge }),
    ...(auth?.id !== undefined && { proxyAuthenId: auth.id & 0xff }),
    ...(auth?.response !== undefined && { proxyAuthenResponse: auth.response }),
    ...(c.privateGroupId !== undefined && { privateGroupId: c.privateGroupId }),
    ...(c.sequencingRequired === true && { sequencingRequired: true as const }),
  };
}

function connectionOf(m: MessageOf<"ICCN">): CallConnection {
  const proxyLcp: ProxyLcp = {
    ...(m.initialReceivedLcp !== undefined && { initialReceived: m.initialReceivedLcp }),
    ...(m.lastSentLcp !== undefined && { lastSent: m.lastSentLcp }),
    ...(m.lastReceivedLcp !== undefined && { lastReceived: m.lastReceivedLcp }),
  };
  const proxyAuth: ProxyAuth | undefined =
    m.proxyAuthenType === undefined
      ? undefined
      : {
          type: m.proxyAuthenType,
          ...(m.proxyAuthenName !== undefined && { name: m.proxyAuthenName }),
          ...(m.proxyAuthenChallenge !== undefined && { challenge: m.proxyAuthenChallenge }),
          ...(m.proxyAuthenId !== undefined && { id: m.proxyAuthenId & 0xff }),
          ...(m.proxyAuthenResponse !== undefined && { response: m.proxyAuthenResponse }),
        };
  return {
    txConnectSpeed: m.txConnectSpeed,
    framingType: m.framingType,
    ...(m.rxConnectSpeed !== undefined && { rxConnectSpeed: m.rxConnectSpeed }),
    ...(Object.keys(proxyLcp).length > 0 && { proxyLcp }),
    ...(proxyAuth !== undefined && { proxyAuth }),
    ...(m.privateGroupId !== undefined && { privateGroupId: m.privateGroupId }),
    ...(m.sequencingRequired === true && { sequencingRequired: true }),
  };
}
