import { equalBytes, fromUtf8, utf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { emitChap, parseChap } from "../wire/chap.ts";
import { emitPap, parsePap } from "../wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { CHAP_MD5_RESPONSE_BYTES } from "./chap.ts";
import type { AuthenticationMethod } from "./lcp.ts";
import type { PppTimers } from "./timers.ts";

/** Octets of the challenges that we send. */
const CHALLENGE_BYTES = 16;

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
  /** We demand no authentication. */
  | { readonly method: "none" };

/** One authentication packet of the peer, as plain data. */
export type Attempt =
  | { method: "pap"; identifier: number; name: Uint8Array; password: Uint8Array }
  | {
      method: "chap-md5";
      identifier: number;
      name: Uint8Array;
      challenge: Uint8Array;
      response: Uint8Array;
    }
  | { method: "none" };

/** Plain data. */
export type AuthenticatorState =
  | { kind: "idle" }
  /** The peer has to begin. */
  | { kind: "awaiting-pap"; until: Instant }
  | {
      kind: "challenged";
      identifier: number;
      challenge: Uint8Array;
      transmissions: number;
      resendAt: Instant;
    }
  /** The owner was asked. Held: it lets somebody else answer, and wants the newest packet kept. */
  | { kind: "asked"; attempt: Attempt; held: boolean }
  /** The verdict was told; `identifier` is that of the CHAP response. */
  | { kind: "accepted"; method: Attempt["method"]; identifier: number };

type AuthenticatorOutput =
  /** A whole PAP or CHAP packet. */
  | { readonly kind: "send"; readonly protocol: number; readonly packet: Uint8Array }
  | { readonly kind: "asked"; readonly attempt: Attempt }
  | { readonly kind: "timeout"; readonly lastSent: string; readonly times: number };

export interface AuthenticatorStep {
  readonly state: AuthenticatorState;
  readonly outputs: readonly AuthenticatorOutput[];
}

const EMPTY = new Uint8Array(0);

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
  return {
    state: { kind: "challenged", identifier, challenge, transmissions: 1, resendAt: now + timers.restartMs },
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
  if (state.kind === "awaiting-pap") return state.until;
  return state.kind === "challenged" ? state.resendAt : NEVER;
}

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
  // PAP's request is the peer's to send: the last that we sent was LCP's
  return state.kind === "awaiting-pap" ? timedOut("LCP Configure-Ack", 1) : { state, outputs: [] };
}

/** The verdict on an attempt; with `message` it is a no. Nothing is sent where nothing was demanded. */
export function verdictPacket(
  attempt: Attempt,
  message: string | undefined,
): { readonly protocol: number; readonly packet: Uint8Array } | undefined {
  if (attempt.method === "none") return undefined;
  const text = message === undefined ? EMPTY : utf8(message).subarray(0, 255);
  const { identifier } = attempt;
  return attempt.method === "pap"
    ? {
        protocol: PPP_PAP,
        packet: emitPap({
          kind: message === undefined ? "authenticate-ack" : "authenticate-nak",
          identifier,
          message: text,
        }),
      }
    : {
        protocol: PPP_CHAP,
        packet: emitChap({
          kind: message === undefined ? "success" : "failure",
          identifier,
          message: text,
        }),
      };
}

export function credentialsOf(attempt: Attempt): Credentials {
  switch (attempt.method) {
    case "none":
      return { method: "none" };
    case "pap":
      return {
        method: "pap",
        name: fromUtf8(attempt.name),
        nameBytes: attempt.name,
        password: attempt.password,
      };
    case "chap-md5":
      return {
        method: "chap-md5",
        name: fromUtf8(attempt.name),
        nameBytes: attempt.name,
        identifier: attempt.identifier,
        challenge: attempt.challenge,
        response: attempt.response,
      };
  }
}

/** The packet of an attempt again, as a PPP frame. */
export function attemptFrame(attempt: Exclude<Attempt, { method: "none" }>): Uint8Array {
  const { identifier, name } = attempt;
  return attempt.method === "pap"
    ? emitPpp(
        PPP_PAP,
        emitPap({ kind: "authenticate-request", identifier, peerId: name, password: attempt.password }),
      )
    : emitPpp(PPP_CHAP, emitChap({ kind: "response", identifier, value: attempt.response, name }));
}

function receivePap(state: AuthenticatorState, packet: Uint8Array): AuthenticatorStep | undefined {
  const request = parsePap(packet);
  if (request?.kind !== "authenticate-request") return undefined;
  const attempt: Attempt = {
    method: "pap",
    identifier: request.identifier,
    name: request.peerId,
    password: request.password,
  };
  if (state.kind === "awaiting-pap") return ask(attempt);
  if (state.kind === "asked" && state.attempt.method === "pap") {
    // A repetition is not asked twice, but the verdict answers the newest. Held, it is the newest that counts
    const repeated =
      equalBytes(state.attempt.name, attempt.name) && equalBytes(state.attempt.password, attempt.password);
    return repeated || state.held ? { state: { ...state, attempt }, outputs: [] } : undefined;
  }
  // RFC 1334 §2.2.1: later requests get the same reply code as the first
  if (state.kind === "accepted" && state.method === "pap") return { state, outputs: verdictOutputs(attempt) };
  return undefined;
}

function receiveChap(state: AuthenticatorState, packet: Uint8Array): AuthenticatorStep | undefined {
  const response = parseChap(packet);
  if (response?.kind !== "response" || response.value.length !== CHAP_MD5_RESPONSE_BYTES) return undefined;
  const { identifier, value, name } = response;
  if (state.kind === "challenged" && identifier === state.identifier)
    return ask({ method: "chap-md5", identifier, name, challenge: state.challenge, response: value });
  if (state.kind === "asked" && state.held && state.attempt.method === "chap-md5") {
    if (identifier !== state.attempt.identifier) return undefined;
    return { state: { ...state, attempt: { ...state.attempt, name, response: value } }, outputs: [] };
  }
  // RFC 1994 §4.2: the Success may have been lost
  if (state.kind === "accepted" && state.method === "chap-md5" && identifier === state.identifier)
    return {
      state,
      outputs: verdictOutputs({ method: "chap-md5", identifier, name, challenge: EMPTY, response: value }),
    };
  return undefined;
}

function verdictOutputs(attempt: Attempt): readonly AuthenticatorOutput[] {
  const verdict = verdictPacket(attempt, undefined);
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
