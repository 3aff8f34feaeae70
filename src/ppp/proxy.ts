import type { RandomSource } from "../base/random.ts";
import { parseLcpOption } from "../wire/lcp.ts";
import { parseOptions } from "../wire/ppp-control.ts";
import type { Attempt } from "./authenticator.ts";
import { CHAP_MD5_RESPONSE_BYTES } from "./chap.ts";
import {
  type AuthenticationMethod,
  authenticationMethod,
  type LcpConfig,
  LcpPolicy,
  type LcpState,
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

/** The LCP that the LAC negotiated as if we had done it, or undefined when it does not fit our configuration. */
export function adoptLcp(
  proxy: ProxyLcp,
  config: LcpConfig,
  timers: PppTimers,
  random: RandomSource,
): LcpState | undefined {
  const sent = parseOptions(proxy.lastSentConfReq);
  const received = parseOptions(proxy.lastReceivedConfReq);
  if (sent === undefined || received === undefined) return undefined;

  const state = newLcp(adoptedNegotiation(random.uint32() & 0xff, proxy.lastSentConfReq.slice(), timers));
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
        if (method === undefined) return undefined;
        state.ask = method;
        break;
      }
      case "accm":
      case "pfc":
      case "acfc":
        // They let the peer send in forms that the data plane takes from everybody
        break;
      default:
        return undefined;
    }
  }
  if (!authenticationFits(state.ask, config)) return undefined;
  // What we would not have acknowledged ourselves we don't adopt; judged by a policy of its own, without traces
  const judge = new LcpPolicy(config, random, newLcp(newNegotiation(0)));
  if (judge.judge(received, true).kind !== "ack") return undefined;
  readPeerOptions(state, received);
  // The peer must not have been promised that we prove who we are: the LAC can't have meant us
  if (state.answer !== undefined) return undefined;
  state.firstReceived = proxy.initialReceivedConfReq?.slice();
  return state;
}

/** The authentication packet as if the peer had sent it to us, or undefined when it is not of the method agreed on. */
export function adoptAttempt(
  proxy: ProxyAuthentication,
  method: AuthenticationMethod | undefined,
): Attempt | undefined {
  if (proxy.type !== method) return undefined;
  const { name, identifier, response } = proxy;
  if (proxy.type === "pap") return { method: "pap", identifier, name, password: response };
  if (proxy.challenge.length === 0 || response.length !== CHAP_MD5_RESPONSE_BYTES) return undefined;
  return { method: "chap-md5", identifier, name, challenge: proxy.challenge, response };
}

function authenticationFits(method: AuthenticationMethod | undefined, config: LcpConfig): boolean {
  return method === undefined ? config.ask.length === 0 : config.ask.includes(method);
}
