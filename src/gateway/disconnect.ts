import type { DownCause } from "../ppp/link-types.ts";
import { CDN_RESULT, type PppDisconnectCause, type ResultCode } from "../wire/l2tp-codes.ts";
import { PPP_LCP } from "../wire/ppp.ts";
import type { EndCause, EndCode } from "./cause.ts";

/** PPP Disconnect Cause Codes (RFC 3145 §3), as far as we have such causes. */
const NO_INFORMATION = 0;
const ADMINISTRATIVE = 1;
const NORMAL = 3;
const LCP_TIMEOUT = 5;
const LOOPED_BACK = 7;
const ECHO_TIMEOUT = 8;
const AUTHENTICATION_TIMEOUT = 13;
const UNACCEPTABLE_AUTHENTICATION = 15;
const AUTHENTICATION_FAILED = 16;
const NO_NETWORK = 18;

/** Whom a cause comes from (RFC 3145 §2): nobody in particular, the subscriber, or us. */
const GLOBAL = 0;
const BY_PEER = 1;
const BY_US = 2;

/** By how the PPP link ended, where it was PPP that ended: code, protocol and direction. */
const LINK_CAUSES: Partial<Record<DownCause["kind"], readonly [number, number, number]>> = {
  "peer-terminated": [NORMAL, PPP_LCP, BY_PEER],
  "configure-timeout": [LCP_TIMEOUT, PPP_LCP, BY_PEER],
  "echo-timeout": [ECHO_TIMEOUT, PPP_LCP, BY_PEER],
  "loop-detected": [LOOPED_BACK, PPP_LCP, GLOBAL],
  "authentication-timeout": [AUTHENTICATION_TIMEOUT, 0, BY_PEER],
  "authentication-refused": [UNACCEPTABLE_AUTHENTICATION, 0, BY_PEER],
  "authentication-failed": [AUTHENTICATION_FAILED, 0, BY_PEER],
  "no-network": [NO_NETWORK, 0, GLOBAL],
};

type Cause = readonly [result: number, code: number, protocol: number, direction: number];

const { lostCarrier, administrative, noFacilitiesNow } = CDN_RESULT;

const CAUSES: Readonly<Record<EndCode, Cause>> = {
  "hung-up": [lostCarrier, NORMAL, PPP_LCP, BY_PEER],
  refused: [administrative, AUTHENTICATION_FAILED, 0, BY_PEER],
  "lns-ended": [administrative, NO_INFORMATION, 0, GLOBAL],
  "lac-ended": [administrative, NO_INFORMATION, 0, GLOBAL],
  "no-lns": [noFacilitiesNow, NO_INFORMATION, 0, GLOBAL],
  silent: [lostCarrier, LCP_TIMEOUT, PPP_LCP, BY_PEER],
  protocol: [administrative, NO_INFORMATION, 0, GLOBAL],
  replaced: [administrative, ADMINISTRATIVE, 0, GLOBAL],
  "interface-gone": [lostCarrier, NO_INFORMATION, 0, GLOBAL],
  idle: [administrative, NORMAL, PPP_LCP, BY_US],
  "session-timeout": [administrative, NORMAL, PPP_LCP, BY_US],
  operator: [administrative, ADMINISTRATIVE, 0, GLOBAL],
  failed: [administrative, NO_INFORMATION, 0, GLOBAL],
  shutdown: [administrative, ADMINISTRATIVE, 0, GLOBAL],
};

/** What a CDN says of our reason (RFC 2661 §4.4.2, RFC 3145 §2). */
export function callEnd({ code, text, link, cdn }: EndCause): ResultCode {
  if (cdn !== undefined) return cdn;
  const [result, ...general] = CAUSES[code];
  const [disconnectCode, protocol, direction] = (link && LINK_CAUSES[link]) ?? general;
  const disconnect: PppDisconnectCause = { code: disconnectCode, protocol, direction };
  return { result, message: text, ...(disconnectCode !== NO_INFORMATION && { disconnect }) };
}

/**
 * Whether what an LNS says of a call's end means, or may mean, that it did not let the subscriber in. `carried`: IP has
 * gone through the call. Few LNSes give RFC 3145's cause.
 */
export function mayBeFailedLogin(cdn: ResultCode | undefined, carried: boolean): boolean {
  if (cdn?.disconnect !== undefined) return FAILED_LOGINS.includes(cdn.disconnect.code);
  return !carried && cdn !== undefined && cdn.result !== lostCarrier;
}

const FAILED_LOGINS: readonly number[] = [
  AUTHENTICATION_TIMEOUT,
  UNACCEPTABLE_AUTHENTICATION,
  AUTHENTICATION_FAILED,
];
