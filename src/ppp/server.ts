import { equalBytes } from "../base/bytes.ts";
import { LacewingError } from "../base/errors.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { ECHO_REPLY, ECHO_REQUEST } from "../wire/lcp.ts";
import { MS_CHAP_CHALLENGE_BYTES } from "../wire/ms-chap.ts";
import { PPP_LCP } from "../wire/ppp.ts";
import {
  CONFIGURE_ACK,
  CONFIGURE_REQUEST,
  type ControlPacket,
  emitControlPacket,
  TERMINATE_REQUEST,
} from "../wire/ppp-control.ts";
import { type Attempt, type Verdict, verdictPacket } from "./attempt.ts";
import {
  type AuthenticatorState,
  type AuthenticatorStep,
  acceptedState,
  ask,
  authenticatorDeadline,
  authenticatorTimeout,
  beginAuthenticator,
  type Credentials,
  credentialsOf,
  receiveAuthenticator,
} from "./authenticator.ts";
import { newIpcpServer } from "./ipcp.ts";
import { newIpv6cp } from "./ipv6cp.ts";
import { type AuthenticationMethod, forgetRequests, type LcpConfig, type LinkKind } from "./lcp.ts";
import { Link, type LinkState, newLinkState } from "./link.ts";
import type { LinkOutput } from "./link-types.ts";
import { newNegotiation } from "./negotiation.ts";
import type { NcpState } from "./network.ts";
import {
  adoptAttempt,
  adoptLcp,
  heldAuthentication,
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
  /** A peer that was let in by CHAP is challenged again after so long, in milliseconds; absent or 0: never. */
  readonly rechallengeIntervalMs?: number;
}

/** What a peer that was let in gets. At least one of the two; a protocol that is absent is Protocol-Rejected. */
export interface Grant {
  readonly ipv4?: {
    readonly local: string;
    readonly remote: string;
    /** At most two are told. */
    readonly dns: readonly string[];
  };
  /** Interface identifiers of eight octets; absent, ours is random and the peer's to correct, and its is its choice. */
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
  /**
   * The newest authentication frame of the peer, beginning with the PPP protocol field. Undefined with MS-CHAPv2, as
   * is `authentication`: RFC 2661 has no type for it, and only he who sent the challenge can tell what answers it.
   */
  readonly frame: Uint8Array | undefined;
}

/**
 * What an LNS makes of the LCP that a LAC has negotiated.
 *
 * - "adopt": goes on from it where it is what we would have agreed to ourselves, and negotiates anew where not.
 * - "renegotiate": negotiates anew.
 * - "never-renegotiate": goes on from it also where we would have wanted it otherwise: a large MRU, any method of
 *   authentication that we know, options that we put up with. With what can't be lived with (framing that we don't
 *   speak, an MRU below 128, no authentication where we demand one, a method that we don't know) the link is down at
 *   once, "proxy-unfit".
 *
 * A LAC that has negotiated nothing leaves it to us, whatever the policy is.
 */
export type AdoptionPolicy = "adopt" | "renegotiate" | "never-renegotiate";

type Out = PppServerOutput[];

/** The end of a PPP link that authenticates its peer and assigns addresses: in an LNS, in a PTA, and in a LAC until the bridge. */
export class PppServer extends Link<PppServerState, PppServerOutput> {
  readonly #config: PppServerConfig;

  constructor(config: PppServerConfig, random: RandomSource, state?: PppServerState) {
    super(
      lcpConfig(config),
      config.timers,
      random,
      state === undefined ? newServerState(random) : structuredClone(state),
    );
    this.#config = config;
  }

  /** The LNS's beginning: goes on from what a LAC negotiated, which the peer does not notice, or negotiates itself. */
  static adopt(
    config: PppServerConfig,
    random: RandomSource,
    now: Instant,
    proxy: ProxiedSession,
    policy: AdoptionPolicy,
  ): { readonly server: PppServer; readonly outputs: readonly PppServerOutput[] } {
    const server = new PppServer(config, random);
    if (proxy.authentication !== undefined)
      server.state.challengeIdentifier = proxy.authentication.identifier;
    if (proxy.lcp === undefined || policy === "renegotiate") return { server, outputs: server.start(now) };
    const strict = policy === "adopt";
    const lcp = adoptLcp(proxy.lcp, lcpConfig(config), config.timers, random, strict);
    const outputs: Out = [];
    if (typeof lcp === "string") {
      if (strict) return { server, outputs: server.start(now) };
      const text = `the LAC's negotiation cannot be lived with, and must not be done again: ${lcp}`;
      server.end(now, { kind: "proxy-unfit", text }, outputs);
      return { server, outputs };
    }
    server.state.lcp = lcp;
    server.#adopted(now, proxy.authentication, outputs);
    return { server, outputs };
  }

  /**
   * Lets the peer in. `authenticatorResponse`: what verifyMsChapV2 gave, and nothing for other methods. Without
   * effect when `attempt` is not the one that is waiting. Throws a LacewingError on a grant or proof that is none.
   */
  accept(
    now: Instant,
    attempt: number,
    grant: Grant,
    authenticatorResponse?: string,
  ): readonly PppServerOutput[] {
    const s = this.state;
    if (s.authenticator.kind !== "asked" || attempt !== s.attempt) return [];
    const { attempt: accepted } = s.authenticator;
    const { method } = accepted;
    if (method === "ms-chap-v2" && authenticatorResponse === undefined)
      throw new LacewingError("PPP_NO_PROOF", "MS-CHAPv2 is accepted with the authenticator response only");
    const again = s.phase === "network";
    const ncps = again ? [] : this.#ncps(grant);
    const out: Out = [];
    const identifier = method === "none" ? 0 : accepted.identifier;
    this.#sendVerdict(method, identifier, { accepted: true, authenticatorResponse }, out);
    const { rechallengeIntervalMs = 0, timers } = this.#config;
    const rechallengeAt = rechallengeIntervalMs > 0 ? now + rechallengeIntervalMs : NEVER;
    // with the network protocols' Configure-Requests; a peer challenged again is in the network phase already
    const successAt = again ? NEVER : now + timers.restartMs;
    s.authenticator = acceptedState(accepted, authenticatorResponse, rechallengeAt, successAt);
    forgetRequests(s.lcp);
    if (!again) this.openNetwork(now, ncps, out);
    return out;
  }

  /** Tells the peer so, once, and ends the link. Without effect when `attempt` is not the one that is waiting. */
  reject(now: Instant, attempt: number, message: string): readonly PppServerOutput[] {
    const s = this.state;
    if (s.authenticator.kind !== "asked" || attempt !== s.attempt) return [];
    const out: Out = [];
    const { attempt: refused } = s.authenticator;
    const identifier = refused.method === "none" ? 0 : refused.identifier;
    const challenge = this.random.bytes(MS_CHAP_CHALLENGE_BYTES);
    this.#sendVerdict(refused.method, identifier, { accepted: false, message, challenge }, out);
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
      ...heldAuthentication(attempt),
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

  protected override networkHeard(): void {
    const { authenticator } = this.state;
    // it has the verdict
    if (authenticator.kind === "accepted") authenticator.successAt = NEVER;
  }

  protected override authenticationDeadline(): Instant {
    return this.state.phase === "terminate" ? NEVER : authenticatorDeadline(this.state.authenticator);
  }

  protected override authenticationTimeout(now: Instant, out: Out): void {
    const { authenticator } = this.state;
    if (authenticator.kind === "accepted" && authenticator.rechallengeAt <= now) {
      this.authenticate(now, out);
      return;
    }
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

  #sendVerdict(method: Attempt["method"], identifier: number, verdict: Verdict, out: Out): void {
    const told = verdictPacket(method, identifier, verdict);
    if (told !== undefined) this.send(told.protocol, told.packet, out);
  }

  #ncps(grant: Grant): readonly NcpState[] {
    const ncps: NcpState[] = [];
    if (grant.ipv4 !== undefined) {
      const { local, remote, dns } = grant.ipv4;
      ncps.push(newIpcpServer(newNegotiation(this.firstIdentifier()), local, remote, dns));
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

function newServerState(random: RandomSource): PppServerState {
  // not { ...state, more }: each such object would be of another shape to the engine, and all that looks at it slow
  return Object.assign(newLinkState(random), {
    authenticator: { kind: "idle" } as const,
    attempt: 0,
    challengeIdentifier: random.uint32() & 0xff,
  });
}

/** What we submit to. */
const NOTHING: readonly AuthenticationMethod[] = [];

function lcpConfig(config: PppServerConfig): LcpConfig {
  const { link, mruBytes, maxMruBytes, authentication } = config;
  return { link, mruBytes, maxMruBytes, ask: authentication, answer: NOTHING };
}
