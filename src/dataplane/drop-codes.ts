import { DROP_REASONS, type DropReason } from "../channel/dataplane.ts";

/** A drop reason as a number, for tables: its place in DROP_REASONS. */
export type DropCode = number;

/** What a reader returns when there is nothing to drop. */
export const ACCEPT = -1;

function code(reason: DropReason): DropCode {
  return DROP_REASONS.indexOf(reason);
}

export const TRUNCATED = code("truncated");
export const BAD_VERSION = code("bad-version");
export const BAD_LENGTH = code("bad-length");
export const UNKNOWN_SESSION = code("unknown-session");
export const UNKNOWN_TUNNEL = code("unknown-tunnel");
export const WRONG_SOURCE = code("wrong-source");
export const WRONG_ADDRESS = code("wrong-address");
export const UNKNOWN_DESTINATION = code("unknown-destination");
export const UNSUPPORTED_PROTOCOL = code("unsupported-protocol");
export const MALFORMED_IP = code("malformed-ip");
export const TOO_BIG = code("too-big");
export const POLICED = code("policed");
export const PUNT_OVERFLOW = code("punt-overflow");
export const SEND_FULL = code("send-full");
export const SEND_FAILED = code("send-failed");
export const RECEIVE_OVERFLOW = code("receive-overflow");
export const STALE = code("stale");
export const OUT_OF_ORDER_LATE = code("out-of-order-late");
