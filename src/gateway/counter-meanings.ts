import type { DropReason } from "../channel/dataplane.ts";
import type { L2tpDiscardReason } from "../l2tp/state.ts";

/** Frames and packets that were dropped. */
const DROPS: Readonly<Record<DropReason, string>> = {
  truncated: "frames shorter than their headers say",
  "bad-version": "PPPoE or L2TP of another version",
  "bad-length": "frames whose length field is wrong",
  "unknown-session": "frames of sessions that nobody has",
  "unknown-tunnel": "L2TP data of tunnels that nobody has",
  "wrong-source": "frames of a session from somebody else: MAC address, VLAN, or address and port",
  "wrong-address": "packets from an address that is not the subscriber's",
  "unknown-destination": "packets to an address that no subscriber has",
  "unsupported-protocol": "packets of a protocol that is not open in the session",
  "malformed-ip": "packets that are no IP",
  "too-big": "packets larger than the path or the subscriber takes",
  policed: "control frames beyond the rate that is let through",
  "punt-overflow": "control frames that came faster than they were handled",
  "send-full": "frames for which the device or socket had no room",
  "send-failed": "frames that the system refused to send: device down, no route",
  "receive-overflow": "frames that the system dropped before they were read",
  stale: "frames of sessions that had just changed or ended",
  "out-of-order-late": "numbered L2TP data that came twice, or too late to be put in order",
};

/** L2TP control messages that were passed over. */
const DISCARDS: Readonly<Record<L2tpDiscardReason, string>> = {
  truncated: "shorter than its header says",
  "bad-version": "not L2TPv2",
  "bad-length": "a length field that is wrong",
  "bad-flags": "flags that a control message must not have, or must",
  "not-control": "data where control was expected",
  "unknown-tunnel": "for a tunnel that nobody has, or that has ended long ago",
  "wrong-source": "for a tunnel whose peer is elsewhere",
  malformed: "contents that cannot be read",
  unexpected: "about a session that has just ended, or with no meaning at this moment",
  "unknown-message": "of a type that we do not know and may pass over",
  "ignored-avp": "attributes that we do not know and may pass over",
  refused: "tunnels that we refused, and said so",
  unanswered: "tunnels that we refused, too many at once to say so",
  "half-open": "tunnels that somebody began to open, and had to give way to newer ones",
  "lost-tie": "tunnels that crossed one of ours, which stands",
};

const TRANSPORT: Readonly<Record<string, string>> = {
  retransmitted: "L2TP control messages that we had to send again",
  "fast-retransmissions": "times that repeated acknowledgements told us of a loss before the time was up",
  duplicates: "L2TP control messages that came again: our acknowledgement was lost, or late",
};

/** Calls that peers have offered us. */
const REFUSED: Readonly<Record<string, string>> = {
  draining: "calls by L2TP that we refused because the gateway drains",
  stopping: "calls by L2TP that we refused because the gateway was ending",
  "peer-removed": "calls by L2TP that we refused because their LAC is not in the configuration any more",
  "no-room": "calls by L2TP that we refused because the data plane had no room for them",
};

const LNS: Readonly<Record<string, string>> = {
  calls: "calls that were placed with this LNS",
  connected: "calls that it took",
  refused: "calls that it refused",
  unanswered: "calls that it did not answer in time",
  lockouts: "times that it was left alone for a while",
};

const LAST_WORD = /[^.]*$/;

/** What a counter counts, in an operator's words; undefined where its name says it. */
export function meaningOf(name: string): string | undefined {
  const word = LAST_WORD.exec(name)?.[0] ?? "";
  const among = (table: Readonly<Record<string, string>>): string | undefined =>
    Object.hasOwn(table, word) ? table[word] : undefined;
  if (name.startsWith("drops.")) return among(DROPS);
  if (name.startsWith("l2tp.discarded.")) {
    const meaning = among(DISCARDS);
    return meaning && `L2TP control passed over: ${meaning}`;
  }
  if (name.startsWith("l2tp.refused.")) return among(REFUSED);
  if (name.startsWith("l2tp.")) return among(TRANSPORT);
  return name.startsWith("lns.") ? among(LNS) : undefined;
}
