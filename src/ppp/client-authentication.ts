import { fromUtf8 } from "../base/bytes.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { emitChap, parseChap } from "../wire/chap.ts";
import { emitPap, parsePap } from "../wire/pap.ts";
import { PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { chapMd5Response } from "./chap.ts";
import type { AuthenticationMethod } from "./lcp.ts";
import type { PppTimers } from "./timers.ts";

/** Who the one who is asked says to be, in octets. */
export interface ClientSecrets {
  readonly name: Uint8Array;
  readonly password: Uint8Array;
}

/** Plain data of the side that is asked. */
export type ClientAuthenticationState =
  | { kind: "idle" }
  | { kind: "awaiting-challenge"; until: Instant }
  /** `packet` was sent and is sent again until the verdict is there. */
  | {
      kind: "answered";
      method: AuthenticationMethod;
      identifier: number;
      packet: Uint8Array;
      transmissions: number;
      resendAt: Instant;
    }
  | { kind: "accepted"; method: AuthenticationMethod };

type ClientAuthenticationOutput =
  | { readonly kind: "send"; readonly protocol: number; readonly packet: Uint8Array }
  | { readonly kind: "accepted" }
  | { readonly kind: "failed"; readonly message: string }
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
  secrets: ClientSecrets,
  timers: PppTimers,
): ClientAuthenticationStep {
  if (method === "chap-md5")
    return {
      state: { kind: "awaiting-challenge", until: now + timers.restartMs * timers.maxConfigure },
      outputs: [],
    };
  const { name, password } = secrets;
  const packet = emitPap({ kind: "authenticate-request", identifier, peerId: name, password });
  return answer(now, "pap", identifier, packet, timers);
}

/** A PAP or CHAP packet came. */
export function receiveClientAuthentication(
  state: ClientAuthenticationState,
  now: Instant,
  protocol: number,
  packet: Uint8Array,
  secrets: ClientSecrets,
  timers: PppTimers,
): ClientAuthenticationStep {
  const step =
    protocol === PPP_PAP ? receivePap(state, packet) : receiveChap(state, now, packet, secrets, timers);
  return step ?? { state, outputs: [] };
}

export function clientAuthenticationDeadline(state: ClientAuthenticationState): Instant {
  if (state.kind === "awaiting-challenge") return state.until;
  return state.kind === "answered" ? state.resendAt : NEVER;
}

export function clientAuthenticationTimeout(
  state: ClientAuthenticationState,
  now: Instant,
  timers: PppTimers,
): ClientAuthenticationStep {
  if (now < clientAuthenticationDeadline(state)) return { state, outputs: [] };
  if (state.kind !== "answered") return timedOut("LCP Configure-Ack", 1);
  const { method, packet, transmissions } = state;
  if (transmissions >= timers.maxConfigure)
    return timedOut(method === "pap" ? "PAP Authenticate-Request" : "CHAP Response", transmissions);
  // RFC 1994 §4.2 lets a Response be repeated: the Success may have been lost
  return {
    state: { ...state, transmissions: transmissions + 1, resendAt: now + timers.restartMs },
    outputs: [sendOutput(method, packet)],
  };
}

function receivePap(
  state: ClientAuthenticationState,
  packet: Uint8Array,
): ClientAuthenticationStep | undefined {
  const reply = parsePap(packet);
  if (reply === undefined || reply.kind === "authenticate-request") return undefined;
  if (state.kind !== "answered" || state.method !== "pap" || reply.identifier !== state.identifier)
    return undefined;
  return verdict("pap", reply.kind === "authenticate-ack", reply.message);
}

function receiveChap(
  state: ClientAuthenticationState,
  now: Instant,
  packet: Uint8Array,
  secrets: ClientSecrets,
  timers: PppTimers,
): ClientAuthenticationStep | undefined {
  if (state.kind === "idle" || (state.kind !== "awaiting-challenge" && state.method !== "chap-md5"))
    return undefined;
  const message = parseChap(packet);
  if (message === undefined || message.kind === "response") return undefined;
  if ("value" in message) {
    const { identifier, value } = message;
    const response = chapMd5Response(identifier, secrets.password, value);
    const reply = emitChap({ kind: "response", identifier, value: response, name: secrets.name });
    // RFC 1994 §2: a challenge may come at any time; the link stays up meanwhile
    if (state.kind === "accepted") return { state, outputs: [sendOutput("chap-md5", reply)] };
    return answer(now, "chap-md5", identifier, reply, timers);
  }
  // Failure also ends a link that is open: the answer to a later challenge was wrong
  const failedLater = state.kind === "accepted" && message.kind === "failure";
  const answered = state.kind === "answered" && message.identifier === state.identifier;
  if (!failedLater && !answered) return undefined;
  return verdict("chap-md5", message.kind === "success", message.message);
}

function verdict(
  method: AuthenticationMethod,
  accepted: boolean,
  message: Uint8Array,
): ClientAuthenticationStep {
  return accepted
    ? { state: { kind: "accepted", method }, outputs: [{ kind: "accepted" }] }
    : { state: { kind: "idle" }, outputs: [{ kind: "failed", message: fromUtf8(message) }] };
}

function answer(
  now: Instant,
  method: AuthenticationMethod,
  identifier: number,
  packet: Uint8Array,
  timers: PppTimers,
): ClientAuthenticationStep {
  return {
    state: {
      kind: "answered",
      method,
      identifier,
      packet,
      transmissions: 1,
      resendAt: now + timers.restartMs,
    },
    outputs: [sendOutput(method, packet)],
  };
}

function sendOutput(method: AuthenticationMethod, packet: Uint8Array): ClientAuthenticationOutput {
  return { kind: "send", protocol: method === "pap" ? PPP_PAP : PPP_CHAP, packet };
}

function timedOut(lastSent: string, times: number): ClientAuthenticationStep {
  return { state: { kind: "idle" }, outputs: [{ kind: "timeout", lastSent, times }] };
}
