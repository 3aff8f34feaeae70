/** The beginning of tunnels: ours with an SCCRQ, and the peer's when one comes (RFC 2661 §7.2.1, state idle). */

import { createHash } from "node:crypto";
import { NEVER } from "../base/time.ts";
import { takeToken } from "../base/token-bucket.ts";
import { emitL2tp } from "../wire/l2tp.ts";
import { GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import { challengeResponse } from "../wire/l2tp-hiding.ts";
import { emitMessage, type MessageOf, parseMessage, peekHostName } from "../wire/l2tp-messages.ts";
import type { L2tpAddress, PeerPolicy } from "./config.ts";
import { createFifo, fifoLength, fifoPush, fifoShift } from "./fifo.ts";
import { REFUSAL_BURST, REFUSALS_PER_SECOND, setupDeadline, type Turn } from "./registry.ts";
import type { TunnelProgress, TunnelState } from "./state.ts";
import { createTransport, DEFAULT_PEER_WINDOW, setPeerWindow } from "./transport.ts";
import { CHALLENGE_BYTES, compareTies, dropTunnel, greeting, objection, send } from "./tunnel.ts";

const DEFAULT_HALF_OPEN = 512;
const TIE_BREAKER_BYTES = 8;
/** For how long after ours an SCCRQ of the peer's is taken to have crossed it. */
const CROSSING_MS = 5000;

type Particulars = Pick<
  TunnelState,
  | "initiator"
  | "remoteId"
  | "remoteHostName"
  | "remoteVendorName"
  | "requestDigest"
  | "replaces"
  | "tieBreaker"
>;

function addTunnel(
  turn: Turn,
  policy: PeerPolicy,
  remote: L2tpAddress,
  phase: "wait-ctl-reply" | "wait-ctl-conn",
  particulars: Particulars,
): { readonly tunnel: TunnelState; readonly challenge: Uint8Array | null } | undefined {
  const { registry, now } = turn;
  const challenge = policy.authenticate ? turn.random.bytes(CHALLENGE_BYTES) : null;
  const progress: TunnelProgress = { phase, deadline: setupDeadline(turn), challenge };
  const tunnel = registry.addTunnel((id) => ({
    id,
    peerName: policy.name,
    createdAt: now,
    progress,
    remote,
    lastHeard: null,
    lastTraffic: null,
    unansweredSince: null,
    wakeAt: NEVER,
    transport: createTransport(policy.receiveWindow),
    sessionIds: registry.newSessionIds(),
    sessions: {},
    sessionCount: 0,
    waitingCalls: createFifo(),
    ...particulars,
  }));
  return tunnel && { tunnel, challenge };
}

/** Calls a peer; undefined when we have as many tunnels as we may. */
export function openTunnel(turn: Turn, policy: PeerPolicy, remote: L2tpAddress): TunnelState | undefined {
  const tieBreaker = policy.tieBreaker ? turn.random.bytes(TIE_BREAKER_BYTES) : null;
  const added = addTunnel(turn, policy, remote, "wait-ctl-reply", {
    initiator: true,
    remoteId: 0,
    remoteHostName: "",
    remoteVendorName: null,
    requestDigest: null,
    replaces: 0,
    tieBreaker,
  });
  if (added === undefined) return undefined;
  const { tunnel, challenge } = added;
  send(turn, tunnel, {
    kind: "SCCRQ",
    ...greeting(turn.registry.config, policy, tunnel.id, challenge),
    ...(tieBreaker !== null && { tieBreaker }),
  });
  return tunnel;
}

/**
 * Finds the tunnel of a message whose sender does not know our tunnel id yet: SCCRQ, repeated or new, or a
 * StopCCN that follows it. An acceptable new SCCRQ makes a tunnel. Undefined: the message is done with.
 */
export function tunnelForUnnumbered(
  turn: Turn,
  from: L2tpAddress,
  ns: number,
  body: Uint8Array,
): TunnelState | undefined {
  const { registry } = turn;
  const hostName = peekHostName(body);
  const policy = hostName === undefined ? undefined : registry.peers.accepting(hostName, from.address);
  const parsed = parseMessage(body, policy?.secret, { ignoreUnknown: policy?.ignoreUnknownAvps === true });
  switch (parsed.outcome) {
    case "malformed":
      registry.discard("malformed");
      return undefined;
    case "unknown-type":
      registry.discard("unknown-message");
      return undefined;
    case "refused":
      if (parsed.kind === "StopCCN") {
        const tunnel = halfOpenThatCanRead(turn, from, body);
        if (tunnel === undefined) registry.discard("malformed");
        return tunnel;
      }
      if (parsed.kind === "SCCRQ" && parsed.assignedTunnelId)
        refuse(turn, from, parsed.assignedTunnelId, hostName, {
          result: STOPCCN_RESULT.error,
          error: parsed.error,
          message: parsed.text,
        });
      else registry.discard("malformed");
      return undefined;
    case "message":
      break;
  }
  const { message } = parsed;
  if (message.kind !== "SCCRQ" && message.kind !== "StopCCN") {
    registry.discard("unexpected");
    return undefined;
  }
  const known = registry.tunnelOpenedBy(from, message.assignedTunnelId);
  if (message.kind === "StopCCN") {
    if (known === undefined) registry.discard("unknown-tunnel");
    return known;
  }
  if (ns !== 0) {
    registry.discard("unexpected");
    return undefined;
  }
  const digest = createHash("md5").update(body).digest("hex");
  if (known !== undefined && isRepeated(known, digest)) return known;
  return onNewTunnel(turn, from, message, policy, digest, replacedBy(known));
}

/**
 * The same request while our SCCRP may not have arrived. Once it has, the peer does not repeat its SCCRQ: it
 * begins anew, and may well do so with the same octets. (One that the network has doubled makes a tunnel that
 * is never completed, beside the one that stands.)
 */
function isRepeated(tunnel: TunnelState, digest: string): boolean {
  return tunnel.progress.phase === "wait-ctl-conn" && tunnel.requestDigest === digest;
}

/** The tunnel that gives way when a new one with its remote id has come up: not one that never came up itself. */
function replacedBy(known: TunnelState | undefined): number {
  if (known === undefined) return 0;
  return known.progress.phase === "wait-ctl-conn" && known.replaces !== 0 ? known.replaces : known.id;
}

function onNewTunnel(
  turn: Turn,
  from: L2tpAddress,
  message: MessageOf<"SCCRQ">,
  policy: PeerPolicy | undefined,
  digest: string,
  replaces: number,
): TunnelState | undefined {
  const refusal = policy === undefined ? { ...unknownPeer(message.hostName) } : objection(message, policy);
  if (policy === undefined || refusal !== undefined || turn.registry.state.shuttingDown) {
    refuse(turn, from, message.assignedTunnelId, message.hostName, refusal ?? SHUTTING_DOWN);
    return undefined;
  }
  const standing = settleTie(turn, policy, message.tieBreaker ?? null);
  if (standing === "ours") {
    turn.registry.discard("lost-tie");
    return undefined;
  }
  makeRoom(turn);
  const added = addTunnel(turn, policy, from, "wait-ctl-conn", {
    initiator: false,
    remoteId: message.assignedTunnelId,
    remoteHostName: message.hostName,
    remoteVendorName: message.vendorName ?? null,
    requestDigest: digest,
    replaces,
    tieBreaker: message.tieBreaker ?? null,
  });
  if (added === undefined) {
    refuse(turn, from, message.assignedTunnelId, message.hostName, NO_RESOURCES);
    return undefined;
  }
  const { tunnel, challenge } = added;
  fifoPush(turn.registry.state.halfOpen, { id: tunnel.id, createdAt: tunnel.createdAt });
  setPeerWindow(tunnel.transport, message.receiveWindowSize ?? DEFAULT_PEER_WINDOW);
  send(turn, tunnel, {
    kind: "SCCRP",
    ...greeting(turn.registry.config, policy, tunnel.id, challenge),
    ...(message.challenge !== undefined &&
      policy.secret !== undefined && {
        challengeResponse: challengeResponse(2, policy.secret, message.challenge),
      }),
  });
  return tunnel;
}

/**
 * An SCCRQ comes while ours to the same peer is unanswered (§4.4.3). "ours": our tie breaker wins, and the peer
 * discards its tunnel without a word, so that there is none to answer for. If it is the peer's that wins, our
 * tunnel gives way when the peer has proved itself (yieldTo()).
 */
function settleTie(turn: Turn, policy: PeerPolicy, theirs: Uint8Array | null): "ours" | "open" {
  let outcome: "ours" | "open" = "open";
  for (const tunnel of turn.registry.tunnelsOpenedTo(policy.name)) {
    if (!mayCross(turn, tunnel)) continue;
    const order = compareTies(tunnel.tieBreaker, theirs);
    if (order === "first") outcome = "ours";
    if (order !== "equal" || tunnel.progress.phase !== "wait-ctl-reply") continue;
    // both are to be discarded: also ours, which calls itself perhaps
    outcome = "ours";
    dropTunnel(turn, tunnel, { by: "tie-breaker" });
  }
  return outcome;
}

/** Also what has just come up: the peer's SCCRQ may have been under way for as long as our set-up took. */
function mayCross({ now }: Turn, { progress, createdAt }: TunnelState): boolean {
  if (progress.phase === "wait-ctl-reply") return true;
  return progress.phase === "established" && now - createdAt < CROSSING_MS;
}

/**
 * A StopCCN whose Assigned Tunnel ID is hidden: only the tunnel that it is about knows the secret. It is read once for
 * each peer that there is a tunnel of: whoever sends it may have begun to open hundreds.
 */
function halfOpenThatCanRead(turn: Turn, from: L2tpAddress, body: Uint8Array): TunnelState | undefined {
  const { halfOpen, tunnels } = turn.registry.state;
  const idReadBy = new Map<string, number | undefined>();
  for (let i = halfOpen.head; i < halfOpen.items.length; i++) {
    const tunnel = tunnels[halfOpen.items[i]!.id];
    if (tunnel === undefined || tunnel.remote.address !== from.address || tunnel.remote.port !== from.port)
      continue;
    const { peerName } = tunnel;
    if (!idReadBy.has(peerName)) {
      const parsed = parseMessage(body, turn.registry.peers.policyOf(peerName).secret);
      const isStop = parsed.outcome === "message" && parsed.message.kind === "StopCCN";
      idReadBy.set(peerName, isStop ? parsed.message.assignedTunnelId : undefined);
    }
    if (idReadBy.get(peerName) === tunnel.remoteId) return tunnel;
  }
  return undefined;
}

const SHUTTING_DOWN: ResultCode = { result: STOPCCN_RESULT.shuttingDown };
const NO_RESOURCES: ResultCode = {
  result: STOPCCN_RESULT.error,
  error: GENERAL_ERROR.resources,
  message: "too many tunnels",
};

function unknownPeer(hostName: string): ResultCode {
  return {
    result: STOPCCN_RESULT.notAuthorized,
    error: GENERAL_ERROR.none,
    message: `unknown peer "${hostName.slice(0, 64)}"`,
  };
}

/**
 * Under a flood of SCCRQs the oldest that has not gone on gives way: an honest peer's goes on in one round trip. So
 * does one that its sender has ended at once, or whose secret was wrong: such tunnels would fill the endpoint.
 */
function makeRoom(turn: Turn): void {
  const { registry } = turn;
  const { halfOpen } = registry.state;
  if (fifoLength(halfOpen) < (registry.config.maxHalfOpenTunnels ?? DEFAULT_HALF_OPEN)) return;
  const oldest = fifoShift(halfOpen);
  const tunnel = oldest && registry.tunnel(oldest.id);
  if (tunnel === undefined || tunnel.createdAt !== oldest?.createdAt || tunnel.initiator) return;
  const { progress } = tunnel;
  if (progress.phase === "wait-ctl-conn") registry.discard("half-open");
  else if (progress.phase !== "closing" || progress.wasUp) return;
  registry.removeTunnel(tunnel);
}

/**
 * Answers an SCCRQ that we do not accept with a StopCCN and keeps nothing about it: a repeated SCCRQ is
 * answered again. The acknowledgement comes to a tunnel that is not there, and ends there.
 */
function refuse(
  turn: Turn,
  from: L2tpAddress,
  remoteTunnelId: number,
  peerHostName: string | undefined,
  cause: ResultCode,
): void {
  const { registry } = turn;
  registry.discard("refused");
  if (remoteTunnelId === 0) return;
  if (!takeToken(registry.state.refusals, turn.now, REFUSALS_PER_SECOND, REFUSAL_BURST)) {
    registry.discard("unanswered");
    return;
  }
  const assignedTunnelId = registry.passingTunnelId();
  const body = emitMessage({ kind: "StopCCN", assignedTunnelId, resultCode: cause });
  const header = {
    control: true,
    lengthBit: true,
    tunnelId: remoteTunnelId,
    sessionId: 0,
    sequence: { ns: 0, nr: 1 },
    priority: false,
  };
  turn.out.push({ kind: "send", tunnel: 0, to: from, datagram: emitL2tp(header, body) });
  turn.out.push({ kind: "tunnel-refused", from, peerHostName, cause });
}
