/**
 * Reliable delivery of control messages (RFC 2661 §5.8) with slow start and congestion avoidance (Appendix A).
 * One end of one tunnel as plain data, and the functions that move it.
 *
 * Ns is given to a message when it is first sent, not when it is queued: so HELLO and StopCCN can go ahead of
 * a long queue. What has been sent stays in `unacked`, of which the first `flying` have been sent since the
 * last timeout; the others are sent again, within the congestion window, before anything new.
 */

import { type Instant, NEVER } from "../base/time.ts";
import { L2TP_CONTROL_HEADER_BYTES, writeControlHeader } from "../wire/l2tp-control-header.ts";
import { createFifo, type Fifo, fifoClear, fifoLength, fifoPush, fifoShift } from "./fifo.ts";

interface OutgoingMessage {
  /** "ICRQ", for people. */
  readonly label: string;
  /** The peer's session id for the header; 0 when the message is not about a session or the peer's is not known. */
  readonly sessionId: number;
  /** The whole message. Its header is written when it is first sent; from then on it does not change. */
  readonly datagram: Uint8Array;
}

interface SentMessage extends OutgoingMessage {
  times: number;
  /** When it was first sent. */
  readonly sentAt: Instant;
}

export interface IncomingMessage {
  readonly sessionId: number;
  readonly body: Uint8Array;
}

/** For all tunnels together. */
export interface TransportCounters {
  /** Messages that were sent again. */
  retransmitted: number;
  /** Times that it was not a timeout that told of a loss, but repeated acknowledgements. */
  fastRetransmissions: number;
  /** Messages that had come before. */
  duplicates: number;
}

/** How well the messages of one tunnel get through. */
export interface TransportHealth {
  /** Messages that were sent again. */
  retransmitted: number;
  /** Times that something had to wait because the peer's receive window was full. */
  windowStalls: number;
  /** It does, at the moment. */
  isStalled: boolean;
  /** From a message to its acknowledgement, smoothed (RFC 6298 §2), in milliseconds; null before the first. */
  roundTripMs: number | null;
}

export interface TransportState {
  /** Of the next new message. */
  ns: number;
  /** What we expect next. */
  nr: number;
  readonly health: TransportHealth;
  readonly offeredWindow: number;
  peerWindow: number;
  /** Appendix A's CWND (grows by fractions) and SSTHRESH, in messages. */
  cwnd: number;
  ssthresh: number;
  unacked: SentMessage[];
  flying: number;
  /** ZLBs in a row with the Nr of the oldest message that is unacknowledged. */
  repeatedAcks: number;
  /** The next new Ns when a loss was last noticed: until all before it is acknowledged, it is one and the same. */
  recoverNs: number;
  /** Goes ahead of `queue`. */
  urgent: OutgoingMessage[];
  queue: Fifo<OutgoingMessage>;
  /** What came before its turn, by Ns: fewer than `offeredWindow`, of LARGEST_EARLY_BYTES each. */
  early: Record<number, IncomingMessage>;
  retransmissions: number;
  retransmitAt: Instant;
  /** When a ZLB must go if nothing else has carried the acknowledgement. */
  ackDueAt: Instant;
  /** A message came before its turn: a ZLB must go in any case, as other messages do not tell of the gap. */
  gapNoticed: boolean;
}

/** What a peer that offers no Receive Window Size can take (§4.4.3). */
export const DEFAULT_PEER_WINDOW = 4;
/** Of a larger window we make no use. */
const LARGEST_PEER_WINDOW = 1024;
const FIRST_INTERVAL_MS = 1000;
const LONGEST_INTERVAL_MS = 8000;

/** From a message until the sender gives up that has sent it again so many times: 31 s with five (§5.8). */
export function retransmissionCycleMs(retransmissions: number): number {
  let cycle = 0;
  for (let i = 0; i <= retransmissions; i++) cycle += intervalMs(i);
  return cycle;
}

/** How long the answer is waited for after so many retransmissions. */
function intervalMs(retransmissions: number): number {
  return Math.min(FIRST_INTERVAL_MS * 2 ** retransmissions, LONGEST_INTERVAL_MS);
}

/** Long enough for an answer of ours to what has come, which then carries the acknowledgement. */
const ACK_DELAY_MS = 1;
/** A larger one is not kept, and the peer sends it again: even an ICCN with all proxy AVPs rarely has a quarter of it. */
const LARGEST_EARLY_BYTES = 4096;
/** Messages that wait behind a peer's window: enough for a CDN for every session of a full tunnel, twice. */
const QUEUE_LIMIT = 131_072;

/** Repeated acknowledgements that tell of a loss: fewer might be mere reordering. As in TCP (RFC 5681 §3.2). */
const REPEATED_ACKS = 3;

/** How far `a` is ahead of `b`, modulo 2¹⁶; 32,768 and more means that it is behind. */
function distance(a: number, b: number): number {
  return (a - b) & 0xffff;
}

export function createTransport(offeredWindow: number): TransportState {
  return {
    ns: 0,
    nr: 0,
    health: { retransmitted: 0, windowStalls: 0, isStalled: false, roundTripMs: null },
    offeredWindow,
    peerWindow: DEFAULT_PEER_WINDOW,
    cwnd: 1,
    ssthresh: DEFAULT_PEER_WINDOW,
    unacked: [],
    flying: 0,
    repeatedAcks: 0,
    recoverNs: 0,
    urgent: [],
    queue: createFifo(),
    early: {},
    retransmissions: 0,
    retransmitAt: NEVER,
    ackDueAt: NEVER,
    gapNoticed: false,
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

/** Takes the Nr of a message from the peer, `isZlb` when there is nothing else in it. */
export function acknowledge(
  t: TransportState,
  now: Instant,
  nr: number,
  isZlb: boolean,
  counters: TransportCounters,
): void {
  const oldest = (t.ns - t.unacked.length) & 0xffff;
  const count = distance(nr, oldest);
  if (count === 0 && isZlb) onRepeatedAck(t, now, oldest, counters);
  if (count === 0 || count > t.unacked.length) return;
  const [newest] = t.unacked.splice(0, count).slice(-1);
  if (newest?.times === 1) noteRoundTrip(t.health, now - newest.sentAt);
  t.flying = Math.max(0, t.flying - count);
  t.repeatedAcks = 0;
  if (!isRecovering(t, nr)) t.recoverNs = nr;
  // one ZLB may stand for several acknowledgements
  if (t.cwnd < t.ssthresh) t.cwnd = Math.min(t.cwnd + count, t.ssthresh);
  else t.cwnd = Math.min(t.cwnd + count / t.cwnd, t.peerWindow);
  t.retransmissions = 0;
  t.retransmitAt = t.flying > 0 ? now + FIRST_INTERVAL_MS : NEVER;
}

/** Only of messages that were sent once: of others nobody knows which of them has been answered (Karn's algorithm). */
function noteRoundTrip(health: TransportHealth, ms: number): void {
  const { roundTripMs } = health;
  health.roundTripMs = roundTripMs === null ? ms : roundTripMs + (ms - roundTripMs) / 8;
}

/** Something waits that could be sent but for the peer's window, or nothing does; told after every input. */
export function noteWaiting(t: TransportState, isAnythingWaiting: boolean): void {
  const isStalled = t.unacked.length >= t.peerWindow && (isAnythingWaiting || fifoLength(t.queue) > 0);
  if (isStalled && !t.health.isStalled) t.health.windowStalls += 1;
  t.health.isStalled = isStalled;
}

function isRecovering(t: TransportState, oldest: number): boolean {
  const ahead = distance(t.recoverNs, oldest);
  return ahead > 0 && ahead < 0x8000;
}

/**
 * A ZLB answers a message. One that acknowledges nothing new answers a message behind one that is missing: when
 * there are several, that one is lost and is sent again without waiting for its timeout. To the windows it is
 * like one (Appendix A: "the triggering of a retransmission"). Of few messages under way there cannot be so many
 * answers, so all but one suffice (RFC 5827 §3.1).
 */
function onRepeatedAck(t: TransportState, now: Instant, oldest: number, counters: TransportCounters): void {
  if (t.flying < 2) return;
  t.repeatedAcks += 1;
  // the answers to what we repeat ourselves say nothing
  if (isRecovering(t, oldest) || t.repeatedAcks < Math.min(REPEATED_ACKS, t.flying - 1)) return;
  counters.fastRetransmissions += 1;
  shrinkWindow(t);
  t.retransmitAt = now + FIRST_INTERVAL_MS;
}

function shrinkWindow(t: TransportState): void {
  // two messages at the least, as in TCP: of one alone no answer can tell that it is missing
  t.ssthresh = Math.max(2, Math.floor(t.cwnd / 2));
  t.cwnd = 1;
  t.flying = 0;
  t.repeatedAcks = 0;
  t.recoverNs = t.ns;
}

/**
 * Takes a message that is no ZLB and gives those whose turn has come, in order. What is a duplicate is
 * acknowledged again; what is beyond the window that we offered is not kept, and as little as may be before the
 * peer is `known`: it could be anybody. What comes before its turn is answered at once, so that the peer notices
 * that something is missing.
 */
export function accept(
  t: TransportState,
  now: Instant,
  ns: number,
  message: IncomingMessage,
  known: boolean,
  counters: TransportCounters,
): readonly IncomingMessage[] {
  t.ackDueAt = Math.min(t.ackDueAt, now + ACK_DELAY_MS);
  const ahead = distance(ns, t.nr);
  if (ahead >= t.offeredWindow) {
    if (ahead >= 0x8000) counters.duplicates += 1;
    return [];
  }
  if (ahead > 0) {
    t.gapNoticed = true;
    if (t.early[ns] !== undefined) counters.duplicates += 1;
    if (message.body.length > LARGEST_EARLY_BYTES || (!known && ahead >= DEFAULT_PEER_WINDOW)) return [];
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

/**
 * The datagrams to be sent now to the peer's tunnel; a ZLB if an acknowledgement is due and nothing else
 * carries it.
 */
export function flush(
  t: TransportState,
  now: Instant,
  tunnelId: number,
  counters: TransportCounters,
): readonly Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (;;) {
    const again = t.unacked[t.flying];
    if (again !== undefined) {
      if (t.flying >= Math.floor(t.cwnd)) break;
      again.times += 1;
      counters.retransmitted += 1;
      t.health.retransmitted += 1;
      // the one that was sent first may still lie in somebody's queue
      const datagram = again.datagram.slice();
      const ns = (t.ns - t.unacked.length + t.flying) & 0xffff;
      writeControlHeader(datagram, tunnelId, again.sessionId, ns, t.nr);
      t.flying += 1;
      datagrams.push(datagram);
      continue;
    }
    if (t.unacked.length >= t.peerWindow) break;
    // the congestion window is our own caution: HELLO and StopCCN need not wait for it
    const message = t.urgent.shift() ?? (t.flying < Math.floor(t.cwnd) ? fifoShift(t.queue) : undefined);
    if (message === undefined) break;
    const { label, sessionId, datagram } = message;
    writeControlHeader(datagram, tunnelId, sessionId, t.ns, t.nr);
    t.unacked.push({ label, sessionId, datagram, times: 1, sentAt: now });
    t.ns = (t.ns + 1) & 0xffff;
    t.flying += 1;
    datagrams.push(datagram);
  }
  if (t.flying > 0 && t.retransmitAt === NEVER) t.retransmitAt = now + FIRST_INTERVAL_MS;
  if (t.gapNoticed || (datagrams.length === 0 && now >= t.ackDueAt)) {
    const zlb = new Uint8Array(L2TP_CONTROL_HEADER_BYTES);
    writeControlHeader(zlb, tunnelId, 0, t.ns, t.nr);
    datagrams.push(zlb);
  }
  t.gapNoticed = false;
  if (datagrams.length > 0) t.ackDueAt = NEVER;
  return datagrams;
}

/** The message that has been waiting for its acknowledgement for longest, how often it was sent, and when first. */
export function oldestUnacked(
  t: TransportState,
): Pick<SentMessage, "label" | "times" | "sentAt"> | undefined {
  return t.unacked[0];
}

/**
 * To be called when `retransmitAt` has come: makes flush() send the oldest message again after the interval
 * has doubled, or says that the peer is gone because it has been sent again `limit` times.
 */
export function expire(t: TransportState, now: Instant, limit: number): "retry" | "dead" {
  if (t.retransmissions >= limit) return "dead";
  t.retransmissions += 1;
  shrinkWindow(t);
  t.retransmitAt = now + intervalMs(t.retransmissions);
  return "retry";
}
