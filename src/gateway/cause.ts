import type { DownCause } from "../ppp/link-types.ts";
import type { ResultCode } from "../wire/l2tp-codes.ts";

/** Why a session ended: a stable word to count by, and a sentence for people. */
export interface EndCause {
  readonly code: EndCode;
  readonly text: string;
  /** Where it was the end of the PPP link that ended it: which kind of end, for RFC 3145. */
  readonly link?: DownCause["kind"];
  /** What the other leg of a call is told by CDN, where that is not to be made from the code: what this leg was told. */
  readonly cdn?: ResultCode;
}

export type EndCode =
  | "hung-up" // the subscriber ended it: LCP Terminate-Request or PADT
  | "refused" // wrong password, no such realm, no address
  | "lns-ended" // the LNS cleared the call
  | "lac-ended" // the LAC cleared the call
  | "no-lns" // the LNS could not be reached, or refused the call
  | "silent" // echo requests, or our negotiation, were not answered
  | "protocol" // the two ends could not agree
  | "replaced" // by a newer session of the same subscriber
  | "interface-gone"
  | "idle" // no packet for as long as its destination allows
  | "session-timeout" // open for as long as its destination allows
  | "operator" // an operator ended it
  | "failed" // the system refused us something
  | "shutdown";

export function endCause(code: EndCode, text: string, cdn?: ResultCode): EndCause {
  return { code, text, ...(cdn !== undefined && { cdn }) };
}

/** What a subscriber is told: nothing of our insides. Operators read the cause's own text. */
export function publicText({ code }: EndCause): string {
  return PUBLIC_TEXTS[code];
}

const PUBLIC_TEXTS: Readonly<Record<EndCode, string>> = {
  "hung-up": "hung up",
  refused: "authentication failed",
  "lns-ended": "ended by the network",
  "lac-ended": "ended by the network",
  "no-lns": "no service at the moment",
  silent: "no answer",
  protocol: "no agreement",
  replaced: "replaced by a newer session",
  "interface-gone": "the interface is gone",
  idle: "idle for too long",
  "session-timeout": "the session's time is over",
  operator: "ended by the operator",
  failed: "no service at the moment",
  shutdown: "the access concentrator is going down",
};

/** What the end of its PPP link means for a session. */
export function causeOfLinkDown(down: DownCause): EndCause {
  return { code: LINK_DOWN_CODES[down.kind], text: down.text, link: down.kind };
}

const LINK_DOWN_CODES: Readonly<Record<DownCause["kind"], EndCode>> = {
  "peer-terminated": "hung-up",
  terminated: "refused",
  "authentication-failed": "refused",
  "authentication-timeout": "silent",
  "authentication-refused": "protocol",
  "configure-timeout": "silent",
  "not-converging": "protocol",
  "echo-timeout": "silent",
  "loop-detected": "protocol",
  rejected: "protocol",
  "no-network": "protocol",
  "proxy-unfit": "protocol",
  "lower-layer-down": "failed",
};
