/** The control connection machine (RFC 2661 §7.2): one tunnel from SCCRQ to StopCCN. */

import { timingSafeEqual } from "node:crypto";
import { type Instant, NEVER } from "../base/time.ts";
import { GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import { L2TP_CONTROL_HEADER_BYTES } from "../wire/l2tp-control-header.ts";
import { challengeResponse } from "../wire/l2tp-hiding.ts";
import type { Hiding } from "../wire/l2tp-message-writer.ts";
import { emitMessage, type L2tpMessage, MESSAGES, type MessageOf } from "../wire/l2tp-messages.ts";
import { ended, nextCall } from "./call-queue.ts";
import type { L2tpAddress, L2tpEndpointConfig, PeerPolicy } from "./config.ts";
import { fifoLength } from "./fifo.ts";
import type { EndedSession, TunnelCause, Unanswered } from "./outputs.ts";
import type { Turn } from "./registry.ts";
import type { TunnelProgress, TunnelState } from "./state.ts";
import {
  DEFAULT_PEER_WINDOW,
  dropQueued,
  enqueue,
  enqueueUrgent,
  expire,
  flush,
  hasRoom,
  isQuiet,
  noteWaiting,
  oldestUnacked,
  setPeerWindow,
  stopSending,
} from "./transport.ts";

/** Version 1, revision 0 (§4.4.3). */
const PROTOCOL_VERSION = 0x0100;
export const CHALLENGE_BYTES = 16;
const RANDOM_VECTOR_BYTES = 16;
const PADDING_BYTES = 32;
/** Fewer are lost on their way every day; with 1 s doubling the second leaves 3 s after the message itself. */
const TELLING_RETRANSMISSIONS = 2;
/** What is sent into a tunnel that has been silent for so long has a HELLO follow: where somebody is, something comes back. */
const ONE_SIDED_MS = 10_000;

/** Synchronous and asynchronous framing, digital and analog bearers: what we carry is Ethernet's, and no peer minds. */
const FRAMING_CAPABILITIES = 3;
const BEARER_CAPABILITIES = 3;
const DEFAULT_FIRMWARE_REVISION = 0x0100;

type ControlKind = "SCCRQ" | "SCCRP" | "SCCCN" | "StopCCN" | "HELLO";
type ControlMessage = Extract<L2tpMessage, { kind: ControlKind }>;
type Reaction = "reply" | "connected" | "stopped" | "out-of-place" | "late-reply" | "late-stop" | "nothing";

/** §7.2.1 for a tunnel that exists, row by row. What begins one is in opening.ts. */
const REACTIONS: Readonly<Record<TunnelProgress["phase"], Readonly<Record<ControlKind, Reaction>>>> = {
  "wait-ctl-reply": {
    SCCRQ: "out-of-place",
    SCCRP: "reply",
    SCCCN: "out-of-place",
    StopCCN: "stopped",
    HELLO: "nothing",
  },
  "wait-ctl-conn": {
    SCCRQ: "out-of-place",
    SCCRP: "out-of-place",
    SCCCN: "connected",
    StopCCN: "stopped",
    HELLO: "nothing",
  },
  established: {
    SCCRQ: "out-of-place",
    SCCRP: "out-of-place",
    SCCCN: "out-of-place",
    StopCCN: "stopped",
    HELLO: "nothing",
  },
  closing: {
    SCCRQ: "nothing",
    SCCRP: "late-reply",
    SCCCN: "nothing",
    StopCCN: "late-stop",
    HELLO: "nothing",
  },
};

/** Takes one in-order control connection message. */
export function onControlMessage(
  turn: Turn,
  tunnel: TunnelState,
  message: ControlMessage,
  from: L2tpAddress,
): void {
  switch (REACTIONS[tunnel.progress.phase][message.kind]) {
    case "reply":
      onReply(turn, tunnel, message as MessageOf<"SCCRP">, from);
      break;
    case "connected":
      onConnected(turn, tunnel, message as MessageOf<"SCCCN">);
      break;
    case "stopped":
      // where it answers our SCCRQ, its acknowledgement must find the peer's tunnel
      meet(tunnel, (message as MessageOf<"StopCCN">).assignedTunnelId, from);
      stoppedByPeer(turn, tunnel, (message as MessageOf<"StopCCN">).resultCode);
      break;
    case "out-of-place":
      closeTunnel(turn, tunnel, {
        result: STOPCCN_RESULT.stateMachine,
        error: GENERAL_ERROR.none,
        message: `${message.kind} in state ${tunnel.progress.phase}`,
      });
      break;
    case "late-reply":
      onLateReply(turn, tunnel, message as MessageOf<"SCCRP">, from);
      break;
    case "late-stop":
      // it crossed ours, which could not name the peer's tunnel
      meet(tunnel, (message as MessageOf<"StopCCN">).assignedTunnelId, from);
      break;
    case "nothing":
      break;
  }
}

/**
 * Learns the peer's tunnel and where it is from the first answer that names them, whatever it says: also a
 * refusal is acknowledged to the tunnel that sent it (§5.8), which may be at another port than was called (§8.1).
 */
export function meet(tunnel: TunnelState, assignedTunnelId: number | undefined, from: L2tpAddress): void {
  if (tunnel.remoteId !== 0 || assignedTunnelId === undefined) return;
  tunnel.remoteId = assignedTunnelId;
  tunnel.remote = from;
}

/** We had given up before the peer answered: now our StopCCN can name the peer's tunnel. */
function onLateReply(turn: Turn, tunnel: TunnelState, message: MessageOf<"SCCRP">, from: L2tpAddress): void {
  const met = tunnel.remoteId !== 0;
  meet(tunnel, message.assignedTunnelId, from);
  // nobody was told when our SCCRQ remained unanswered
  if (!met && isQuiet(tunnel.transport))
    sendStop(turn, tunnel, {
      result: STOPCCN_RESULT.general,
      error: GENERAL_ERROR.none,
      message: "SCCRP came too late",
    });
}

function policyOf(turn: Turn, tunnel: TunnelState): PeerPolicy {
  return turn.registry.policyFor(tunnel);
}

/** The attributes that SCCRQ and SCCRP have in common. */
export function greeting(
  config: L2tpEndpointConfig,
  policy: PeerPolicy,
  tunnelId: number,
  challenge: Uint8Array | null,
) {
  return {
    protocolVersion: PROTOCOL_VERSION,
    framingCapabilities: FRAMING_CAPABILITIES,
    bearerCapabilities: BEARER_CAPABILITIES,
    hostName: policy.localHostName,
    assignedTunnelId: tunnelId,
    receiveWindowSize: policy.receiveWindow,
    firmwareRevision: config.firmwareRevision ?? DEFAULT_FIRMWARE_REVISION,
    vendorName: config.vendorName ?? "Lacewing",
    ...(challenge !== null && { challenge }),
  };
}

/** Why a peer's SCCRQ or SCCRP is not acceptable, or undefined. */
export function objection(
  message: MessageOf<"SCCRQ"> | MessageOf<"SCCRP">,
  policy: PeerPolicy,
): ResultCode | undefined {
  if (message.protocolVersion >> 8 !== PROTOCOL_VERSION >> 8)
    return { result: STOPCCN_RESULT.version, error: PROTOCOL_VERSION };
  if (message.assignedTunnelId === 0)
    return { result: STOPCCN_RESULT.error, error: GENERAL_ERROR.value, message: "Assigned Tunnel ID is 0" };
  if (policy.hostName !== undefined && message.hostName !== policy.hostName)
    return notAuthorized(`Host Name is "${message.hostName}"`);
  if (message.challenge !== undefined && policy.secret === undefined)
    return notAuthorized("no secret to answer the challenge with");
  return undefined;
}

function notAuthorized(message: string): ResultCode {
  return { result: STOPCCN_RESULT.notAuthorized, error: GENERAL_ERROR.none, message };
}

/** Whether the peer has shown that it knows the secret; it need not when we did not ask. */
function isAuthentic(
  policy: PeerPolicy,
  messageType: 2 | 3,
  challenge: Uint8Array | null,
  response: Uint8Array | undefined,
): boolean {
  if (challenge === null) return true;
  if (policy.secret === undefined || response === undefined) return false;
  // both have 16 octets: the codec has seen to it
  return timingSafeEqual(response, challengeResponse(messageType, policy.secret, challenge));
}

function onReply(turn: Turn, tunnel: TunnelState, message: MessageOf<"SCCRP">, from: L2tpAddress): void {
  if (tunnel.progress.phase !== "wait-ctl-reply") return;
  const policy = policyOf(turn, tunnel);
  const { challenge } = tunnel.progress;
  tunnel.remote = from;
  tunnel.remoteId = message.assignedTunnelId;
  tunnel.remoteHostName = message.hostName;
  tunnel.remoteVendorName = message.vendorName ?? null;
  const refusal =
    objection(message, policy) ??
    (isAuthentic(policy, 2, challenge, message.challengeResponse)
      ? undefined
      : notAuthorized("tunnel authentication failed"));
  if (refusal !== undefined) {
    closeTunnel(turn, tunnel, refusal);
    return;
  }
  setPeerWindow(tunnel.transport, message.receiveWindowSize ?? DEFAULT_PEER_WINDOW);
  tunnel.progress = { phase: "established" };
  const response =
    message.challenge !== undefined && policy.secret !== undefined
      ? { challengeResponse: challengeResponse(3, policy.secret, message.challenge) }
      : {};
  send(turn, tunnel, { kind: "SCCCN", ...response });
  tellUp(turn, tunnel);
}

function onConnected(turn: Turn, tunnel: TunnelState, message: MessageOf<"SCCCN">): void {
  if (tunnel.progress.phase !== "wait-ctl-conn") return;
  const { challenge } = tunnel.progress;
  if (!isAuthentic(policyOf(turn, tunnel), 3, challenge, message.challengeResponse)) {
    closeTunnel(turn, tunnel, notAuthorized("tunnel authentication failed"));
    return;
  }
  tunnel.progress = { phase: "established" };
  // only now has the peer proved itself, so only now does its older tunnel give way, and no other peer's
  const replaced = turn.registry.standingBehind(tunnel);
  if (replaced?.peerName === tunnel.peerName) dropTunnel(turn, replaced, { by: "replaced" });
  yieldTo(turn, tunnel);
  tellUp(turn, tunnel);
}

/** The peer has proved itself: our own SCCRQs to it are given up whose tie breakers lose against its (§4.4.3). */
function yieldTo(turn: Turn, winner: TunnelState): void {
  if (winner.tieBreaker === null) return;
  for (const tunnel of turn.registry.tunnelsOpenedTo(winner.peerName)) {
    if (tunnel.progress.phase !== "wait-ctl-reply") continue;
    if (compareTies(winner.tieBreaker, tunnel.tieBreaker) === "first")
      dropTunnel(turn, tunnel, { by: "tie-breaker" });
  }
}

/** Which of two SCCRQs that cross wins: the lower value, or the one that has a value; "none" when neither has. */
export function compareTies(
  a: Uint8Array | null,
  b: Uint8Array | null,
): "first" | "second" | "equal" | "none" {
  if (a === null && b === null) return "none";
  if (b === null) return "first";
  if (a === null) return "second";
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! < b[i]! ? "first" : "second";
  return "equal";
}

function tellUp(turn: Turn, tunnel: TunnelState): void {
  turn.out.push({
    kind: "tunnel-up",
    tunnel: tunnel.id,
    remoteTunnelId: tunnel.remoteId,
    peerName: tunnel.peerName,
    peerHostName: tunnel.remoteHostName,
    peerVendorName: tunnel.remoteVendorName ?? undefined,
    initiator: tunnel.initiator,
    remote: tunnel.remote,
  });
}

/**
 * Queues a message, hidden as the peer's policy or its sender says; settle() sends it. Only messages about calls are hidden:
 * the others say nothing that is worth it, and there are peers (xl2tpd) that know which secret to open them
 * with only when the tunnel is up.
 */
export function send(turn: Turn, tunnel: TunnelState, message: L2tpMessage, sessionId = 0): void {
  const { secret, hideAvps } = policyOf(turn, tunnel);
  const isSecret = (message.kind === "ICRQ" || message.kind === "ICCN") && message.hide === true;
  const hides = isSecret || (hideAvps && MESSAGES[message.kind].scope === "session");
  const hiding = hides && secret !== undefined ? newHiding(turn, secret) : undefined;
  const datagram = emitMessage(message, hiding, L2TP_CONTROL_HEADER_BYTES);
  const outgoing = { label: message.kind, sessionId, datagram };
  if (message.kind === "StopCCN" || message.kind === "HELLO") enqueueUrgent(tunnel.transport, outgoing);
  else if (!enqueue(tunnel.transport, outgoing)) {
    closeTunnel(turn, tunnel, {
      result: STOPCCN_RESULT.error,
      error: GENERAL_ERROR.resources,
      message: "too many unacknowledged messages",
    });
  }
}

/** With padding: the length of a hidden value is nobody's business, either (§4.3). */
function newHiding(turn: Turn, secret: Uint8Array): Hiding {
  const random = turn.random.bytes(RANDOM_VECTOR_BYTES + PADDING_BYTES);
  return {
    secret,
    randomVector: random.subarray(0, RANDOM_VECTOR_BYTES),
    padding: random.subarray(RANDOM_VECTOR_BYTES),
  };
}

/** Ends a tunnel with a StopCCN; `cause` when it is not the StopCCN itself. */
export function closeTunnel(turn: Turn, tunnel: TunnelState, code: ResultCode, cause?: TunnelCause): void {
  if (tunnel.progress.phase === "closing") return;
  tellDown(turn, tunnel, cause ?? { by: "us", ...code });
  dropQueued(tunnel.transport);
  tunnel.progress = closing(turn, tunnel);
  sendStop(turn, tunnel, code);
}

function sendStop(turn: Turn, tunnel: TunnelState, resultCode: ResultCode): void {
  send(turn, tunnel, { kind: "StopCCN", assignedTunnelId: tunnel.id, resultCode });
}

/** Ends a tunnel that the peer has stopped; its acknowledgement may have to be repeated. */
export function stoppedByPeer(turn: Turn, tunnel: TunnelState, code: ResultCode): void {
  closeQuietly(turn, tunnel, { by: "peer", ...code });
}

/** Ends a tunnel and says nothing more in it but answers to what still comes. */
function closeQuietly(turn: Turn, tunnel: TunnelState, cause: TunnelCause): void {
  if (tunnel.progress.phase === "closing") return;
  tellDown(turn, tunnel, cause);
  stopSending(tunnel.transport);
  tunnel.progress = closing(turn, tunnel);
}

function closing(turn: Turn, tunnel: TunnelState): TunnelProgress {
  const until = turn.now + policyOf(turn, tunnel).closedTunnelMs;
  return { phase: "closing", until, wasUp: tunnel.progress.phase === "established" };
}

/** Ends a tunnel without a word to the peer, who is not there or knows. */
export function dropTunnel(turn: Turn, tunnel: TunnelState, cause: TunnelCause): void {
  if (tunnel.progress.phase !== "closing") tellDown(turn, tunnel, cause);
  turn.registry.removeTunnel(tunnel);
}

function tellDown(turn: Turn, tunnel: TunnelState, cause: TunnelCause): void {
  const sessions: EndedSession[] = [];
  for (const session of Object.values(tunnel.sessions)) {
    sessions.push(ended(session));
    turn.registry.removeSession(tunnel, session);
  }
  const wasUp = tunnel.progress.phase === "established";
  turn.out.push({
    kind: "tunnel-down",
    tunnel: tunnel.id,
    peerName: tunnel.peerName,
    wasUp,
    cause,
    sessions,
  });
}

/** After every input: sends what may be sent, and sets the tunnel's next deadline. */
export function settle(turn: Turn, tunnel: TunnelState): void {
  if (turn.registry.tunnel(tunnel.id) !== tunnel) return;
  while (tunnel.progress.phase === "established" && hasRoom(tunnel.transport)) {
    const request = nextCall(turn, tunnel);
    if (request === undefined) break;
    send(turn, tunnel, request);
  }
  const { counters } = turn.registry.state;
  for (const datagram of flush(tunnel.transport, turn.now, tunnel.remoteId, counters))
    turn.out.push({ kind: "send", tunnel: tunnel.id, to: tunnel.remote, datagram });
  noteWaiting(tunnel.transport, fifoLength(tunnel.waitingCalls) > 0);
  turn.registry.scheduleTunnel(tunnel, tunnelDeadline(tunnel, policyOf(turn, tunnel)));
}

function tunnelDeadline(tunnel: TunnelState, policy: PeerPolicy): Instant {
  const { transport, progress } = tunnel;
  const transportAt = Math.min(transport.retransmitAt, transport.ackDueAt);
  switch (progress.phase) {
    case "wait-ctl-reply":
    case "wait-ctl-conn":
      return Math.min(transportAt, progress.deadline);
    case "established":
      return Math.min(transportAt, helloAt(tunnel, policy.helloIntervalMs));
    case "closing":
      return Math.min(transportAt, progress.until);
  }
}

/** What is unacknowledged tests the path as well as a HELLO would. */
function helloAt(tunnel: TunnelState, silenceMs: number): Instant {
  if (!isQuiet(tunnel.transport)) return NEVER;
  const heard = Math.max(tunnel.lastHeard ?? tunnel.createdAt, tunnel.lastTraffic ?? tunnel.createdAt);
  return heard + silenceMs;
}

/** Data leaves in the tunnel, and none comes: a peer that says nothing, either, is asked before the interval is over. */
export function onOneSided(turn: Turn, tunnel: TunnelState): void {
  const silenceMs = Math.min(policyOf(turn, tunnel).helloIntervalMs, ONE_SIDED_MS);
  if (tunnel.progress.phase === "established" && turn.now >= helloAt(tunnel, silenceMs))
    send(turn, tunnel, { kind: "HELLO" });
}

/** To be called after every acknowledgement. */
export function onAcknowledgement(turn: Turn, tunnel: TunnelState): void {
  const { id, peerName, unansweredSince, transport } = tunnel;
  if (unansweredSince === null || transport.retransmissions > 0) return;
  tunnel.unansweredSince = null;
  if (tunnel.progress.phase === "established")
    turn.out.push({ kind: "tunnel-answered", tunnel: id, peerName, afterMs: turn.now - unansweredSince });
}

/** Does what is due for the tunnel itself; harmless when nothing is. */
export function onTunnelDeadline(turn: Turn, tunnel: TunnelState): void {
  const policy = policyOf(turn, tunnel);
  const { transport, progress } = tunnel;
  if (progress.phase === "closing" && turn.now >= progress.until) {
    turn.registry.removeTunnel(tunnel);
    return;
  }
  if (turn.now >= transport.retransmitAt) {
    const label = oldestUnacked(transport)?.label;
    const limit = label === "SCCRQ" ? policy.sccrqRetransmissions : policy.retransmissions;
    if (expire(transport, turn.now, limit) === "dead") {
      onDeadPeer(turn, tunnel);
      return;
    }
    noteUnanswered(turn, tunnel);
  }
  if ("deadline" in progress && turn.now >= progress.deadline) {
    if (isShadow(turn, tunnel)) {
      dropTunnel(turn, tunnel, unanswered(turn, tunnel));
      return;
    }
    const cause = unanswered(turn, tunnel);
    closeTunnel(
      turn,
      tunnel,
      {
        result: STOPCCN_RESULT.general,
        error: GENERAL_ERROR.none,
        message: `no ${cause.waitedFor} in time`,
      },
      cause,
    );
  } else if (progress.phase === "established" && turn.now >= helloAt(tunnel, policy.helloIntervalMs)) {
    send(turn, tunnel, { kind: "HELLO" });
  }
}

function noteUnanswered(turn: Turn, tunnel: TunnelState): void {
  const { id, peerName, progress, transport, unansweredSince } = tunnel;
  if (progress.phase !== "established" || unansweredSince !== null) return;
  if (transport.retransmissions < TELLING_RETRANSMISSIONS) return;
  tunnel.unansweredSince = oldestUnacked(transport)?.sentAt ?? turn.now;
  turn.out.push({ kind: "tunnel-unanswered", tunnel: id, peerName, cause: unanswered(turn, tunnel) });
}

/** A half-open tunnel beside one that stands with the same remote id, which a StopCCN would hit instead. */
function isShadow(turn: Turn, tunnel: TunnelState): boolean {
  return turn.registry.standingBehind(tunnel)?.progress.phase === "established";
}

/** Nobody acknowledges. To an SCCRQ there may yet be a late answer, which must not leave the peer with a tunnel. */
function onDeadPeer(turn: Turn, tunnel: TunnelState): void {
  const cause = unanswered(turn, tunnel);
  if (tunnel.progress.phase === "wait-ctl-reply") closeQuietly(turn, tunnel, cause);
  else if (tunnel.progress.phase === "closing") stopSending(tunnel.transport);
  else dropTunnel(turn, tunnel, cause);
}

function unanswered(turn: Turn, tunnel: TunnelState): Unanswered {
  const { progress } = tunnel;
  const oldest = oldestUnacked(tunnel.transport);
  const setUp = {
    "wait-ctl-reply": { sent: "SCCRQ", waitedFor: "SCCRP" },
    "wait-ctl-conn": { sent: "SCCRP", waitedFor: "SCCCN" },
    established: { sent: "HELLO", waitedFor: "acknowledgement" },
    closing: { sent: "StopCCN", waitedFor: "acknowledgement" },
  }[progress.phase];
  return {
    by: "timeout",
    sent: oldest?.label ?? setUp.sent,
    times: oldest?.times ?? 1,
    waitedFor: setUp.waitedFor,
    silentMs: tunnel.lastHeard === null ? null : turn.now - tunnel.lastHeard,
  };
}
