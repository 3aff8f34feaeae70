import type { RandomSource } from "../base/random.ts";
import { emitChap } from "../wire/chap.ts";
import { OPTION_AUTHENTICATION, OPTION_ENDPOINT_DISCRIMINATOR, parseLcpOption } from "../wire/lcp.ts";
import { emitPap } from "../wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { type ConfigOption, parseOptions } from "../wire/ppp-control.ts";
import { type Attempt, chapAttempt } from "./attempt.ts";
import {
  type AuthenticationMethod,
  authenticationMethod,
  DEFAULT_ACCM,
  type LcpConfig,
  LcpPolicy,
  type LcpState,
  MIN_MRU_BYTES,
  newLcp,
  readPeerOptions,
} from "./lcp.ts";
import { adoptedNegotiation, newNegotiation } from "./negotiation.ts";
import type { PppTimers } from "./timers.ts";

/** LCP that a LAC negotiated (RFC 2661 §4.4.5): options of Configure-Requests without the four octets of header. */
export interface ProxyLcp {
  readonly initialReceivedConfReq: Uint8Array | undefined;
  /** What the LAC said, and the peer acknowledged. */
  readonly lastSentConfReq: Uint8Array;
  /** What the peer said, and the LAC acknowledged. */
  readonly lastReceivedConfReq: Uint8Array;
}

/** The authentication packet that a LAC has not answered (RFC 2661 §4.4.5, Proxy Authen AVPs). */
export type ProxyAuthentication =
  | {
      readonly type: "pap";
      readonly name: Uint8Array;
      readonly identifier: number;
      /** The password: a secret. */
      readonly response: Uint8Array;
    }
  | {
      readonly type: "chap-md5";
      readonly name: Uint8Array;
      readonly identifier: number;
      readonly challenge: Uint8Array;
      readonly response: Uint8Array;
    };

/** What an LNS got from a LAC. */
export interface ProxiedSession {
  readonly lcp: ProxyLcp | undefined;
  readonly authentication: ProxyAuthentication | undefined;
}

/**
 * The LCP that the LAC negotiated as if we had done it, or why that cannot be. `strict`: it has to be what we would
 * have agreed to; otherwise what can be lived with will do.
 */
export function adoptLcp(
  proxy: ProxyLcp,
  config: LcpConfig,
  timers: PppTimers,
  random: RandomSource,
  strict: boolean,
): LcpState | string {
  const sent = parseOptions(proxy.lastSentConfReq);
  const received = parseOptions(proxy.lastReceivedConfReq);
  if (sent === undefined || received === undefined) return "its options do not add up";

  const state = newLcp(adoptedNegotiation(random.uint32() & 0xff, proxy.lastSentConfReq.slice(), timers));
  const problem = readSentOptions(state, sent, strict);
  if (problem !== undefined) return problem;
  if (state.ask === undefined && config.ask.length > 0) return "the subscriber need not authenticate himself";
  if (strict) {
    if (state.ask !== undefined && !config.ask.includes(state.ask)) return "another authentication method";
    // What we would not have acknowledged ourselves we don't adopt; judged by a policy of its own, without traces
    const judge = new LcpPolicy(config, random, newLcp(newNegotiation(0)));
    if (judge.judge(received, true).kind !== "ack") return "the subscriber's options are not to our liking";
  }
  readPeerOptions(state, received);
  if (state.peerMruBytes < MIN_MRU_BYTES) return `an MRU of ${state.peerMruBytes} octets`;
  // The peer must not have been promised that we prove who we are: the LAC can't have meant us
  if (received.some(({ type }) => type === OPTION_AUTHENTICATION))
    return "the subscriber was promised that we authenticate ourselves";
  state.firstReceived = proxy.initialReceivedConfReq?.slice();
  // the line is the LAC's, and it knows what it has agreed to itself
  state.peerAccm = DEFAULT_ACCM;
  return state;
}

/** What the LAC said for us. Whatever the subscriber may do because of it, we have to understand. */
function readSentOptions(
  state: LcpState,
  sent: readonly ConfigOption[],
  strict: boolean,
): string | undefined {
  for (const raw of sent) {
    const option = parseLcpOption(raw);
    switch (option.kind) {
      case "mru":
        state.mruBytes = option.mruBytes;
        break;
      case "magic":
        state.magic = option.magic;
        break;
      case "authentication": {
        const method = authenticationMethod(option);
        if (method === undefined) return "an authentication method that we do not know";
        state.ask = method;
        break;
      }
      case "accm":
      case "pfc":
      case "acfc":
        // They let the peer send in forms that the data plane takes from everybody
        break;
      case "quality":
        if (strict) return "quality reports";
        break;
      default:
        if (strict || raw.type !== OPTION_ENDPOINT_DISCRIMINATOR) return `the option of type ${raw.type}`;
    }
  }
  return undefined;
}

/** The authentication packet as if the peer had sent it to us, or undefined when it is not of the method agreed on. */
export function adoptAttempt(
  proxy: ProxyAuthentication,
  method: AuthenticationMethod | undefined,
): Attempt | undefined {
  if (proxy.type !== method) return undefined;
  const { name, identifier, response } = proxy;
  if (proxy.type === "pap") return { method: "pap", identifier, name, password: response };
  if (proxy.challenge.length === 0) return undefined;
  return chapAttempt("chap-md5", proxy.challenge, { identifier, name, value: response });
}

/** The inverse: an attempt that is held, for the proxy AVPs, and its frame. */
export function heldAuthentication(attempt: Attempt): {
  readonly authentication: ProxyAuthentication | undefined;
  readonly frame: Uint8Array | undefined;
} {
  switch (attempt.method) {
    case "pap": {
      const { identifier, name, password } = attempt;
      const packet = emitPap({ kind: "authenticate-request", identifier, peerId: name, password });
      const authentication = { type: "pap", name, identifier, response: password } as const;
      return { authentication, frame: emitPpp(PPP_PAP, packet) };
    }
    case "chap-md5": {
      const { identifier, name, challenge, response } = attempt;
      const packet = emitChap({ kind: "response", identifier, value: response, name });
      const authentication = { type: "chap-md5", name, identifier, challenge, response } as const;
      return { authentication, frame: emitPpp(PPP_CHAP, packet) };
    }
    default:
      return { authentication: undefined, frame: undefined };
  }
}
