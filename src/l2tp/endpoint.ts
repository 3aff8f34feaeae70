/**
 * All L2TPv2 tunnels and sessions of one LAC or LNS. It takes control datagrams, the time and its owner's
 * wishes, and gives back what is to be sent and what has happened. Each input costs O(log n).
 */

import { LacewingError } from "../base/errors.ts";
import type { RandomSource } from "../base/random.ts";
import type { Instant } from "../base/time.ts";
import { GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import {
  controlBody,
  controlNr,
  controlNs,
  controlSessionId,
  controlTunnelId,
  notL2tpControl,
} from "../wire/l2tp-control-header.ts";
import { type ParsedMessage, parseMessage } from "../wire/l2tp-messages.ts";
import { queueCall } from "./call-queue.ts";
import type { L2tpAddress, L2tpEndpointConfig } from "./config.ts";
import { sendLinkInfo, sendWanError } from "./line-reports.ts";
import { openTunnel, tunnelForUnnumbered } from "./opening.ts";
import type {
  CallConnection,
  CallErrors,
  CallRequest,
  ConnectSpeeds,
  L2tpOutput,
  LinkInfo,
} from "./outputs.ts";
import { Registry, type Turn } from "./registry.ts";
import {
  acceptCall,
  closeSession,
  connectCall,
  onRefusedSessionMessage,
  onSessionDeadline,
  onSessionMessage,
} from "./session.ts";
import { onSpeedMessage, requestSpeeds, updateSpeeds } from "./speeds.ts";
import type {
  L2tpDiscardReason,
  L2tpEndpointState,
  SessionProgress,
  SessionState,
  TunnelProgress,
  TunnelState,
} from "./state.ts";
import {
  accept,
  acknowledge,
  type IncomingMessage,
  isQuiet,
  type TransportCounters,
  type TransportHealth,
} from "./transport.ts";
import {
  closeTunnel,
  meet,
  onAcknowledgement,
  onControlMessage,
  onOneSided,
  onTunnelDeadline,
  settle,
  stoppedByPeer,
} from "./tunnel.ts";

const NOTHING: readonly L2tpOutput[] = [];

/** A tunnel, for people. */
export interface TunnelView {
  readonly tunnel: number;
  readonly remoteTunnelId: number;
  readonly peerName: string;
  readonly peerHostName: string;
  readonly peerVendorName: string | undefined;
  readonly initiator: boolean;
  readonly phase: TunnelProgress["phase"];
  readonly remote: L2tpAddress;
  readonly sessions: number;
  /** When that was first sent which the peer does not acknowledge although it was repeated; null while it does. */
  readonly unansweredSince: Instant | null;
  readonly health: Readonly<TransportHealth>;
  /** Control messages that the peer takes at a time. */
  readonly peerWindow: number;
}

/** A session, for people. */
export interface SessionView {
  readonly tunnel: number;
  readonly session: number;
  readonly remoteSessionId: number;
  readonly side: SessionState["side"];
  readonly stage: SessionProgress["stage"];
  readonly callSerialNumber: number;
}

/** One machine for any number of tunnels, in both roles at once. Throws only at its owner's mistakes. */
export class L2tpEndpoint {
  readonly #registry: Registry;
  readonly #random: RandomSource;

  /** Goes on from `state`, which it takes over, or begins without a tunnel. Throws a LacewingError (L2TP_CONFIG). */
  constructor(config: L2tpEndpointConfig, random: RandomSource, state?: L2tpEndpointState) {
    this.#random = random;
    this.#registry = new Registry(config, random, state);
  }

  /**
   * Goes on with other peers and policies, for tunnels that are there, too; those keep the secret that they were opened
   * with (in this process: a snapshot has no secrets). Throws a LacewingError (L2TP_CONFIG), and nothing has changed
   * then.
   */
  reconfigure(config: L2tpEndpointConfig): void {
    this.#registry.reconfigure(config);
  }

  /** Takes one datagram with the T bit; whatever it is, it never throws. */
  receive(now: Instant, from: L2tpAddress, datagram: Uint8Array): readonly L2tpOutput[] {
    const turn = this.#turn(now);
    const reason = notL2tpControl(datagram);
    if (reason !== undefined) {
      this.#registry.discard(reason);
      return turn.out;
    }
    const tunnelId = controlTunnelId(datagram);
    const ns = controlNs(datagram);
    const body = controlBody(datagram);
    const isZlb = body.length === 0;
    const tunnel =
      tunnelId === 0 && !isZlb ? tunnelForUnnumbered(turn, from, ns, body) : this.#registry.tunnel(tunnelId);
    if (tunnel === undefined) {
      if (tunnelId !== 0 || isZlb) this.#registry.discard("unknown-tunnel");
      return turn.out;
    }
    if (!this.#isFromPeer(tunnel, from)) {
      this.#registry.discard("wrong-source");
      return turn.out;
    }
    tunnel.lastHeard = now;
    const { counters } = this.#registry.state;
    acknowledge(tunnel.transport, now, controlNr(datagram), isZlb, counters);
    onAcknowledgement(turn, tunnel);
    if (!isZlb) {
      const message = { sessionId: controlSessionId(datagram), body };
      const known = tunnel.progress.phase === "established";
      for (const each of accept(tunnel.transport, now, ns, message, known, counters))
        this.#deliver(turn, tunnel, each, from);
    }
    settle(turn, tunnel);
    return turn.out;
  }

  /** When timeout() is to be called next. */
  deadline(): Instant {
    return this.#registry.deadlines.next();
  }

  /** Does everything that is due. */
  timeout(now: Instant): readonly L2tpOutput[] {
    const turn = this.#turn(now);
    for (let due = this.#registry.takeDue(now); due.length > 0; due = this.#registry.takeDue(now)) {
      for (const key of due) this.#onDeadline(turn, key);
    }
    return turn.out;
  }

  /**
   * Calls a configured peer. The tunnel's id, or undefined when there are too many tunnels. Throws a
   * LacewingError (L2TP_PEER) when there is no such peer or it has no address.
   */
  openTunnel(
    now: Instant,
    peerName: string,
  ): { readonly tunnel: number | undefined; readonly outputs: readonly L2tpOutput[] } {
    const policy = this.#registry.peers.get(peerName);
    if (policy?.remote === undefined)
      throw new LacewingError("L2TP_PEER", `L2TP peer ${peerName} is not one that can be called`);
    const turn = this.#turn(now);
    const tunnel = openTunnel(turn, policy, policy.remote);
    if (tunnel !== undefined) settle(turn, tunnel);
    return { tunnel: tunnel?.id, outputs: turn.out };
  }

  /**
   * LAC: places a call; its ICRQ leaves when the tunnel is up and has room. The session's id, or undefined when
   * the tunnel is full or going down.
   */
  placeCall(
    now: Instant,
    tunnelId: number,
    call: CallRequest,
  ): { readonly session: number | undefined; readonly outputs: readonly L2tpOutput[] } {
    const turn = this.#turn(now);
    const tunnel = this.#registry.tunnel(tunnelId);
    if (tunnel === undefined || tunnel.progress.phase === "closing")
      return { session: undefined, outputs: [] };
    const { maxSessions } = this.#registry.peers.policyOf(tunnel.peerName);
    const session = queueCall(turn, tunnel, maxSessions, call);
    settle(turn, tunnel);
    return { session: session?.id, outputs: turn.out };
  }

  /**
   * LAC: sends ICCN after call-accepted, once frames can flow, or OCCN when an outgoing call stands. Does nothing
   * when the session has ended meanwhile.
   */
  connectCall(
    now: Instant,
    tunnelId: number,
    sessionId: number,
    connection: CallConnection,
  ): readonly L2tpOutput[] {
    return this.#onSession(now, tunnelId, sessionId, (turn, tunnel, session) =>
      connectCall(turn, tunnel, session, connection),
    );
  }

  /** Sends ICRP after call-offered, or as LAC OCRP after one that is outgoing. Does nothing when the session has ended meanwhile. */
  acceptCall(now: Instant, tunnelId: number, sessionId: number): readonly L2tpOutput[] {
    return this.#onSession(now, tunnelId, sessionId, acceptCall);
  }

  /**
   * Data of the tunnel has been heard: a HELLO is not needed for as long as if it had been a control message. It
   * costs nothing, but once or twice a HELLO interval is enough.
   */
  onTraffic(now: Instant, tunnelId: number): readonly L2tpOutput[] {
    const tunnel = this.#registry.tunnel(tunnelId);
    if (tunnel !== undefined) tunnel.lastTraffic = now;
    return NOTHING;
  }

  /**
   * Data has left in the tunnel, and none has come: after some seconds of that a HELLO asks whether the peer is there,
   * which the HELLO interval would ask much later.
   */
  onOneSidedTraffic(now: Instant, tunnelId: number): readonly L2tpOutput[] {
    return this.#onTunnel(now, tunnelId, onOneSided);
  }

  /** LNS: tells the LAC the ACCMs of a session that stands (SLI). Does nothing in any other state. */
  sendLinkInfo(now: Instant, tunnelId: number, sessionId: number, info: LinkInfo): readonly L2tpOutput[] {
    return this.#onSession(now, tunnelId, sessionId, (turn, tunnel, session) =>
      sendLinkInfo(turn, tunnel, session, info),
    );
  }

  /** LAC: tells the LNS the errors of an asynchronous line (WEN). Does nothing when the session does not stand. */
  sendWanError(now: Instant, tunnelId: number, sessionId: number, errors: CallErrors): readonly L2tpOutput[] {
    return this.#onSession(now, tunnelId, sessionId, (turn, tunnel, session) =>
      sendWanError(turn, tunnel, session, errors),
    );
  }

  /** LAC: tells the LNS the speeds that sessions have now (CSUN); those that did not announce it are passed over. */
  updateSpeeds(now: Instant, tunnelId: number, speeds: readonly ConnectSpeeds[]): readonly L2tpOutput[] {
    return this.#onTunnel(now, tunnelId, (turn, tunnel) => updateSpeeds(turn, tunnel, speeds));
  }

  /** LNS: asks the LAC for the speeds of sessions (CSURQ); those that did not announce updates are passed over. */
  requestSpeeds(now: Instant, tunnelId: number, sessions: readonly number[]): readonly L2tpOutput[] {
    return this.#onTunnel(now, tunnelId, (turn, tunnel) => requestSpeeds(turn, tunnel, sessions));
  }

  /** Ends a session in any state, with a CDN if the peer knows of it; refuses an offered call. */
  closeSession(now: Instant, tunnelId: number, sessionId: number, code: ResultCode): readonly L2tpOutput[] {
    return this.#onSession(now, tunnelId, sessionId, (turn, tunnel, session) =>
      closeSession(turn, tunnel, session, code),
    );
  }

  /** Ends a tunnel and its sessions with one StopCCN. */
  closeTunnel(now: Instant, tunnelId: number, code: ResultCode): readonly L2tpOutput[] {
    return this.#onTunnel(now, tunnelId, (turn, tunnel) => closeTunnel(turn, tunnel, code));
  }

  /** Ends every tunnel with StopCCN, result 6, and takes no new one. unacknowledgedCloses() says when all know. */
  shutdown(now: Instant): readonly L2tpOutput[] {
    const turn = this.#turn(now);
    this.#registry.state.shuttingDown = true;
    for (const tunnel of Object.values(this.#registry.state.tunnels)) {
      closeTunnel(turn, tunnel, { result: STOPCCN_RESULT.shuttingDown });
      settle(turn, tunnel);
    }
    return turn.out;
  }

  /** Closing tunnels whose StopCCN has not been acknowledged. */
  unacknowledgedCloses(): number {
    let count = 0;
    for (const { progress, transport } of Object.values(this.#registry.state.tunnels))
      if (progress.phase === "closing" && !isQuiet(transport)) count += 1;
    return count;
  }

  /**
   * A deep copy of the state, from which another endpoint can go on. The tunnel secrets are not in it, but
   * messages under way are, and with them a user's password if a LAC passes one on.
   */
  snapshot(): L2tpEndpointState {
    return structuredClone(this.#registry.state);
  }

  tunnels(): readonly TunnelView[] {
    return Object.values(this.#registry.state.tunnels).map((tunnel) => ({
      tunnel: tunnel.id,
      remoteTunnelId: tunnel.remoteId,
      peerName: tunnel.peerName,
      peerHostName: tunnel.remoteHostName,
      peerVendorName: tunnel.remoteVendorName ?? undefined,
      initiator: tunnel.initiator,
      phase: tunnel.progress.phase,
      remote: tunnel.remote,
      sessions: tunnel.sessionCount,
      unansweredSince: tunnel.unansweredSince,
      health: tunnel.transport.health,
      peerWindow: tunnel.transport.peerWindow,
    }));
  }

  /** The sessions of one tunnel. */
  sessions(tunnelId: number): readonly SessionView[] {
    return Object.values(this.#registry.tunnel(tunnelId)?.sessions ?? {}).map((session) => ({
      tunnel: tunnelId,
      session: session.id,
      remoteSessionId: session.remoteId,
      side: session.side,
      stage: session.progress.stage,
      callSerialNumber: session.callSerialNumber,
    }));
  }

  /** How many datagrams and messages were passed over, by reason. */
  discards(): Readonly<Record<L2tpDiscardReason, number>> {
    return { ...this.#registry.state.discards };
  }

  /** Of all tunnels together: what was sent again, and what came again. */
  transportCounters(): Readonly<TransportCounters> {
    return { ...this.#registry.state.counters };
  }

  #turn(now: Instant): Turn {
    return { now, out: [], registry: this.#registry, random: this.#random };
  }

  #onDeadline(turn: Turn, key: number): void {
    const { tunnel, session: sessionId } = this.#registry.resolve(key);
    if (tunnel === undefined) return;
    const session = tunnel.sessions[sessionId];
    if (sessionId === 0) onTunnelDeadline(turn, tunnel);
    else if (session !== undefined) onSessionDeadline(turn, tunnel, session);
    settle(turn, tunnel);
  }

  #onSession(
    now: Instant,
    tunnelId: number,
    sessionId: number,
    act: (turn: Turn, tunnel: TunnelState, session: SessionState) => void,
  ): readonly L2tpOutput[] {
    const turn = this.#turn(now);
    const tunnel = this.#registry.tunnel(tunnelId);
    const session = tunnel?.sessions[sessionId];
    if (tunnel === undefined || session === undefined) return [];
    act(turn, tunnel, session);
    settle(turn, tunnel);
    return turn.out;
  }

  #onTunnel(
    now: Instant,
    tunnelId: number,
    act: (turn: Turn, tunnel: TunnelState) => void,
  ): readonly L2tpOutput[] {
    const turn = this.#turn(now);
    const tunnel = this.#registry.tunnel(tunnelId);
    if (tunnel === undefined) return NOTHING;
    act(turn, tunnel);
    settle(turn, tunnel);
    return turn.out;
  }

  /**
   * Addresses stay the same for the life of a tunnel, but the answer to our SCCRQ may come from another port
   * than was called (§8.1), and from another address if the peer's policy says so.
   */
  #isFromPeer(tunnel: TunnelState, from: L2tpAddress): boolean {
    const sameAddress = tunnel.remote.address === from.address;
    if (sameAddress && tunnel.remote.port === from.port) return true;
    if (!tunnel.initiator || tunnel.remoteId !== 0) return false;
    return sameAddress || this.#registry.peers.policyOf(tunnel.peerName).followAddress;
  }

  #deliver(turn: Turn, tunnel: TunnelState, incoming: IncomingMessage, from: L2tpAddress): void {
    const { secret, ignoreUnknownAvps } = this.#registry.policyFor(tunnel);
    const options = { ignoreUnknown: ignoreUnknownAvps, keepAvps: true };
    const parsed = parseMessage(incoming.body, secret, options);
    switch (parsed.outcome) {
      case "message":
        this.#registry.discard("ignored-avp", parsed.ignoredAvps);
        this.#dispatch(turn, tunnel, incoming.sessionId, parsed.message, from);
        break;
      case "refused":
        if (parsed.scope === "tunnel") meet(tunnel, parsed.assignedTunnelId, from);
        this.#onRefused(turn, tunnel, incoming.sessionId, parsed);
        break;
      case "unknown-type":
        this.#registry.discard("unknown-message");
        if (parsed.mandatory) {
          const message = `unknown message type ${parsed.type}`;
          closeTunnel(turn, tunnel, {
            result: STOPCCN_RESULT.error,
            error: GENERAL_ERROR.unknownMandatoryAvp,
            message,
          });
        }
        break;
      case "malformed":
        this.#registry.discard("malformed");
        closeTunnel(turn, tunnel, {
          result: STOPCCN_RESULT.error,
          error: GENERAL_ERROR.length,
          message: parsed.reason,
        });
        break;
    }
  }

  #dispatch(
    turn: Turn,
    tunnel: TunnelState,
    sessionId: number,
    message: Extract<ParsedMessage, { outcome: "message" }>["message"],
    from: L2tpAddress,
  ): void {
    switch (message.kind) {
      case "SCCRQ":
        // the one that made this tunnel has been answered by opening it
        if (tunnel.initiator || tunnel.transport.nr !== 1) onControlMessage(turn, tunnel, message, from);
        break;
      case "SCCRP":
      case "SCCCN":
      case "StopCCN":
      case "HELLO":
        onControlMessage(turn, tunnel, message, from);
        break;
      case "CSUN":
      case "CSURQ":
        onSpeedMessage(turn, tunnel, message);
        break;
      default:
        if (tunnel.progress.phase === "established") onSessionMessage(turn, tunnel, sessionId, message);
        else this.#sessionMessageTooSoon(turn, tunnel, message.kind);
    }
  }

  #onRefused(
    turn: Turn,
    tunnel: TunnelState,
    sessionId: number,
    refused: Extract<ParsedMessage, { outcome: "refused" }>,
  ): void {
    const code = { result: STOPCCN_RESULT.error, error: refused.error, message: refused.text };
    if (refused.scope === "session") {
      if (tunnel.progress.phase === "established") onRefusedSessionMessage(turn, tunnel, sessionId, refused);
      else this.#sessionMessageTooSoon(turn, tunnel, refused.kind);
    } else if (refused.kind === "StopCCN") {
      stoppedByPeer(turn, tunnel, code);
    } else {
      closeTunnel(turn, tunnel, code);
    }
  }

  /** In a closing tunnel it does nothing. */
  #sessionMessageTooSoon(turn: Turn, tunnel: TunnelState, kind: string): void {
    closeTunnel(turn, tunnel, {
      result: STOPCCN_RESULT.stateMachine,
      error: GENERAL_ERROR.none,
      message: `${kind} before the tunnel was up`,
    });
  }
}
