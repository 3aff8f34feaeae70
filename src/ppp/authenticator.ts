import { equalBytes, fromUtf8, utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { emitChap, parseChap } from "../wire/chap.ts";
import type { MsChapV2Response } from "../wire/ms-chap.ts";
import { parsePap } from "../wire/pap.ts";
import { PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { type Attempt, type ChapMethod, chapAttempt, verdictPacket } from "./attempt.ts";
import type { AuthenticationMethod } from "./lcp.ts";
import type { PppTimers } from "./timers.ts";

/** Octets of the challenges that we send; RFC 2759 §3 leaves no choice. */
const CHALLENGE_BYTES = 16;

/** How often a Success is said again to a peer that nothing of the network phase is heard of. */
const MAX_SUCCESS_RESENDS = 3;

/** What a peer said to prove who it is. `name` is `nameBytes` as UTF-8 text. */
export type Credentials =
  | {
      readonly method: "pap";
      readonly name: string;
      readonly nameBytes: Uint8Array;
      /** A secret: not for logs. */
      readonly password: Uint8Array;
    }
  | {
      readonly method: "chap-md5";
      readonly name: string;
      readonly nameBytes: Uint8Array;
      /** With `challenge` and `response`: what verifyChapMd5 wants. */
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly response: Uint8Array;
    }
  /** What verifyMsChapV2 wants; what that gives goes into accept(). `name` may begin with a Windows domain and "\". */
  | ({
      readonly method: "ms-chap-v2";
      readonly name: string;
      readonly nameBytes: Uint8Array;
      /** Beside them for RADIUS, which wants it (RFC 2548 §2.3.2). */
      readonly identifier: number;
      readonly challenge: Uint8Array;
    } & MsChapV2Response)
  /** We demand no authentication. */
  | { readonly method: "none" };

/** Plain data. */
export type AuthenticatorState =
  | { kind: "idle" }
  /** The peer has to begin. */
  | { kind: "awaiting-pap"; until: Instant }
  | {
      kind: "challenged";
      method: ChapMethod;
      identifier: number;
      challenge: Uint8Array;
      transmissions: number;
      resendAt: Instant;
    }
  /** The owner was asked. Held: it lets somebody else answer, and wants the newest packet kept. */
  | { kind: "asked"; attempt: Attempt; held: boolean }
  /** The verdict was told; `identifier` is that of the CHAP response. */
  | {
      kind: "accepted";
      method: Attempt["method"];
      identifier: number;
      /** Of MS-CHAPv2, for a Success that is to be sent again. */
      authenticatorResponse: string | undefined;
      rechallengeAt: Instant;
      /** How often, and when next, the Success is sent again unasked; NEVER when it is not. */
      successResends: number;
      successAt: Instant;
    };

type AuthenticatorOutput =
  /** A whole PAP or CHAP packet. */
  | { readonly kind: "send"; readonly protocol: number; readonly packet: Uint8Array }
  | { readonly kind: "asked"; readonly attempt: Attempt }
  | { readonly kind: "timeout"; readonly lastSent: string; readonly times: number };

export interface AuthenticatorStep {
  readonly state: AuthenticatorState;
  readonly outputs: readonly AuthenticatorOutput[];
}

/** Begins to demand `method` of the peer. `identifier` is the challenge's; `name` is ours (RFC 1994 §4.1). */
export function beginAuthenticator(
  now: Instant,
  method: AuthenticationMethod | undefined,
  identifier: number,
  name: string,
  random: RandomSource,
  timers: PppTimers,
): AuthenticatorStep {
  if (method === undefined) return ask({ method: "none" });
  if (method === "pap")
    return {
      state: { kind: "awaiting-pap", until: now + timers.restartMs * timers.maxConfigure },
      outputs: [],
    };
  const challenge = random.bytes(CHALLENGE_BYTES);
  const resendAt = now + timers.restartMs;
  return {
    state: { kind: "challenged", method, identifier, challenge, transmissions: 1, resendAt },
    outputs: [challengeOutput(identifier, challenge, name)],
  };
}

/** The owner is asked about `attempt`. */
export function ask(attempt: Attempt): AuthenticatorStep {
  return { state: { kind: "asked", attempt, held: false }, outputs: [{ kind: "asked", attempt }] };
}

/** A PAP or CHAP packet came. */
export function receiveAuthenticator(
  state: AuthenticatorState,
  protocol: number,
  packet: Uint8Array,
): AuthenticatorStep {
  const step = protocol === PPP_PAP ? receivePap(state, packet) : receiveChap(state, packet);
  return step ?? { state, outputs: [] };
}

export function authenticatorDeadline(state: AuthenticatorState): Instant {
  switch (state.kind) {
    case "awaiting-pap":
      return state.until;
    case "challenged":
      return state.resendAt;
    case "accepted":
      return Math.min(state.rechallengeAt, state.successAt);
    default:
      return NEVER;
  }
}

/** The peer has not said anything in time. It is not challenged anew here, when that is due of an accepted one. */
export function authenticatorTimeout(
  state: AuthenticatorState,
  now: Instant,
  name: string,
  timers: PppTimers,
): AuthenticatorStep {
  if (now < authenticatorDeadline(state)) return { state, outputs: [] };
  if (state.kind === "challenged" && state.transmissions < timers.maxConfigure) {
    const { identifier, challenge } = state;
    return {
      state: { ...state, transmissions: state.transmissions + 1, resendAt: now + timers.restartMs },
      outputs: [challengeOutput(identifier, challenge, name)],
    };
  }
  if (state.kind === "challenged") return timedOut("CHAP Challenge", state.transmissions);
  if (state.kind === "accepted") return resendSuccess(state, now, timers);
  // PAP's request is the peer's to send: the last that we sent was LCP's
  return state.kind === "awaiting-pap" ? timedOut("LCP Configure-Ack", 1) : { state, outputs: [] };
}

/**
 * What is known of a peer that was just let in. RFC 1994 §4.2 leaves it to the peer to repeat its Response when the
 * Success is lost; one that does not (pppd) would wait for ever, so it is told again. Who has it passes it over.
 */
export function acceptedState(
  attempt: Attempt,
  authenticatorResponse: string | undefined,
  rechallengeAt: Instant,
  successAt: Instant,
): AuthenticatorState {
  const { method } = attempt;
  const chap = "challenge" in attempt;
  return {
    kind: "accepted",
    method,
    identifier: method === "none" ? 0 : attempt.identifier,
    authenticatorResponse,
    rechallengeAt: chap ? rechallengeAt : NEVER,
    successResends: 0,
    successAt: chap ? successAt : NEVER,
  };
}

export function credentialsOf(attempt: Attempt): Credentials {
  if (attempt.method === "none") return attempt;
  const { method, name: nameBytes } = attempt;
  const name = fromUtf8(nameBytes);
  if (method === "pap") return { method, name, nameBytes, password: attempt.password };
  // what is added comes before what is spread: an object of the same shape each time
  return { nameBytes, ...attempt, name };
}

function receivePap(state: AuthenticatorState, packet: Uint8Array): AuthenticatorStep | undefined {
  const request = parsePap(packet);
  if (request?.kind !== "authenticate-request") return undefined;
  const { identifier, peerId: name, password } = request;
  const attempt: Attempt = { method: "pap", identifier, name, password };
  if (state.kind === "awaiting-pap") return ask(attempt);
  if (state.kind === "asked" && state.attempt.method === "pap") {
    // A repetition is not asked twice, but the verdict answers the newest. Held, it is the newest that counts
    const repeated = equalBytes(state.attempt.name, name) && equalBytes(state.attempt.password, password);
    return repeated || state.held ? { state: { ...state, attempt }, outputs: [] } : undefined;
  }
  // RFC 1334 §2.2.1: later requests get the same reply code as the first
  if (state.kind === "accepted" && state.method === "pap")
    return { state, outputs: successOutputs(state, identifier) };
  return undefined;
}

function receiveChap(state: AuthenticatorState, packet: Uint8Array): AuthenticatorStep | undefined {
  const message = parseChap(packet);
  if (message === undefined || message.kind !== "response" || !("value" in message)) return undefined;
  const { identifier } = message;
  switch (state.kind) {
    case "challenged": {
      if (identifier !== state.identifier) return undefined;
      const attempt = chapAttempt(state.method, state.challenge, message);
      return attempt && ask(attempt);
    }
    case "asked": {
      const { attempt, held } = state;
      if (!held || !("challenge" in attempt) || identifier !== attempt.identifier) return undefined;
      const newest = chapAttempt(attempt.method, attempt.challenge, message);
      return newest && { state: { ...state, attempt: newest }, outputs: [] };
    }
    case "accepted":
      // RFC 1994 §4.2: the Success may have been lost
      return state.method === "pap" || identifier !== state.identifier
        ? undefined
        : { state, outputs: successOutputs(state, identifier) };
    default:
      return undefined;
  }
}

type Accepted = Extract<AuthenticatorState, { kind: "accepted" }>;

function resendSuccess(state: Accepted, now: Instant, timers: PppTimers): AuthenticatorStep {
  const successResends = state.successResends + 1;
  const successAt = successResends < MAX_SUCCESS_RESENDS ? now + timers.restartMs : NEVER;
  return { state: { ...state, successResends, successAt }, outputs: successOutputs(state, state.identifier) };
}

function successOutputs(state: Accepted, identifier: number): readonly AuthenticatorOutput[] {
  const { method, authenticatorResponse } = state;
  const verdict = verdictPacket(method, identifier, { accepted: true, authenticatorResponse });
  return verdict === undefined ? [] : [{ kind: "send", ...verdict }];
}

function challengeOutput(identifier: number, challenge: Uint8Array, name: string): AuthenticatorOutput {
  return {
    kind: "send",
    protocol: PPP_CHAP,
    packet: emitChap({ kind: "challenge", identifier, value: challenge, name: utf8(name) }),
  };
}

function timedOut(lastSent: string, times: number): AuthenticatorStep {
  return { state: { kind: "idle" }, outputs: [{ kind: "timeout", lastSent, times }] };
}
