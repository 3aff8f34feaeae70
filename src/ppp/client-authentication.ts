import { equalBytes, fromUtf8 } from "../base/bytes.ts";
import type { RandomSource } from "../base/random.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { emitChap, parseChap } from "../wire/chap.ts";
import {
  authenticatorResponseOf,
  emitMsChapV2Response,
  MS_CHAP_CHALLENGE_BYTES,
  msChapFailureText,
} from "../wire/ms-chap.ts";
import { emitPap, parsePap } from "../wire/pap.ts";
import { PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import type { ChapMethod } from "./attempt.ts";
import { chapMd5Response } from "./chap.ts";
import type { AuthenticationMethod } from "./lcp.ts";
import { authenticatorResponse, ntResponse } from "./ms-chap-v2.ts";
import type { PppTimers } from "./timers.ts";

/** Who the one who is asked says to be, in octets. */
export interface ClientSecrets {
  readonly name: Uint8Array;
  readonly password: Uint8Array;
}

/** Plain data: the Response to a challenge. */
interface ChapAnswer {
  readonly identifier: number;
  readonly challenge: Uint8Array;
  readonly packet: Uint8Array;
  /** What the Success must begin with; undefined when the method has nothing like that. */
  readonly proof: string | undefined;
}

/** Plain data of the side that is asked. */
export type ClientAuthenticationState =
  | { kind: "idle" }
  | { kind: "awaiting-challenge"; method: ChapMethod; until: Instant }
  /** The request was sent and is sent again until the verdict is there. */
  | { kind: "requested"; identifier: number; packet: Uint8Array; transmissions: number; resendAt: Instant }
  /** So is the Response. */
  | { kind: "answered"; method: ChapMethod; answer: ChapAnswer; transmissions: number; resendAt: Instant }
  /** `answer`: the newest; its challenge may be on its way to us a second time. Undefined with PAP. */
  | { kind: "accepted"; method: AuthenticationMethod; answer: ChapAnswer | undefined };

type ClientAuthenticationOutput =
  | { readonly kind: "send"; readonly protocol: number; readonly packet: Uint8Array }
  | { readonly kind: "accepted" }
  | { readonly kind: "failed"; readonly message: string }
  /** The peer accepts us without showing that it knows the password. */
  | { readonly kind: "impostor" }
  | { readonly kind: "timeout"; readonly lastSent: string; readonly times: number };

export interface ClientAuthenticationStep {
  readonly state: ClientAuthenticationState;
  readonly outputs: readonly ClientAuthenticationOutput[];
}

/** The peer has demanded `method`; `identifier` is for a PAP request. */
export function beginClientAuthentication(
  now: Instant,
  method: AuthenticationMethod,
  identifier: number,
  { name, password }: ClientSecrets,
  timers: PppTimers,
): ClientAuthenticationStep {
  if (method !== "pap")
    return {
      state: { kind: "awaiting-challenge", method, until: now + timers.restartMs * timers.maxConfigure },
      outputs: [],
    };
  const packet = emitPap({ kind: "authenticate-request", identifier, peerId: name, password });
  return {
    state: { kind: "requested", identifier, packet, transmissions: 1, resendAt: now + timers.restartMs },
    outputs: [{ kind: "send", protocol: PPP_PAP, packet }],
  };
}

/** A PAP or CHAP packet came. */
export function receiveClientAuthentication(
  state: ClientAuthenticationState,
  now: Instant,
  protocol: number,
  packet: Uint8Array,
  secrets: ClientSecrets,
  random: RandomSource,
  timers: PppTimers,
): ClientAuthenticationStep {
  const step =
    protocol === PPP_PAP
      ? receivePap(state, packet)
      : receiveChap(state, now, packet, secrets, random, timers);
  return step ?? { state, outputs: [] };
}

export function clientAuthenticationDeadline(state: ClientAuthenticationState): Instant {
  switch (state.kind) {
    case "awaiting-challenge":
      return state.until;
    case "requested":
    case "answered":
      return state.resendAt;
    default:
      return NEVER;
  }
}

export function clientAuthenticationTimeout(
  state: ClientAuthenticationState,
  now: Instant,
  timers: PppTimers,
): ClientAuthenticationStep {
  if (now < clientAuthenticationDeadline(state)) return { state, outputs: [] };
  if (state.kind !== "requested" && state.kind !== "answered") return timedOut("LCP Configure-Ack", 1);
  const pap = state.kind === "requested";
  const { transmissions } = state;
  if (transmissions >= timers.maxConfigure)
    return timedOut(pap ? "PAP Authenticate-Request" : "CHAP Response", transmissions);
  // RFC 1994 §4.2 lets a Response be repeated: the Success may have been lost
  return {
    state: { ...state, transmissions: transmissions + 1, resendAt: now + timers.restartMs },
    outputs: [pap ? { kind: "send", protocol: PPP_PAP, packet: state.packet } : responseOutput(state.answer)],
  };
}

function receivePap(
  state: ClientAuthenticationState,
  packet: Uint8Array,
): ClientAuthenticationStep | undefined {
  const reply = parsePap(packet);
  if (reply === undefined || reply.kind === "authenticate-request") return undefined;
  if (state.kind !== "requested" || reply.identifier !== state.identifier) return undefined;
  return reply.kind === "authenticate-ack" ? accepted("pap", undefined) : failed(fromUtf8(reply.message));
}

function receiveChap(
  state: ClientAuthenticationState,
  now: Instant,
  packet: Uint8Array,
  secrets: ClientSecrets,
  random: RandomSource,
  timers: PppTimers,
): ClientAuthenticationStep | undefined {
  if (state.kind === "idle" || state.kind === "requested" || state.method === "pap") return undefined;
  const message = parseChap(packet);
  if (message === undefined || message.kind === "response") return undefined;
  const { method } = state;
  const answer = answerOf(state);
  if ("value" in message) {
    const { identifier, value: challenge } = message;
    // The same challenge gets the same answer: another one would void the proof that is on its way to us
    const repeated = answer?.identifier === identifier && equalBytes(answer.challenge, challenge);
    const newest = repeated ? answer : respond(method, identifier, challenge, secrets, random);
    // RFC 1994 §2: a challenge may come at any time; the link stays up meanwhile
    const next: ClientAuthenticationState =
      state.kind === "accepted"
        ? { ...state, answer: newest }
        : { kind: "answered", method, answer: newest, transmissions: 1, resendAt: now + timers.restartMs };
    return { state: next, outputs: [responseOutput(newest)] };
  }
  if (message.kind === "failure") {
    // Failure also ends a link that is open: the answer to a later challenge was wrong
    if (state.kind !== "accepted" && answer?.identifier !== message.identifier) return undefined;
    return failed(method === "ms-chap-v2" ? msChapFailureText(message.message) : fromUtf8(message.message));
  }
  if (answer === undefined || answer.identifier !== message.identifier) return undefined;
  // RFC 2759 §5: the session must end when the authenticator response is missing or wrong
  if (answer.proof !== undefined && authenticatorResponseOf(message.message) !== answer.proof)
    return { state: { kind: "idle" }, outputs: [{ kind: "impostor" }] };
  return state.kind === "accepted" ? undefined : accepted(method, answer);
}

function answerOf(state: ClientAuthenticationState): ChapAnswer | undefined {
  return state.kind === "answered" || state.kind === "accepted" ? state.answer : undefined;
}

function respond(
  method: ChapMethod,
  identifier: number,
  challenge: Uint8Array,
  { name, password }: ClientSecrets,
  random: RandomSource,
): ChapAnswer {
  if (method === "chap-md5") {
    const value = chapMd5Response(identifier, password, challenge);
    return {
      identifier,
      challenge,
      packet: emitChap({ kind: "response", identifier, value, name }),
      proof: undefined,
    };
  }
  const peerChallenge = random.bytes(MS_CHAP_CHALLENGE_BYTES);
  const exchange = { challenge, peerChallenge, name, password };
  const response = ntResponse(exchange);
  const value = emitMsChapV2Response({ peerChallenge, ntResponse: response });
  return {
    identifier,
    challenge,
    packet: emitChap({ kind: "response", identifier, value, name }),
    proof: authenticatorResponse(exchange, response),
  };
}

function accepted(method: AuthenticationMethod, answer: ChapAnswer | undefined): ClientAuthenticationStep {
  return { state: { kind: "accepted", method, answer }, outputs: [{ kind: "accepted" }] };
}

function failed(message: string): ClientAuthenticationStep {
  return { state: { kind: "idle" }, outputs: [{ kind: "failed", message }] };
}

function responseOutput({ packet }: ChapAnswer): ClientAuthenticationOutput {
  return { kind: "send", protocol: PPP_CHAP, packet };
}

function timedOut(lastSent: string, times: number): ClientAuthenticationStep {
  return { state: { kind: "idle" }, outputs: [{ kind: "timeout", lastSent, times }] };
}
