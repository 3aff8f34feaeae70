/**
 * Reliable delivery of control messages (RFC 2661 §5.8) with slow start and congestion avoidance (Appendix A).
 * One end of one tunnel as plain data, and the functions that move it.
 *
 * Ns is given to a message when it is first sent, not when it is queued: so HELLO and StopCCN can go ahead of
 * a long queue. What has been sent stays in `unacked`, of which the first `flying` have been sent since the
 * last timeout; the others are sent again, within the congestion window, before anything new.
 */

import { type Instant, NEVER } from "../base/time.ts";
import { createFifo, type Fifo, fifoClear, fifoLength, fifoPush, fifoShift } from "./fifo.ts";

/** A message without its header. */
interface OutgoingMessage {
  /** "ICRQ", for people. */
  readonly label: string;
  /** The peer's session id for the header; 0 when the message is not about a session or the peer's is not known. */
  readonly sessionId: number;
  readonly body: Uint8Array;
}

interface SentMessage extends OutgoingMessage {
  times: number;
}

export interface IncomingMessage {
  readonly sessionId: number;
  readonly body: Uint8Array;
}

/** A datagram to be, without the Tunnel ID. An empty body is a ZLB. */
export interface Segment {
  readonly ns: number;
  readonly nr: number;
  readonly sessionId: number;
  readonly body: Uint8Array;
}

export interface TransportState {
  /** Of the next new message. */
  ns: number;
  /** What we expect next. */
  nr: number;
  readonly offeredWindow: number;
  peerWindow: number;
  /** Appendix A's CWND (grows by fractions) and SSTHRESH, in messages. */
  cwnd: number;
  ssthresh: number;
  unacked: SentMessage[];
  flying: number;
  /** Goes ahead of `queue`. */
  urgent: OutgoingMessage[];
  queue: Fifo<OutgoingMessage>;
  /** What came before its turn, by Ns: fewer than `offeredWindow`. */
  early: Record<number, IncomingMessage>;
  retransmissions: number;
  retransmitAt: Instant;
  /** When a ZLB must go if nothing else has carried the acknowledgement. */
  ackDueAt: Instant;
}

/** What a peer that offers no Receive Window Size can take (§4.4.3). */
export const DEFAULT_PEER_WINDOW = 4;
/** Of a larger window we make no use. */
const LARGEST_PEER_WINDOW = 1024;
const FIRST_INTERVAL_MS = 1000;
const LONGEST_INTERVAL_MS = 8000;
/** Long enough for an answer of ours to what has come, which then carries the acknowledgement. */
const ACK_DELAY_MS = 1;
/** Messages that wait behind a peer's window: enough for a CDN for every session of a full tunnel, twice. */
const QUEUE_LIMIT = 131_072;

const NOTHING = new Uint8Array(0);

/** How far `a` is ahead of `b`, modulo 2¹⁶; 32,768 and more means that it is behind. */
function distance(a: number, b: number): number {
  return (a - b) & 0xffff;
}

export function createTransport(offeredWindow: number): TransportState {
  return {
    ns: 0,
    nr: 0,
    offeredWindow,
    peerWindow: DEFAULT_PEER_WINDOW,
    cwnd: 1,
    ssthresh: DEFAULT_PEER_WINDOW,
    unacked: [],
    flying: 0,
    urgent: [],
    queue: createFifo(),
    early: {},
    retransmissions: 0,
    retransmitAt: NEVER,
    ackDueAt: NEVER,
  };
}

/** Takes over the window that the peer offers in SCCRQ or SCCRP. */
export function setPeerWindow(t: TransportState, window: number): void {
  t.peerWindow = Math.min(window, LARGEST_PEER_WINDOW);
  t.ssthresh = t.peerWindow;
}

/** Queues a message; false when the queue is full, which only a peer that acknowledges nothing brings about. */
export function enqueue(t: TransportState, message: OutgoingMessage): boolean {
  if (fifoLength(t.queue) >= QUEUE_LIMIT) return false;
  fifoPush(t.queue, message);
  return true;
}

/** Queues a message ahead of all others: HELLO, StopCCN. */
export function enqueueUrgent(t: TransportState, message: OutgoingMessage): void {
  t.urgent.push(message);
}

/** Forgets what has not been sent yet: after StopCCN nothing of it matters. */
export function dropQueued(t: TransportState): void {
  fifoClear(t.queue);
  t.urgent = [];
}

/** Forgets what has been sent, too: the peer has closed the tunnel and only needs its acknowledgement. */
export function stopSending(t: TransportState): void {
  dropQueued(t);
  t.unacked = [];
  t.flying = 0;
  t.retransmitAt = NEVER;
}

/** Nothing is queued or unacknowledged. */
export function isQuiet(t: TransportState): boolean {
  return t.unacked.length === 0 && t.urgent.length === 0 && fifoLength(t.queue) === 0;
}

/** Whether a new message would be sent at once: a call that would have to queue does better to wait unbuilt. */
export function hasRoom(t: TransportState): boolean {
  const waiting = t.urgent.length + fifoLength(t.queue);
  return t.unacked.length + waiting < Math.min(t.peerWindow, Math.floor(t.cwnd));
}

/** Takes the Nr of a message from the peer. */
export function acknowledge(t: TransportState, now: Instant, nr: number): void {
  const oldest = (t.ns - t.unacked.length) & 0xffff;
  const count = distance(nr, oldest);
  if (count === 0 || count > t.unacked.length) return;
  t.unacked.splice(0, count);
  t.flying = Math.max(0, t.flying - count);
  // one ZLB may stand for several acknowledgements
  const growth = t.cwnd < t.ssthresh ? count : count / t.cwnd;
  t.cwnd = Math.min(t.cwnd + growth, t.peerWindow);
  t.retransmissions = 0;
  t.retransmitAt = t.flying > 0 ? now + FIRST_INTERVAL_MS : NEVER;
}

/**
 * Takes a message that is no ZLB and gives those whose turn has come, in order. What is a duplicate is
 * acknowledged again; what is beyond the window that we offered is not kept.
 */
export function accept(
  t: TransportState,
  now: Instant,
  ns: number,
  message: IncomingMessage,
): readonly IncomingMessage[] {
  t.ackDueAt = Math.min(t.ackDueAt, now + ACK_DELAY_MS);
  const ahead = distance(ns, t.nr);
  if (ahead >= t.offeredWindow) return [];
  if (ahead > 0) {
    // copied: what is kept must not hold on to the receive buffer
    t.early[ns] ??= { sessionId: message.sessionId, body: message.body.slice() };
    return [];
  }
  const inOrder = [message];
  t.nr = (t.nr + 1) & 0xffff;
  for (let next = t.early[t.nr]; next !== undefined; next = t.early[t.nr]) {
    delete t.early[t.nr];
    inOrder.push(next);
    t.nr = (t.nr + 1) & 0xffff;
  }
  return inOrder;
}

/** What is to be sent now; a ZLB if an acknowledgement is due and nothing else carries it. */
export function flush(t: TransportState, now: Instant): readonly Segment[] {
  const segments: Segment[] = [];
  for (;;) {
    const again = t.unacked[t.flying];
    if (again !== undefined) {
      if (t.flying >= Math.floor(t.cwnd)) break;
      sendAt(t, segments, t.flying, again);
      continue;
    }
    if (t.unacked.length >= t.peerWindow) break;
    // the congestion window is our own caution: HELLO and StopCCN need not wait for it
    const message = t.urgent.shift() ?? (t.flying < Math.floor(t.cwnd) ? fifoShift(t.queue) : undefined);
    if (message === undefined) break;
    const sent = { ...message, times: 0 };
    t.unacked.push(sent);
    t.ns = (t.ns + 1) & 0xffff;
    sendAt(t, segments, t.unacked.length - 1, sent);
  }
  if (t.flying > 0 && t.retransmitAt === NEVER) t.retransmitAt = now + FIRST_INTERVAL_MS;
  if (segments.length === 0 && now >= t.ackDueAt)
    segments.push({ ns: t.ns, nr: t.nr, sessionId: 0, body: NOTHING });
  if (segments.length > 0) t.ackDueAt = NEVER;
  return segments;
}

function sendAt(t: TransportState, segments: Segment[], index: number, message: SentMessage): void {
  message.times += 1;
  t.flying = index + 1;
  const ns = (t.ns - t.unacked.length + index) & 0xffff;
  segments.push({ ns, nr: t.nr, sessionId: message.sessionId, body: message.body });
}

/** The message that has been waiting for its acknowledgement for longest, and how often it was sent. */
export function oldestUnacked(
  t: TransportState,
): { readonly label: string; readonly times: number } | undefined {
  return t.unacked[0];
}

/**
 * To be called when `retransmitAt` has come: makes flush() send the oldest message again after the interval
 * has doubled, or says that the peer is gone because it has been sent again `limit` times.
 */
export function expire(t: TransportState, now: Instant, limit: number): "retry" | "dead" {
  if (t.retransmissions >= limit) return "dead";
  t.retransmissions += 1;
  t.ssthresh = Math.max(1, Math.floor(t.cwnd / 2));
  t.cwnd = 1;
  t.flying = 0;
  t.retransmitAt = now + Math.min(FIRST_INTERVAL_MS * 2 ** t.retransmissions, LONGEST_INTERVAL_MS);
  return "retry";
}
