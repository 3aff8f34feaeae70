/**
 * What every frame looks up of its channel, whether it came or goes: an entry of `channelPeer`.
 *
 *    31  30     29       28   27  24 23                              0
 *   +--+------+---------+--------+-----+------------------------------+
 *   |0 | sent | follows | tapped |  0  |             peer             |
 *   +--+------+---------+--------+-----+------------------------------+
 *
 * Sent: the data messages that we send have sequence numbers (RFC 2661 §5.4). A channel that follows does as its peer does:
 * the worker that receives from the peer sets and clears `sent`; nobody but the control plane changes the rest.
 */

export const NUMBERS_SENT = 1 << 30;
export const NUMBERS_FOLLOW = 1 << 29;
export const TAPPED = 1 << 28;

export const PEER_MAX = (1 << 24) - 1;

export function peerOf(link: number): number {
  return link & PEER_MAX;
}

/** Whether we number what we send. */
export function numbersSent(link: number): boolean {
  return (link & NUMBERS_SENT) !== 0;
}

/** Whether a copy of what comes and goes is wanted. */
export function isTapped(link: number): boolean {
  return (link & TAPPED) !== 0;
}
