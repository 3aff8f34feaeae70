/**
 * Sequence numbers of the data messages that we send (RFC 2661 §5.4). Any thread may send on any channel, so the next
 * number is taken atomically. Whether there are numbers at all stands beside the id of the channel's peer, which every
 * frame looks up anyway:
 *
 *    31  30     29       28   24 23                                  0
 *   +--+------+---------+-------+------------------------------------+
 *   |0 | sent | follows |   0   |              peer                  |
 *   +--+------+---------+-------+------------------------------------+
 *
 * A channel that follows does as its peer does: the worker that receives from the peer sets and clears `sent`.
 */

import type { L2tpSequencing } from "../../channel/dataplane.ts";
import type { Tables } from "./tables.ts";

const SENT = 1 << 30;
const FOLLOWS = 1 << 29;

export const PEER_MAX = (1 << 24) - 1;

/** What goes beside the id of a channel's peer. */
export function sequencingBits(sequencing: L2tpSequencing): number {
  return sequencing === "always" ? SENT : sequencing === "never" ? 0 : FOLLOWS;
}

/** The peer in an entry of `channelPeer`. */
export function peerOf(link: number): number {
  return link & PEER_MAX;
}

/** Whether we number what we send, by an entry of `channelPeer`. */
export function numbersSent(link: number): boolean {
  return (link & SENT) !== 0;
}

/** The peer has sent a message with a number or without; `link` is the channel's entry of `channelPeer`. */
export function followPeer(tables: Tables, channel: number, link: number, numbered: boolean): void {
  if ((link & FOLLOWS) === 0 || numbersSent(link) === numbered) return;
  // nothing comes of it when the control plane has just said otherwise
  Atomics.compareExchange(tables.channelPeer, channel, link, link ^ SENT);
}

/** The number of the next message that we send on a channel. */
export function takeNs(tables: Tables, channel: number): number {
  return Atomics.add(tables.channelNs, channel, 1) & 0xffff;
}
