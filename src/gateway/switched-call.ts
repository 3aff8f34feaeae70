import { fromUtf8 } from "../base/bytes.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { CallConnection, CallRequest } from "../l2tp/outputs.ts";
import { adoptAttempt, heldAuthentication } from "../ppp/proxy.ts";
import type { HeldSession } from "../ppp/server.ts";
import type { Call } from "./call.ts";
import { type CallDetails, LineDetails } from "./call-details.ts";
import type { CallReport, CallSpeeds } from "./call-reports.ts";
import type { CallRounds } from "./call-rounds.ts";
import type { IncomingCall, L2tpCarrier, ReportSink } from "./l2tp-carrier.ts";
import { proxiedSession } from "./proxied-session.ts";
import { relayedAvps } from "./switch-avps.ts";

/** The name that a LAC tells with what the subscriber said to prove it; undefined when it tells none. */
export function proxiedUser({ proxyAuth }: CallConnection): string | undefined {
  return proxyAuth?.name === undefined || proxyAuth.response === undefined
    ? undefined
    : fromUtf8(proxyAuth.name);
}

/** A LAC has negotiated LCP with the subscriber: there is nothing to be done before he is asked who he is. */
export function hasProxyLcp({ proxyLcp }: CallConnection): boolean {
  return proxyLcp?.lastSent !== undefined && proxyLcp.lastReceived !== undefined;
}

/** Tunnel switch: a call that a LAC has placed with us, as the LAC of the next LNS tells it, and what they say to each other. */
export class SwitchedCall implements CallDetails, ReportSink {
  readonly cameFrom: Call;
  /** What a gateway without a LAC before it would say. */
  readonly #own: LineDetails;
  readonly #rounds: CallRounds;
  readonly #speedUpdates: boolean;
  /** Let go once connected: there is a password in it. */
  #incoming: IncomingCall | undefined;
  #onward: Call | undefined;
  #mark: string | undefined;

  constructor(carrier: L2tpCarrier, incoming: IncomingCall, ourName: string, rounds: CallRounds) {
    this.cameFrom = incoming.call;
    this.#incoming = incoming;
    this.#own = new LineDetails(carrier, ourName);
    this.#rounds = rounds;
    this.#speedUpdates = incoming.request.connectSpeedUpdate === true;
  }

  get proxied(): HeldSession | undefined {
    const session = this.#incoming && proxiedSession(this.#incoming.connection);
    if (session?.lcp === undefined) return undefined;
    const { lcp, authentication } = session;
    const attempt = authentication && adoptAttempt(authentication, authentication.type);
    return { lcp, ...(attempt === undefined ? NOT_HELD : heldAuthentication(attempt)) };
  }

  numbers(peer: L2tpPeerConfig): boolean {
    if (this.#own.numbers(peer)) return true;
    const relayed = peer.switchAvps.sequencingRequired === "relay" && peer.sequencing !== "never";
    return relayed && this.#incoming?.connection.sequencingRequired === true;
  }

  request(peer: L2tpPeerConfig): Omit<CallRequest, "callSerialNumber"> {
    const policy = peer.switchAvps;
    const { bearerType, callingNumber, connectSpeedUpdate: ownUpdates } = this.#own.request(peer);
    const updates = policy.connectSpeedUpdate === "regenerate" ? ownUpdates === true : this.#speedUpdates;
    return {
      ...(policy.bearerType === "regenerate" && bearerType !== undefined && { bearerType }),
      ...(policy.callingNumber === "regenerate" && callingNumber !== undefined && { callingNumber }),
      ...(policy.connectSpeedUpdate !== "drop" && updates && { connectSpeedUpdate: true }),
      avps: relayedAvps(this.#incoming?.request.avps, peer),
      ...(cameHidden(this.#incoming?.request) && { hide: true }),
    };
  }

  /** With `held`, we have negotiated with the subscriber ourselves: what the LAC says of that is out of date. */
  connection(peer: L2tpPeerConfig, held: HeldSession | undefined): CallConnection {
    const own = this.#own.connection(peer, held);
    const came = this.#incoming?.connection;
    if (came === undefined) return own;
    const { switchAvps: policy } = peer;
    const { proxyLcp, proxyAuth } = held === undefined ? came : own;
    const rx = policy.rxConnectSpeed === "relay" ? came.rxConnectSpeed : own.rxConnectSpeed;
    return {
      txConnectSpeed: policy.txConnectSpeed === "relay" ? came.txConnectSpeed : own.txConnectSpeed,
      framingType: came.framingType,
      ...(rx !== undefined && policy.rxConnectSpeed !== "drop" && { rxConnectSpeed: rx }),
      ...(proxyLcp !== undefined && policy.proxyLcp === "relay" && { proxyLcp }),
      ...(proxyAuth !== undefined && policy.proxyAuthentication === "relay" && { proxyAuth }),
      ...(this.numbers(peer) && { sequencingRequired: true }),
      avps: relayedAvps(came.avps, peer),
      ...(cameHidden(came) && { hide: true }),
    };
  }

  connected(call: Call, connection: CallConnection): void {
    this.#onward = call;
    this.#incoming = undefined;
    this.#mark = this.#rounds.add(connection);
  }

  /** From the LNS, to the LAC. */
  report(report: CallReport): boolean {
    const { txConnectSpeed } = this.#onward?.peer.switchAvps ?? {};
    // who is told our own idea of the speeds gets no other from the LAC, nor does he where it tells none
    if (report.kind === "speeds-requested" && (txConnectSpeed !== "relay" || !this.#speedUpdates))
      return false;
    this.cameFrom.tell(report);
    return true;
  }

  /** From the LAC, to the LNS. */
  reported(report: CallReport): boolean {
    const onward = this.#onward;
    if (onward === undefined) return false;
    if (report.kind !== "speeds-updated") {
      onward.tell(report);
      return true;
    }
    const speeds = this.#relayedSpeeds(onward, report.speeds);
    if (speeds !== undefined) onward.tell({ ...report, speeds });
    return speeds !== undefined;
  }

  ended(): void {
    if (this.#mark !== undefined) this.#rounds.delete(this.#mark);
    this.#incoming = undefined;
  }

  /** By the policy of the LNS that is to be told; undefined when that has nothing of them. */
  #relayedSpeeds(onward: Call, speeds: CallSpeeds): CallSpeeds | undefined {
    const { txConnectSpeed: tx, rxConnectSpeed: rx } = onward.peer.switchAvps;
    if (tx !== "relay" && rx !== "relay") return undefined;
    const own = this.#own.connection(onward.peer, undefined);
    const { txConnectSpeed, rxConnectSpeed = txConnectSpeed } = own;
    return {
      txConnectSpeed: tx === "relay" ? speeds.txConnectSpeed : txConnectSpeed,
      rxConnectSpeed: rx === "relay" ? speeds.rxConnectSpeed : rxConnectSpeed,
    };
  }
}

/**
 * Whether the LAC hid anything of it (RFC 2661 §4.3): what we say of the same is then hidden from the next LNS's network,
 * too, whatever the LNS's hide-avps says. Without a secret with the LNS that cannot be: what `switch-avps` relays goes
 * in the clear, and what is to be nobody's business must be dropped there.
 */
function cameHidden(message: Pick<CallRequest, "avps"> | undefined): boolean {
  return message?.avps?.some(({ hidden }) => hidden === true) === true;
}

const NOT_HELD = { authentication: undefined, frame: undefined } as const;
