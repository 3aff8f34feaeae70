/** What ICCN and OCCN say about a call, between their attributes and the values that the owner handles. */

import type { MessageOf } from "../wire/l2tp-messages.ts";
import type { CallConnection, ProxyAuth, ProxyLcp } from "./outputs.ts";

/** Connect speeds have 32 bits and saturate. */
export function bitsPerSecond(speed: number): number {
  return Math.max(0, Math.min(Math.floor(speed), 0xffff_ffff));
}

/** ICCN. */
export function iccnOf(c: CallConnection): MessageOf<"ICCN"> {
  const { proxyLcp: lcp, proxyAuth: auth } = c;
  return {
    kind: "ICCN",
    txConnectSpeed: bitsPerSecond(c.txConnectSpeed),
    framingType: c.framingType,
    ...(c.rxConnectSpeed !== undefined && { rxConnectSpeed: bitsPerSecond(c.rxConnectSpeed) }),
    ...(lcp?.initialReceived !== undefined && { initialReceivedLcp: lcp.initialReceived }),
    ...(lcp?.lastSent !== undefined && { lastSentLcp: lcp.lastSent }),
    ...(lcp?.lastReceived !== undefined && { lastReceivedLcp: lcp.lastReceived }),
    ...(auth !== undefined && { proxyAuthenType: auth.type }),
    ...(auth?.name !== undefined && { proxyAuthenName: auth.name }),
    ...(auth?.challenge !== undefined && { proxyAuthenChallenge: auth.challenge }),
    ...(auth?.id !== undefined && { proxyAuthenId: auth.id & 0xff }),
    ...(auth?.response !== undefined && { proxyAuthenResponse: auth.response }),
    ...(c.privateGroupId !== undefined && { privateGroupId: c.privateGroupId }),
    ...(c.sequencingRequired === true && { sequencingRequired: true as const }),
    ...(c.avps !== undefined && { avps: c.avps }),
  };
}

/** OCCN: there is nothing to pass on from a subscriber who is called. */
export function occnOf(c: CallConnection): MessageOf<"OCCN"> {
  return {
    kind: "OCCN",
    txConnectSpeed: bitsPerSecond(c.txConnectSpeed),
    framingType: c.framingType,
    ...(c.rxConnectSpeed !== undefined && { rxConnectSpeed: bitsPerSecond(c.rxConnectSpeed) }),
    ...(c.sequencingRequired === true && { sequencingRequired: true as const }),
  };
}

/** What ICCN said. */
export function connectionOf(m: MessageOf<"ICCN">): CallConnection {
  const proxyLcp: ProxyLcp = {
    ...(m.initialReceivedLcp !== undefined && { initialReceived: m.initialReceivedLcp }),
    ...(m.lastSentLcp !== undefined && { lastSent: m.lastSentLcp }),
    ...(m.lastReceivedLcp !== undefined && { lastReceived: m.lastReceivedLcp }),
  };
  const proxyAuth: ProxyAuth | undefined =
    m.proxyAuthenType === undefined
      ? undefined
      : {
          type: m.proxyAuthenType,
          ...(m.proxyAuthenName !== undefined && { name: m.proxyAuthenName }),
          ...(m.proxyAuthenChallenge !== undefined && { challenge: m.proxyAuthenChallenge }),
          ...(m.proxyAuthenId !== undefined && { id: m.proxyAuthenId & 0xff }),
          ...(m.proxyAuthenResponse !== undefined && { response: m.proxyAuthenResponse }),
        };
  return {
    txConnectSpeed: m.txConnectSpeed,
    framingType: m.framingType,
    ...(m.rxConnectSpeed !== undefined && { rxConnectSpeed: m.rxConnectSpeed }),
    ...(Object.keys(proxyLcp).length > 0 && { proxyLcp }),
    ...(proxyAuth !== undefined && { proxyAuth }),
    ...(m.privateGroupId !== undefined && { privateGroupId: m.privateGroupId }),
    ...(m.sequencingRequired === true && { sequencingRequired: true }),
    ...(m.avps !== undefined && { avps: m.avps }),
  };
}
