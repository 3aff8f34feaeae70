/** Result and Error Codes of StopCCN and CDN (RFC 2661 §4.4.2): one table, with the texts that people read. */

/** Why PPP ended: the PPP Disconnect Cause Code AVP of a CDN (RFC 3145 §2). */
export interface PppDisconnectCause {
  readonly code: number;
  /** The PPP control protocol that it is about, or 0. */
  readonly protocol: number;
  /** 0 global, 1 at the peer of the LNS (the subscriber), 2 at the local end. */
  readonly direction: number;
  readonly message?: string;
}

/** The value of a Result Code AVP. */
export interface ResultCode {
  readonly result: number;
  readonly error?: number;
  /** In UTF-8 on the wire. */
  readonly message?: string;
  /** In CDN only: an AVP of its own beside the Result Code. */
  readonly disconnect?: PppDisconnectCause;
}

export const STOPCCN_RESULT = {
  general: 1,
  error: 2,
  alreadyExists: 3,
  notAuthorized: 4,
  version: 5,
  shuttingDown: 6,
  stateMachine: 7,
} as const;

export const CDN_RESULT = {
  lostCarrier: 1,
  error: 2,
  administrative: 3,
  noFacilitiesNow: 4,
  noFacilities: 5,
  invalidDestination: 6,
  notEstablishedInTime: 10,
} as const;

export const GENERAL_ERROR = {
  none: 0,
  noControlConnection: 1,
  length: 2,
  value: 3,
  resources: 4,
  sessionId: 5,
  vendor: 6,
  tryAnother: 7,
  unknownMandatoryAvp: 8,
} as const;

const STOPCCN_TEXTS: Readonly<Record<number, string>> = {
  1: "general request to clear control connection",
  2: "general error",
  3: "control channel already exists",
  4: "requester is not authorized to establish a control channel",
  5: "the protocol version of the requester is not supported",
  6: "requester is being shut down",
  7: "finite state machine error",
};

const CDN_TEXTS: Readonly<Record<number, string>> = {
  1: "call disconnected due to loss of carrier",
  2: "call disconnected for the reason indicated in error code",
  3: "call disconnected for administrative reasons",
  4: "lack of appropriate facilities (temporary)",
  5: "lack of appropriate facilities (permanent)",
  6: "invalid destination",
  7: "no carrier detected",
  8: "busy signal",
  9: "no dial tone",
  10: "call was not established within time allotted by LAC",
  11: "no appropriate framing was detected",
};

const ERROR_TEXTS: Readonly<Record<number, string>> = {
  0: "no general error",
  1: "no control connection exists yet",
  2: "length is wrong",
  3: "a field value was out of range or a reserved field was non-zero",
  4: "insufficient resources to handle this operation now",
  5: "the session id is invalid in this context",
  6: "vendor-specific error",
  7: "try another",
  8: "unknown AVP with the M bit set",
};

/** RFC 3145 §3. */
const DISCONNECT_TEXTS: Readonly<Record<number, string>> = {
  0: "no information",
  1: "administrative disconnect",
  2: "the LNS does not negotiate LCP, and the LAC sent none that it had negotiated",
  3: "normal disconnection by LCP Terminate-Request",
  4: "encryption that one end requires was refused by the other",
  5: "LCP timed out",
  6: "no LCP packets were recognized",
  7: "link looped back",
  8: "no answer to LCP Echo-Requests",
  9: "another Endpoint-Discriminator than that of the Multilink bundle",
  10: "another MRRU than that of the Multilink bundle",
  11: "another Short-Sequence-Number option than that of the Multilink bundle",
  12: "call-back that one end requires was refused by the other",
  13: "authentication timed out",
  14: "another authenticated name than that of the Multilink bundle",
  15: "the authentication protocol was refused",
  16: "authentication failed",
  17: "a network control protocol timed out",
  18: "no network control protocol is available to both ends",
  19: "no agreement on addresses",
  20: "the user may have no address",
};
const DIRECTION_TEXTS: Readonly<Record<number, string>> = { 1: "at the peer", 2: "at the local end" };

/** One line for people: `PPP disconnect cause 13 (authentication timed out), at the peer`. */
export function describeDisconnect({ code, protocol, direction, message }: PppDisconnectCause): string {
  const text = DISCONNECT_TEXTS[code];
  let line = `PPP disconnect cause ${code}${text === undefined ? "" : ` (${text})`}`;
  if (protocol !== 0) line += `, protocol 0x${protocol.toString(16).padStart(4, "0")}`;
  if (direction in DIRECTION_TEXTS) line += `, ${DIRECTION_TEXTS[direction]}`;
  if (message !== undefined && message !== "") line += `: "${message}"`;
  return line;
}

/** One line for people: `result 4 (lack of …), error 7 (try another): "full"`. */
export function describeResult(message: "StopCCN" | "CDN", code: ResultCode): string {
  const texts = message === "StopCCN" ? STOPCCN_TEXTS : CDN_TEXTS;
  let line = `result ${code.result} (${texts[code.result] ?? "unknown"})`;
  // result 5 of StopCCN carries a protocol version in the place of an error code
  if (message === "StopCCN" && code.result === STOPCCN_RESULT.version) {
    if (code.error !== undefined) line += `, highest version 0x${code.error.toString(16).padStart(4, "0")}`;
  } else if (code.error !== undefined && code.error !== GENERAL_ERROR.none) {
    line += `, error ${code.error} (${ERROR_TEXTS[code.error] ?? "unknown"})`;
  }
  if (code.message !== undefined && code.message !== "") line += `: "${code.message}"`;
  if (code.disconnect !== undefined) line += `; ${describeDisconnect(code.disconnect)}`;
  return line;
}
