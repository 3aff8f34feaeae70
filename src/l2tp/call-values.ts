/** What ICCN and OCCN say about a call, between their attributes and the values that the owner handles. */

import type { MessageOf } from "../wire/l2tp-messages.ts";
import type { CallConnection, ProxyAuth, ProxyLcp } from "./outputs.ts";

/** Connect speeds have 32 bits and saturate. */
export function bitsPerSecond(speed: number): number {
  return Math.max(0, Math.min(Math.floor(speed), 0xffff_ffff));
}

/** A value that is being put together: cheaper than a spread for each field that may be absent. */
type Draft<T> = { -readonly [K in keyof T]: T[K] };

/** ICCN. */
export function iccnOf(c: CallConnection): MessageOf<"ICCN"> {
  const { proxyLcp: lcp, proxyAuth: auth } = c;
  const message: Draft<MessageOf<"ICCN">> = {
    kind: "ICCN",
    txConnectSpeed: bitsPerSecond(c.txConnectSpeed),
    framingType: c.framingType,
  };
  if (c.rxConnectSpeed !== undefined) message.rxConnectSpeed = bitsPerSecond(c.rxConnectSpeed);
  if (lcp?.initialReceived !== undefined) message.initialReceivedLcp = lcp.initialReceived;
  if (lcp?.lastSent !== undefined) message.lastSentLcp = lcp.lastSent;
  if (lcp?.lastReceived !== undefined) message.lastReceivedLcp = lcp.lastReceived;
  if (auth !== undefined) message.proxyAuthenType = auth.type;
  if (auth?.name !== undefined) message.proxyAuthenName = auth.name;
  if (auth?.challenge !== undefined) message.proxyAuthenChallenge = auth.challenge;
  if (auth?.id !== undefined) message.proxyAuthenId = auth.id & 0xff;
  if (auth?.response !== undefined) message.proxyAuthenResponse = auth.response;
  if (c.privateGroupId !== undefined) message.privateGroupId = c.privateGroupId;
  if (c.sequencingRequired === true) message.sequencingRequired = true;
  if (c.avps !== undefined) message.avps = c.avps;
  if (c.hide === true) message.hide = true;
  return message;
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
  const connection: Draft<CallConnection> = {
    txConnectSpeed: m.txConnectSpeed,
    framingType: m.framingType,
  };
  const lcp = proxyLcpOf(m);
  const auth = proxyAuthOf(m);
  if (m.rxConnectSpeed !== undefined) connection.rxConnectSpeed = m.rxConnectSpeed;
  if (lcp !== undefined) connection.proxyLcp = lcp;
  if (auth !== undefined) connection.proxyAuth = auth;
  if (m.privateGroupId !== undefined) connection.privateGroupId = m.privateGroupId;
  if (m.sequencingRequired === true) connection.sequencingRequired = true;
  if (m.avps !== undefined) connection.avps = m.avps;
  return connection;
}

function proxyLcpOf(m: MessageOf<"ICCN">): ProxyLcp | undefined {
  const { initialReceivedLcp, lastSentLcp, lastReceivedLcp } = m;
  if (initialReceivedLcp === undefined && lastSentLcp === undefined && lastReceivedLcp === undefined)
    return undefined;
  const lcp: Draft<ProxyLcp> = {};
  if (initialReceivedLcp !== undefined) lcp.initialReceived = initialReceivedLcp;
  if (lastSentLcp !== undefined) lcp.lastSent = lastSentLcp;
  if (lastReceivedLcp !== undefined) lcp.lastReceived = lastReceivedLcp;
  return lcp;
}

function proxyAuthOf(m: MessageOf<"ICCN">): ProxyAuth | undefined {
  if (m.proxyAuthenType === undefined) return undefined;
  const auth: Draft<ProxyAuth> = { type: m.proxyAuthenType };
  if (m.proxyAuthenName !== undefined) auth.name = m.proxyAuthenName;
  if (m.proxyAuthenChallenge !== undefined) auth.challenge = m.proxyAuthenChallenge;
  if (m.proxyAuthenId !== undefined) auth.id = m.proxyAuthenId & 0xff;
  if (m.proxyAuthenResponse !== undefined) auth.response = m.proxyAuthenResponse;
  return auth;
}
