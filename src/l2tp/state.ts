/** Everything about an endpoint that changes, as plain data: it survives structuredClone and v8.serialize. */

import type { IdPoolState } from "../base/ids.ts";
import type { Instant } from "../base/time.ts";
import type { TokenBucketState } from "../base/token-bucket.ts";
import type { L2tpAddress } from "./config.ts";
import type { Fifo } from "./fifo.ts";
import type { CallRequest } from "./outputs.ts";
import type { TransportCounters, TransportState } from "./transport.ts";

/** States of an incoming call (RFC 2661 §7.4) with what belongs to each; `deadline` ends the set-up. */
export type SessionProgress =
  /** LAC: the tunnel is not up, or its window is full; the deadline is that of the queue. */
  | { readonly stage: "wait-tunnel"; readonly deadline: Instant; readonly call: CallRequest }
  /** LAC: ICRQ sent. */
  | { readonly stage: "wait-reply"; readonly deadline: Instant }
  /** LAC: ICRP received, or OCRP sent; the owner makes ready for data. */
  | { readonly stage: "accepted"; readonly deadline: Instant }
  /** LNS: ICRQ received, or LAC: OCRQ received; the owner decides. */
  | { readonly stage: "offered"; readonly deadline: Instant }
  /** LNS: ICRP sent. */
  | { readonly stage: "wait-connect"; readonly deadline: Instant }
  | { readonly stage: "established" };

export interface SessionState {
  readonly id: number;
  readonly side: "lac" | "lns";
  /** The LNS wants it (OCRQ). */
  readonly outgoing: boolean;
  /** The LAC tells changes of its speeds (RFC 5515 §6.2). */
  readonly speedUpdates: boolean;
  readonly callSerialNumber: number;
  /** 0 until it is known. */
  remoteId: number;
  progress: SessionProgress;
}

/** States of a control connection (RFC 2661 §7.2) with what belongs to each. */
export type TunnelProgress =
  /** `challenge`: ours, if we sent one. */
  | { readonly phase: "wait-ctl-reply"; readonly deadline: Instant; readonly challenge: Uint8Array | null }
  | { readonly phase: "wait-ctl-conn"; readonly deadline: Instant; readonly challenge: Uint8Array | null }
  | { readonly phase: "established" }
  /**
   * Ended and told; kept so that StopCCN and its acknowledgement can be repeated (§5.7). One that never was up may
   * have to give way before.
   */
  | { readonly phase: "closing"; readonly until: Instant; readonly wasUp: boolean };

/** The peer made it: by ICRQ to the LNS or by OCRQ to the LAC. */
export function isPlacedByPeer(session: SessionState): boolean {
  return (session.side === "lns") !== session.outgoing;
}

export interface TunnelState {
  readonly id: number;
  readonly peerName: string;
  readonly initiator: boolean;
  readonly createdAt: Instant;
  progress: TunnelProgress;
  remote: L2tpAddress;
  /** 0 until it is known. */
  remoteId: number;
  remoteHostName: string;
  remoteVendorName: string | null;
  /** When the last control message came. */
  lastHeard: Instant | null;
  /** When data was last heard: as good as a control message to know that the peer is there. */
  lastTraffic: Instant | null;
  /** When that was sent for the first time which the peer does not acknowledge although it was repeated; null while it does. */
  unansweredSince: Instant | null;
  /** The tunnel's own deadline, apart from those of its sessions. */
  wakeAt: Instant;
  /** Of the SCCRQ that opened it, as responder: tells a repeated one from that of a restarted peer. */
  readonly requestDigest: string | null;
  /** The tunnel whose remote id this one has got, or 0. */
  readonly replaces: number;
  /** Of the SCCRQ that opened it, whoever sent that; null when there is none (§4.4.3). */
  readonly tieBreaker: Uint8Array | null;
  readonly transport: TransportState;
  readonly sessionIds: IdPoolState;
  sessions: Record<number, SessionState>;
  sessionCount: number;
  /** Sessions whose ICRQ has not been built; what has ended meanwhile is passed over. */
  readonly waitingCalls: Fifo<number>;
}

/** Why datagrams and parts of them were passed over. */
export const L2TP_DISCARD_REASONS = [
  "truncated",
  "bad-version",
  "bad-length",
  "bad-flags",
  "not-control", // a data message
  "unknown-tunnel",
  "wrong-source", // not from where the tunnel's peer is
  "malformed", // the AVPs of a message for no tunnel
  "unexpected", // a message that means nothing here: no such session, no such state
  "unknown-message", // of an unknown type without the M bit
  "ignored-avp", // not recognised, without the M bit
  "refused", // an SCCRQ that we do not accept
  "unanswered", // the same, beyond the rate at which we answer
  "half-open", // a tunnel being opened that had to give way to newer ones
  "lost-tie", // an SCCRQ that crossed ours, whose tie breaker wins
] as const;
export type L2tpDiscardReason = (typeof L2TP_DISCARD_REASONS)[number];

export interface L2tpEndpointState {
  readonly tunnelIds: IdPoolState;
  readonly tunnels: Record<number, TunnelState>;
  tunnelCount: number;
  /** Tunnels that others began to open, whatever has become of them, oldest first. */
  readonly halfOpen: Fifo<{ readonly id: number; readonly createdAt: Instant }>;
  readonly refusals: TokenBucketState;
  shuttingDown: boolean;
  readonly counters: TransportCounters;
  readonly discards: Record<L2tpDiscardReason, number>;
}
