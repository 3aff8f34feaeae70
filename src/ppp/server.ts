import { equalBytes } from "../base/bytes.ts";
import { LacewingError } from "../base/errors.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { parseIpv4Address } from "../wire/ip-address.ts";
import { ECHO_REPLY, ECHO_REQUEST } from "../wire/lcp.ts";
import { PPP_LCP } from "../wire/ppp.ts";
import {
  CONFIGURE_ACK,
  CONFIGURE_REQUEST,
  type ControlPacket,
  emitControlPacket,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import {
  type AuthenticatorState,
  type AuthenticatorStep,
  ask,
  attemptFrame,
  authenticatorDeadline,
  authenticatorTimeout,
  beginAuthenticator,
  type Credentials,
  credentialsOf,
  receiveAuthenticator,
  verdictPacket,
} from "./authenticator.ts";
import { newIpcpServer } from "./ipcp.ts";
import { newIpv6cp } from "./ipv6cp.ts";
import type { AuthenticationMethod, LcpConfig, LinkKind } from "./lcp.ts";
import { Link, type LinkState, newLinkState } from "./link.ts";
import type { LinkOutput } from "./link-types.ts";
import { newNegotiation } from "./negotiation.ts";
import type { NcpState } from "./network.ts";
import {
  adoptAttempt,
  adoptLcp,
  type ProxiedSession,
  type ProxyAuthentication,
  type ProxyLcp,
} from "./proxy.ts";
import type { PppTimers } from "./timers.ts";

export interface PppServerConfig {
  readonly link: LinkKind;
  /** Our MRU, announced to the peer. */
  readonly mruBytes: number;
  /** The largest MRU that the peer may have: what fits into the frames that we send. */
  readonly maxMruBytes: number;
  /** What the peer must authenticate with, best first; empty demands nothing. */
  readonly authentication: readonly AuthenticationMethod[];
  /** Our name in CHAP challenges. */
  readonly name: string;
  readonly timers: PppTimers;
}

/** What a peer that was let in gets. At least one of the two; a protocol that is absent is Protocol-Rejected. */
export interface Grant {
  readonly ipv4?: {
    readonly local: string;
    readonly remote: string;
    /** At most two are told. */
    readonly dns: readonly string[];
  };
  /** Interface identifiers of eight octets; absent, ours is random and the peer chooses its own. */
  readonly ipv6?: {
    readonly localIdentifier?: Uint8Array;
    readonly remoteIdentifier?: Uint8Array;
  };
}

export type PppServerOutput =
  | LinkOutput
  /** To be answered with accept(), reject() or hold(), now or later, giving back `attempt`. */
  | { readonly kind: "authenticate"; readonly attempt: number; readonly credentials: Credentials }
  /**
   * The attempt that was waiting or held is void: the link is ending, or the peer began LCP anew and another
   * `authenticate` follows when LCP has opened again.
   */
  | { readonly kind: "authenticate-void"; readonly attempt: number };

/** Plain data. */
export interface PppServerState extends LinkState {
  authenticator: AuthenticatorState;
  /** The number of the newest `authenticate`. */
  attempt: number;
  /** That of the newest challenge to this peer, ours or a LAC's: no other may have it, or old answers would fit. */
  challengeIdentifier: number;
}

/** What a LAC hands to the LNS about a held attempt, and the frame itself for minimal LNSes. */
export interface HeldSession {
  readonly lcp: ProxyLcp;
  readonly authentication: ProxyAuthentication | undefined;
  /** The newest authentication frame of the peer, beginning with the PPP protocol field. */
  readonly frame: Uint8Array | undefined;
}

type Out = PppServerOutput[];

/** The end of a PPP link that authenticates its peer and assigns addresses: in an LNS, in a PTA, and in a LAC until the bridge. */
export class PppServer extends Link<PppServerState, PppServerOutput> {
  readonly #config: PppServerConfig;

  constructor(config: PppServerConfig, random: RandomSource, state?: PppServerState) {
    super(
      lcpConfig(config),
      config.timers,
      random,
      structuredClone(state) ?? {
        ...newLinkState(random),
        authenticator: { kind: "idle" },
        attempt: 0,
        challengeIdentifier: random.uint32() & 0xff,
      },
    );
    this.#config = config;
  }

  /**
   * The LNS's beginning: goes on from what a LAC negotiated, when that fits our configuration and `policy` is
   * "adopt", or negotiates from scratch. The peer notices nothing of an adoption.
   */
  static adopt(
    config: PppServerConfig,
    random: RandomSource,
    now: Instant,
    proxy: ProxiedSession,
    policy: "adopt" | "renegotiate",
  ): { readonly server: PppServer; readonly outputs: readonly PppServerOutput[] } {
    const server = new PppServer(config, random);
    if (proxy.authentication !== undefined)
      server.state.challengeIdentifier = proxy.authentication.identifier;
    const lcp =
      policy === "adopt" && proxy.lcp !== undefined
        ? adoptLcp(proxy.lcp, lcpConfig(config), config.timers, random)
        : undefined;
    if (lcp === undefined) return { server, outputs: server.start(now) };
    const outputs: Out = [];
    server.state.lcp = lcp;
    server.#adopted(now, proxy.authentication, outputs);
    return { server, outputs };
  }

  /** Lets the peer in. Without effect when `attempt` is not the one that is waiting. */
  accept(now: Instant, attempt: number, grant: Grant): readonly PppServerOutput[] {
    const ncps = this.#ncps(grant);
    const s = this.state;
    if (s.authenticator.kind !== "asked" || attempt !== s.attempt) return [];
    const out: Out = [];
    const { attempt: accepted } = s.authenticator;
    const verdict = verdictPacket(accepted, undefined);
    if (verdict !== undefined) this.send(verdict.protocol, verdict.packet, out);
    s.authenticator = {
      kind: "accepted",
      method: accepted.method,
      identifier: accepted.method === "none" ? 0 : accepted.identifier,
    };
    this.openNetwork(now, ncps, out);
    return out;
  }

  /** Tells the peer so, once, and ends the link. Without effect when `attempt` is not the one that is waiting. */
  reject(now: Instant, attempt: number, message: string): readonly PppServerOutput[] {
    const s = this.state;
    if (s.authenticator.kind !== "asked" || attempt !== s.attempt) return [];
    const out: Out = [];
    const verdict = verdictPacket(s.authenticator.attempt, message);
    if (verdict !== undefined) this.send(verdict.protocol, verdict.packet, out);
    s.authenticator = { kind: "idle" };
    const text = `the peer was refused: ${message}`;
    this.close(now, { kind: "authentication-failed", message, text }, "authentication failed", out);
    return out;
  }

  /**
   * The LAC's stage: somebody else will answer the attempt. From now on only Echo-Requests and repetitions of the
   * acknowledged Configure-Request are answered, and the newest authentication packet is kept for proxy().
   */
  hold(_now: Instant, attempt: number): readonly PppServerOutput[] {
    const s = this.state;
    if (s.authenticator.kind === "asked" && attempt === s.attempt)
      s.authenticator = { ...s.authenticator, held: true };
    return [];
  }

  /** What to put into the proxy AVPs of RFC 2661 §4.4.5; undefined while no attempt waits or is held. */
  proxy(): HeldSession | undefined {
    const { lcp, authenticator } = this.state;
    if (authenticator.kind !== "asked" || lcp.lastReceived === undefined) return undefined;
    const { attempt } = authenticator;
    return {
      lcp: {
        initialReceivedConfReq: lcp.firstReceived?.slice(),
        lastSentConfReq: lcp.negotiation.requestOptions.slice(),
        lastReceivedConfReq: lcp.lastReceived.slice(),
      },
      authentication:
        attempt.method === "none"
          ? undefined
          : attempt.method === "pap"
            ? {
                type: "pap",
                name: attempt.name,
                identifier: attempt.identifier,
                response: attempt.password,
              }
            : {
                type: "chap-md5",
                name: attempt.name,
                identifier: attempt.identifier,
                challenge: attempt.challenge,
                response: attempt.response,
              },
      frame: attempt.method === "none" ? undefined : attemptFrame(attempt),
    };
  }

  protected override authenticate(now: Instant, out: Out): void {
    const s = this.state;
    s.challengeIdentifier = (s.challengeIdentifier + 1) & 0xff;
    this.#step(
      now,
      beginAuthenticator(
        now,
        s.lcp.ask,
        s.challengeIdentifier,
        this.#config.name,
        this.random,
        this.#config.timers,
      ),
      out,
    );
  }

  protected override forgetAuthentication(out: Out): void {
    const s = this.state;
    if (s.authenticator.kind === "asked") out.push({ kind: "authenticate-void", attempt: s.attempt });
    s.authenticator = { kind: "idle" };
  }

  protected override receiveAuthentication(
    now: Instant,
    protocol: number,
    packet: Uint8Array,
    out: Out,
  ): void {
    this.#step(now, receiveAuthenticator(this.state.authenticator, protocol, packet), out);
  }

  protected override authenticationDeadline(): Instant {
    return this.state.phase === "terminate" ? NEVER : authenticatorDeadline(this.state.authenticator);
  }

  protected override authenticationTimeout(now: Instant, out: Out): void {
    const { authenticator } = this.state;
    this.#step(now, authenticatorTimeout(authenticator, now, this.#config.name, this.#config.timers), out);
  }

  /** In hold: everything that is not ours to answer is kept from LCP, because the LNS will answer it. */
  protected override intercept(_now: Instant, packet: ControlPacket, out: Out): boolean {
    const { authenticator, lcp } = this.state;
    if (authenticator.kind !== "asked" || !authenticator.held) return false;
    switch (packet.code) {
      case CONFIGURE_REQUEST:
        // Our Ack was lost. Anything else is a peer that begins anew, and goes LCP's usual way
        if (lcp.lastReceived === undefined || !equalBytes(packet.data, lcp.lastReceived)) return false;
        this.send(PPP_LCP, emitControlPacket({ ...packet, code: CONFIGURE_ACK }), out);
        return true;
      case ECHO_REQUEST:
      case ECHO_REPLY:
      case TERMINATE_REQUEST:
        return false;
      default:
        return true;
    }
  }

  #adopted(now: Instant, authentication: ProxyAuthentication | undefined, out: Out): void {
    const s = this.state;
    const attempt = authentication === undefined ? undefined : adoptAttempt(authentication, s.lcp.ask);
    if (attempt === undefined) {
      this.enterOpened(now, out);
      return;
    }
    // enterOpened would challenge a peer that has answered already
    s.phase = "authenticate";
    this.onTraffic(now);
    this.#step(now, ask(attempt), out);
  }

  #step(now: Instant, step: AuthenticatorStep, out: Out): void {
    const s = this.state;
    s.authenticator = step.state;
    for (const output of step.outputs) {
      switch (output.kind) {
        case "send":
          this.send(output.protocol, output.packet, out);
          break;
        case "asked":
          s.attempt += 1;
          out.push({
            kind: "authenticate",
            attempt: s.attempt,
            credentials: credentialsOf(output.attempt),
          });
          break;
        case "timeout": {
          const { lastSent, times } = output;
          const text = `the peer did not authenticate: ${lastSent} sent ${times} times, no answer`;
          this.close(
            now,
            { kind: "authentication-timeout", lastSent, times, text },
            "authentication timed out",
            out,
          );
        }
      }
    }
  }

  #ncps(grant: Grant): readonly NcpState[] {
    const ncps: NcpState[] = [];
    if (grant.ipv4 !== undefined) {
      const { local, remote, dns } = grant.ipv4;
      ncps.push(
        newIpcpServer(
          newNegotiation(this.firstIdentifier()),
          octetsOf(local),
          octetsOf(remote),
          dns.map(octetsOf),
        ),
      );
    }
    if (grant.ipv6 !== undefined) {
      const { localIdentifier, remoteIdentifier } = grant.ipv6;
      ncps.push(
        newIpv6cp(newNegotiation(this.firstIdentifier()), this.random, localIdentifier, remoteIdentifier),
      );
    }
    return ncps;
  }
}

function lcpConfig(config: PppServerConfig): LcpConfig {
  const { link, mruBytes, maxMruBytes, authentication } = config;
  return { link, mruBytes, maxMruBytes, ask: authentication, answer: [] };
}

function octetsOf(address: string): Uint8Array {
  const octets = parseIpv4Address(address);
  if (octets === undefined)
    throw new LacewingError("PPP_BAD_ADDRESS", `not an IPv4 address to grant: ${address}`);
  return octets;
}
