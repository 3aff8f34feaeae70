/**
 * Sequence numbers of the data messages that we send (RFC 2661 §5.4). Any thread may send on any channel, so the next
 * number is taken atomically. Whether there are numbers at all stands in the channel's link (channel-link.ts).
 */

import type { L2tpSequencing } from "../../channel/dataplane.ts";
import { NUMBERS_FOLLOW, NUMBERS_SENT, numbersSent } from "./channel-link.ts";
import type { Tables } from "./tables.ts";

/** What goes beside the id of a channel's peer. */
export function sequencingBits(sequencing: L2tpSequencing): number {
  return sequencing === "always" ? NUMBERS_SENT : sequencing === "never" ? 0 : NUMBERS_FOLLOW;
}

/** The peer has sent a message with a number or without; `link` is the channel's entry of `channelPeer`. */
export function followPeer(tables: Tables, channel: number, link: number, numbered: boolean): void {
  if ((link & NUMBERS_FOLLOW) === 0 || numbersSent(link) === numbered) return;
  // nothing comes of it when the control plane has just changed something; the next message finds that
  Atomics.compareExchange(tables.channelPeer, channel, link, link ^ NUMBERS_SENT);
}

/** The number of the next message that we send on a channel. */
export function takeNs(tables: Tables, channel: number): number {
  return Atomics.add(tables.channelNs, channel, 1) & 0xffff;
}
