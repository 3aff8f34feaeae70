import type { DropReason } from "../channel/dataplane.ts";
import type { L2tpDiscardReason } from "../l2tp/state.ts";
import type {
  AccessConcentratorCounters,
  AccessConcentratorLoad,
  DiscardReason,
  RefusalReason,
} from "../pppoe/access-concentrator-types.ts";
import type { EndCode } from "./cause.ts";

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

/** Sessions that have ended. */
const ENDS: Readonly<Record<EndCode, string>> = {
  "hung-up": "that the subscriber ended",
  refused: "whose login was refused: password, realm, or no address for it",
  "lns-ended": "that the LNS ended",
  "lac-ended": "that the LAC ended",
  "no-lns": "for which no LNS could be reached, or took the call",
  silent: "whose subscriber did not answer any more",
  protocol: "whose two ends could not agree",
  replaced: "that gave way to a newer one of the same subscriber",
  "interface-gone": "whose interface went away",
  idle: "that carried nothing for as long as their destination allows",
  "session-timeout": "that lasted as long as their destination allows",
  operator: "that an operator ended",
  failed: "that the host refused something",
  shutdown: "that ended with the gateway",
};

/** PPPoE discovery on an access interface. */
const PPPOE: Readonly<
  Record<
    Exclude<keyof AccessConcentratorCounters, "padsRefused" | "discarded"> | "receiveBufferDrops",
    string
  >
> = {
  padiReceived: "PADIs that came",
  padrReceived: "PADRs that came",
  padtReceived: "PADTs that came",
  padoSent: "PADOs that we sent",
  padsSent: "PADSs that we sent, those that begin a session",
  padiDelayed: "PADIs that waited for their turn",
  padrDelayed: "PADRs that waited for their turn",
  padtSent: "PADTs that we sent",
  strayFrames: "frames of sessions that nobody has, which may be answered by a PADT",
  sessionsReplaced: "sessions that gave way to another one of the same host",
  requestsUnconfirmed: "PADRs that the gateway did not decide about in time",
  receiveBufferDrops: "discovery frames that the system dropped before they were read",
};

/** What there is to do at this moment. */
const NOW: Readonly<Record<Exclude<keyof AccessConcentratorLoad, "load"> | "loadPercent", string>> = {
  sessions: "sessions now",
  settingUp: "of them, not complete",
  starting: "of them, whose PPP has not begun",
  startingWindow: "how many may be starting",
  waitingPadis: "PADIs that wait for their turn now",
  waitingPadrs: "PADRs that wait for their turn now",
  loadPercent: "what the delay of PADO grows with",
};

/** Calls that were refused by a PADS with an error. */
const PADS_REFUSED: Readonly<Record<RefusalReason, string>> = {
  "service-not-offered": "for a service that is not offered",
  "sessions-of-mac": "from a host that has as many sessions as it may",
  "sessions-of-port": "on an interface that has as many sessions as it may",
  "no-session-id": "for want of session ids",
  "no-resources": "because the gateway could not make the session",
  "not-set-up-in-time": "because the gateway did not decide in time",
};

/** Discovery frames that were passed over. */
const PPPOE_DISCARDS: Readonly<Record<DiscardReason, string>> = {
  truncated: "shorter than their headers say",
  "bad-version": "of another version of PPPoE",
  "bad-tag": "with a tag that reaches beyond the packet",
  "not-discovery": "of another EtherType",
  "bad-source": "from a group address, from none, or from ours",
  "bad-destination": "to another station",
  "bad-code": "that a host does not send",
  "bad-session-id": "with a session id where none may be, or without one",
  "bad-service-name": "without exactly one Service-Name",
  "unknown-service": "PADIs for a service that is not served here",
  "padi-rate-of-mac": "PADIs beyond the rate of a host (padi-rate-per-mac)",
  "padi-rate-of-port": "PADIs beyond the rate of the interface (padi-rate)",
  "stray-rate-of-mac": "of sessions that nobody has, beyond the rate at which a host is told",
  "stray-rate-of-port": "of sessions that nobody has, beyond the rate at which all are told",
  draining: "calls while the interface drains",
  "login-backoff": "calls that came too soon after a refused login",
  "no-room-to-wait": "calls while as many wait for their turn as may",
  "waited-too-long": "calls whose turn came when the host had given up",
  "no-cookie": "PADRs without our AC-Cookie",
  "forged-cookie": "PADRs with a cookie that is not ours",
  "expired-cookie": "PADRs with a cookie that is too old",
  "host-error": "in which the host says that it failed",
  "unknown-session": "PADTs for sessions that nobody has",
  "wrong-source": "PADTs for somebody else's session",
  closing: "PADRs of sessions that were just closed",
  "oversized-answer": "whose answer would not fit a packet",
};

const LAST_WORD = /[^.]*$/;
/** An interface's name may have dots in it. */
const OF_INTERFACE = /^pppoe\..+?\.(now\.|padsRefused\.|discarded\.|)[^.]*$/;

/** What a counter counts, in an operator's words; undefined for names that nobody has told us. */
export function meaningOf(name: string): string | undefined {
  const word = LAST_WORD.exec(name)?.[0] ?? "";
  const among = (table: Readonly<Record<string, string>>, before = ""): string | undefined =>
    Object.hasOwn(table, word) ? before + table[word] : undefined;
  if (name.startsWith("drops.")) return among(DROPS);
  if (name.startsWith("l2tp.discarded.")) return among(DISCARDS, "L2TP control passed over: ");
  if (name.startsWith("l2tp.refused.")) return among(REFUSED);
  if (name.startsWith("l2tp.")) return among(TRANSPORT);
  if (name.startsWith("lns.")) return among(LNS);
  if (name === "sessions.opened") return "sessions that began, also those that did not come up";
  if (name.startsWith("sessions.ended.")) return among(ENDS, "sessions ");
  switch (OF_INTERFACE.exec(name)?.[1]) {
    case "now.":
      return among(NOW);
    case "padsRefused.":
      return among(PADS_REFUSED, "calls refused by PADS: ");
    case "discarded.":
      return among(PPPOE_DISCARDS, "discovery frames passed over: ");
    case "":
      return among(PPPOE);
    default:
      return undefined;
  }
}
