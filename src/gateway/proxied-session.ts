import { type CallConnection, PROXY_AUTH_TYPE, type ProxyAuth } from "../l2tp/outputs.ts";
import type { ProxiedSession, ProxyAuthentication } from "../ppp/proxy.ts";

/** What the LAC negotiated for us (RFC 2661 §4.4.5), as PPP's server wants it. */
export function proxiedSession({ proxyLcp, proxyAuth }: CallConnection): ProxiedSession {
  const lcp =
    proxyLcp?.lastSent !== undefined && proxyLcp.lastReceived !== undefined
      ? {
          initialReceivedConfReq: proxyLcp.initialReceived,
          lastSentConfReq: proxyLcp.lastSent,
          lastReceivedConfReq: proxyLcp.lastReceived,
        }
      : undefined;
  return { lcp, authentication: proxyAuth && proxiedAuthentication(proxyAuth) };
}

function proxiedAuthentication(proxy: ProxyAuth): ProxyAuthentication | undefined {
  const { type, name, id, response, challenge } = proxy;
  if (name === undefined || id === undefined || response === undefined) return undefined;
  if (type === PROXY_AUTH_TYPE.pap) return { type: "pap", name, identifier: id, response };
  if (type === PROXY_AUTH_TYPE.chap && challenge !== undefined)
    return { type: "chap-md5", name, identifier: id, challenge, response };
  return undefined;
}
