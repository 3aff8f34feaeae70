import { CDN_RESULT, GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Facts } from "./facts.ts";

/** PPP Disconnect Cause Codes (RFC 3145 §3) by what they are about. */
const LCP_CAUSES = [2, 4, 5, 6, 7, 9, 10, 11, 12];
const ECHO_CAUSE = 8;
const LOGIN_CAUSES = [13, 14, 15, 16];
const NETWORK_CAUSES = [17, 18, 19, 20];
const NORMAL_CAUSE = 3;

/** An LNS that throws a subscriber out so soon after ICCN did not let him in. */
const LOGIN_MS = 10_000;

/** A call that no LNS has taken, whoever lost patience first, or that still waits for one; or the tunnel itself. */
function isUnplaced(facts: Facts): boolean {
  const { kind, end } = facts;
  if (kind === "tunnel" || end?.code === "no-lns") return true;
  return end?.openMs === undefined && facts.isForwarded;
}

/** An LNS has refused a call with one of these results. */
function refusedBy(matches: (code: ResultCode) => boolean): (facts: Facts) => boolean {
  return (facts) => facts.kind === "session" && isUnplaced(facts) && facts.refusals().some(matches);
}

function isFull({ result, error }: ResultCode): boolean {
  if (result === CDN_RESULT.error)
    return error === GENERAL_ERROR.resources || error === GENERAL_ERROR.tryAnother;
  return result === CDN_RESULT.noFacilitiesNow || result === CDN_RESULT.noFacilities;
}

/** Its text says that it is about to be taken out of service, as a Lacewing's does. */
function isDraining({ message = "" }: ResultCode): boolean {
  return /\bdrain/i.test(message);
}

/** The last call that we ended in a tunnel was one that we did not take. */
function refusedAsItDrained(facts: Facts): boolean {
  const last = facts.stops("CDN", true).at(-1)?.result;
  return facts.kind === "tunnel" && last !== undefined && isFull(last) && isDraining(last);
}

function isProtocolError({ result, error }: ResultCode): boolean {
  return result === CDN_RESULT.error && !isFull({ result, ...(error !== undefined && { error }) });
}

/** The LNS has ended a call that it had taken, and said one of these causes. */
function clearedFor(causes: readonly number[]): (facts: Facts) => boolean {
  return (facts) =>
    facts.end?.code === "lns-ended" &&
    facts.clearings().some(({ disconnect }) => disconnect !== undefined && causes.includes(disconnect.code));
}

/** The LNS has refused the login; the subscriber, who reads so first, may have hung up before its CDN came. */
function loginWasRefused(facts: Facts): boolean {
  const causes = facts.clearings().map(({ disconnect }) => disconnect?.code ?? 0);
  return (
    (facts.end?.code === "lns-ended" || facts.end?.code === "hung-up") &&
    causes.some((code) => LOGIN_CAUSES.includes(code))
  );
}

/** A CDN at once after ICCN, of no PPP cause. */
function thrownOut(facts: Facts): readonly ResultCode[] {
  const isSoon = facts.end?.code === "lns-ended" && (facts.end.openMs ?? 0) < LOGIN_MS;
  return isSoon ? facts.clearings().filter(({ disconnect }) => disconnect === undefined) : [];
}

/** It says that the login was refused, too, when it is neither about the line nor about want of room. */
function wasThrownOut(facts: Facts): boolean {
  return thrownOut(facts).some((code) => code.result !== CDN_RESULT.lostCarrier && !isFull(code));
}

function wasWithoutFacilities(facts: Facts): boolean {
  return thrownOut(facts).some(isFull);
}

/** The other end of a call is gone because its tunnel is. */
function endedWithTunnel(facts: Facts): boolean {
  const isOtherEnd = facts.end?.code === "lns-ended" || facts.end?.code === "lac-ended";
  return isOtherEnd && facts.has("tunnel-down");
}

/** It was up, and nothing in it was acknowledged any more. */
function isLost(facts: Facts): boolean {
  const [, state, why, text = ""] = facts.note("tunnel-down") ?? [];
  const isDead = state === "up" && why === "fault" && text.includes("no acknowledgement");
  return isDead || (facts.end?.openMs !== undefined && facts.isTunnelSilent(facts.end.at));
}

/** What was sent did not arrive, for one of these reasons, and that was the end of it. */
function isLostTo(facts: Facts, ...reasons: readonly string[]): boolean {
  return (isUnplaced(facts) || isLost(facts)) && facts.wasNotReached(...reasons);
}

function stopped(facts: Facts, result: number): boolean {
  return facts.stops("StopCCN", false).some((stop) => stop.result.result === result);
}

/** We have refused what the peer said of itself. */
function weRefused(facts: Facts, text: RegExp): boolean {
  return facts
    .stops("StopCCN", true)
    .some(
      ({ result: { result, message = "" } }) => result === STOPCCN_RESULT.notAuthorized && text.test(message),
    );
}

/** The peer's refusal came after it had answered, or we had: then it is about what proves who one is; or it says so. */
function isAboutSecret(facts: Facts): boolean {
  const isAnswered = facts.received("SCCRP").length > 0 || facts.sent("SCCRP").length > 0;
  return facts
    .stops("StopCCN", false)
    .some(
      ({ result: { result, message = "" } }) =>
        result === STOPCCN_RESULT.notAuthorized &&
        (isAnswered || /secret|challenge|authenticat|password/i.test(message)),
    );
}

/** What goes wrong with tunnels, and with calls in them. */
export const LNS_DIAGNOSES: readonly Diagnosis[] = [
  {
    code: "all-locked-out",
    stage: "selection",
    when: (facts) => {
      const candidates = facts.note("lns-chosen")?.slice(2) ?? [];
      return (
        isUnplaced(facts) &&
        candidates.length > 0 &&
        candidates.every((candidate) => candidate.includes("locked out for"))
      );
    },
    text: "Every LNS of the group is locked out: each of them has failed a short time ago. The one that has been for the longest was tried all the same.",
    advice: [
      "`lacewing show lns` says why and for how long; `lacewing lockout clear` ends it.",
      "When all of them fail at once it is the path to them, or our own address: look there first.",
      "`lockout` of the group is the length of a lockout.",
    ],
  },
  {
    code: "sccrq-unanswered",
    stage: "tunnel",
    when: (facts) => isUnplaced(facts) && facts.isUnexplained("SCCRQ", "SCCRP", "StopCCN"),
    text: "The LNS does not answer our SCCRQ. A firewall between us drops UDP port 1701, the address is wrong, or no L2TP runs there.",
    advice: [
      "`ping` its address, and look at its side whether the SCCRQ arrives: `tcpdump udp port 1701`.",
      "Many LNSes drop calls of addresses that they do not know without a word: is ours, as it is after NAT, configured there?",
      "If it answers from another address than it was called on, `follow-address: true` of the peer takes the answer.",
    ],
  },
  {
    code: "no-route-to-lns",
    stage: "tunnel",
    when: (facts) => isLostTo(facts, "unsent"),
    text: "Nothing that we sent to the LNS has left this host: it has no route to the LNS's address, or its own packet filter or interface refuses.",
    advice: [
      "`ip route get ADDRESS`, with the LNS's address, says which way packets go, or that there is none; `ip link` whether the interface of that way is up.",
      "ENETUNREACH and EHOSTUNREACH are a missing route, EACCES is a route that prohibits, EPERM a packet filter of this host, ENETDOWN an interface that is down.",
      "Is `address` of the peer right, and `source-address`, if there is one, an address of this host?",
    ],
  },
  {
    code: "lns-port-closed",
    stage: "tunnel",
    when: (facts) => isLostTo(facts, "port"),
    text: "The LNS's host, or a firewall in its name, says that nobody listens at its UDP port 1701: an ICMP error, port unreachable, came back.",
    advice: [
      "Is L2TP running there, and on that address? A daemon that has ended or was not started looks exactly so.",
      "A firewall that rejects, and does not drop, says the same: ask who runs the host that the evidence names as the sender.",
      "`address` and `port` of the peer say whom we call.",
    ],
  },
  {
    code: "lns-not-reached",
    stage: "tunnel",
    when: (facts) => isLostTo(facts, "host", "network", "prohibited", "expired", "other"),
    text: "The LNS is not reached: an ICMP error says that its host or network is not there, or that a firewall lets nothing through.",
    advice: [
      "The evidence names the sender of the ICMP error: the fault is there, or behind it. `traceroute` to the LNS ends at the same place.",
      "If the sender is this host itself, nobody in the LNS's network answers for the address (ARP or Neighbour Discovery): the LNS is off, or the next hop of the route is wrong.",
      "`address` of the peer may be wrong.",
    ],
  },
  {
    code: "tunnel-secret-differs",
    stage: "tunnel",
    when: (facts) => weRefused(facts, /authentication failed|no secret/) || isAboutSecret(facts),
    text: "Tunnel authentication failed: the two ends do not have the same secret, or one has none.",
    advice: [
      "Set `secret` of the peer, and the tunnel password on its side, to the same text again; look for spaces and encodings.",
      "If one side has no secret at all, the other must not ask for it: take `secret` out, or the LNS's tunnel authentication.",
      "Some LNSes choose the secret by our Host Name: compare it with theirs.",
    ],
  },
  {
    code: "host-name-differs",
    stage: "tunnel",
    when: (facts) => weRefused(facts, /^Host Name|unknown peer/),
    text: "The peer calls itself by another Host Name than the configuration says, and was refused.",
    advice: ["`host-name` of the peer must be the Host Name in its SCCRQ or SCCRP; without it any is taken."],
  },
  {
    code: "tunnel-not-authorized",
    stage: "tunnel",
    when: (facts) => stopped(facts, STOPCCN_RESULT.notAuthorized) && !isAboutSecret(facts),
    text: "The LNS does not let us open a tunnel: it does not know our Host Name or our address, or has no secret for us.",
    advice: [
      "Our Host Name is `name`, or `local-host-name` of the peer; it must be what the LNS's operator has configured.",
      "Where `secret` is set here, our SCCRQ has a Challenge: an LNS that has none for us cannot answer it.",
      "Ask him what his side logs at the time of our SCCRQ.",
    ],
  },
  {
    code: "tunnel-refused",
    stage: "tunnel",
    when: (facts) =>
      (isUnplaced(facts) || endedWithTunnel(facts)) &&
      facts
        .stops("StopCCN", false)
        .some(
          ({ result: { result } }) =>
            result !== STOPCCN_RESULT.notAuthorized && result !== STOPCCN_RESULT.shuttingDown,
        ),
    text: "The peer has ended the tunnel, and with it all sessions in it, by a StopCCN. Its result and error codes, in the evidence, say why.",
    advice: [
      "Result 1: nothing is wrong, or its operator cleared it. Result 2: it objects to something that we sent; the error code and text name it.",
      "Error 8 names an AVP that it does not know.",
    ],
  },
  {
    code: "peer-shuts-down",
    stage: "tunnel",
    when: (facts) => stopped(facts, STOPCCN_RESULT.shuttingDown),
    text: "The peer was shut down, and said so.",
    advice: ["Wait for it to come back, or add another LNS to the group."],
  },
  {
    code: "tunnel-closed-here",
    stage: "ended",
    when: (facts) =>
      endedWithTunnel(facts) &&
      facts.note("tunnel-down")?.[2] === "asked" &&
      facts.stops("StopCCN", true).length > 0,
    text: "We ended the tunnel, and with it all sessions in it: an operator did so, or a new configuration, or its port was lost.",
    advice: [
      "The text of our StopCCN, in the evidence, says which; the log at that time says more.",
      "Subscribers call again by themselves.",
    ],
  },
  {
    code: "tunnel-lost",
    stage: "tunnel",
    when: isLost,
    text: "The other end of the tunnel acknowledged nothing any more: it has died, or the path to it is broken. Who had not hung up before, because nothing came back, ended with the tunnel.",
    advice: [
      "`lacewing show tunnels` shows whether a new tunnel is up: then the peer has started again.",
      "If not, `ping` its address, and ask its operator whether it runs and what he sees of our HELLOs.",
      "If only large messages are lost, look at the path MTU towards the peer.",
    ],
  },
  {
    code: "tunnel-not-answering",
    stage: "open",
    whileOpen: true,
    when: (facts) => facts.isTunnelSilent(Number.POSITIVE_INFINITY),
    text: "The other end of the tunnel acknowledges nothing, although it was asked again and again: it has died or was started anew, or the path to it is broken. Subscribers in this tunnel have no service. Unless it answers, the tunnel ends about half a minute after the first question, and they can call again.",
    advice: [
      "`ping` its address; look at routes, firewalls and the interface towards it.",
      "`lacewing show lns` shows where calls go meanwhile; `lacewing end --tunnel TUNNEL` ends the tunnel now, so that its subscribers call anew.",
    ],
  },
  {
    code: "lns-full",
    stage: "selection",
    when: ({ end }) => end?.code === "no-lns" && end.text.includes("no room for another session"),
    text: "No LNS has room for another session by our own limits, or there is no local address to call it from.",
    advice: [
      "`max-sessions-per-lns`, `max-sessions` and `max-tunnels` of the peer are the limits.",
      "`l2tp.listen` needs an address of the LNS's family, on an interface that is there.",
    ],
  },
  {
    code: "call-in-circles",
    stage: "selection",
    unlessExplained: true,
    when: (facts) => facts.end?.code === "no-lns" && !facts.isForwarded && facts.has("session-begun"),
    text: "The call was not sent on: its destination leads back to where it came from, or there was no L2TP to send it by.",
    advice: [
      "Compare `destination` of the LAC's peer and `realms`: none may lead to the LAC itself, or in a ring.",
    ],
  },
  {
    code: "icrq-unanswered",
    stage: "call",
    when: (facts) => isUnplaced(facts) && facts.isUnanswered("ICRQ", "ICRP", "CDN"),
    text: "The tunnel is up, and the LNS does not answer our ICRQ. It is overloaded, or it has forgotten the tunnel by a restart.",
    advice: [
      "A tunnel that is dead is known as such after 31 s; new calls go elsewhere before that.",
      "If it acknowledges without answering, its sessions wait for something: RADIUS, most often.",
    ],
  },
  {
    code: "lns-drains",
    stage: "call",
    when: refusedBy((code) => isFull(code) && isDraining(code)),
    text: "The LNS drains: it is to be taken out of service, keeps the sessions that it has, and refuses new calls.",
    advice: [
      "Nothing is wrong where the group has another LNS: calls go there, and come back as soon as it takes them again.",
      "Otherwise ask its operator; if it is a Lacewing, `lacewing drain off` there takes calls again.",
      "`lockout-on-cdn: true` of the group spares each call the question, and leaves the LNS alone for a while after the drain, too.",
    ],
  },
  {
    code: "call-refused-full",
    stage: "call",
    when: refusedBy((code) => isFull(code) && !isDraining(code)),
    text: "The LNS refuses the call for lack of resources: it has as many sessions as it may.",
    advice: [
      "Its operator has to raise the limit, or free sessions that hang.",
      "`lockout-on-cdn: true` of the group leaves an LNS alone for a while that says so.",
    ],
  },
  {
    code: "call-refused-destination",
    stage: "call",
    when: refusedBy(({ result }) => result === CDN_RESULT.invalidDestination),
    text: "The LNS does not know where the call is to go.",
    advice: ["The Called Number of our ICRQ, or the realm, is not configured there."],
  },
  {
    code: "call-refused-protocol",
    stage: "call",
    when: refusedBy(isProtocolError),
    text: "The LNS objects to something in our ICRQ. Error codes and text, in the evidence, name it.",
    advice: [
      "Error 8 is an AVP that it does not know: the peer's policy can leave it away; error 6 is the LNS's own.",
    ],
  },
  {
    code: "call-refused",
    stage: "call",
    when: refusedBy(
      (code) => !isFull(code) && !isProtocolError(code) && code.result !== CDN_RESULT.invalidDestination,
    ),
    text: "The LNS refuses the call by a CDN before it was connected, for a reason of its own administration.",
    advice: ["Ask its operator what his side logs; the result code and text are in the evidence."],
  },
  {
    code: "l2tp-draining",
    stage: "call",
    whileOpen: true,
    when: refusedAsItDrained,
    text: "We drained when the last call came: it was refused by CDN result 4, and sessions that were there went on.",
    advice: [
      "`lacewing show` says whether the gateway still drains, and `lacewing drain off` takes calls again.",
      "If it drains from the start, `drain: true` of `l2tp` is set in the configuration.",
    ],
  },
  {
    code: "lns-without-facilities",
    stage: "call",
    when: wasWithoutFacilities,
    text: "The LNS has taken the call and given it up at once for lack of facilities: it is a tunnel switch that has reached no LNS behind it, or it had no room or address for the subscriber.",
    advice: [
      "The text of its CDN, in the evidence, is what it says itself; where it is a Lacewing, `lacewing why USER` there says more.",
      "If it is a tunnel switch, the fault is between it and the next LNS: ask its operator.",
    ],
  },
  {
    code: "lns-refused-login",
    stage: "authentication",
    when: (facts) => loginWasRefused(facts) || wasThrownOut(facts),
    text: "The LNS has taken the call and thrown the subscriber out at his login: it did not accept his name or password, or had nothing for him (no service for his realm, no address, one session too many).",
    advice: [
      "The text of its CDN, in the evidence, is what it says itself; where there is none, ask its operator what RADIUS says of the user name.",
      "If every user of that realm is refused, the LNS may not use the proxied authentication: try `replay-authentication`, or let the LNS ask anew.",
    ],
  },
  {
    code: "lns-lcp-failed",
    stage: "lcp",
    when: clearedFor(LCP_CAUSES),
    text: "The LNS began LCP anew with the subscriber, and that failed.",
    advice: [
      "Its options differ from ours: see the LCP AVPs of our ICCN, and ask the LNS's operator for MRU and authentication.",
      "`lacewing capture SESSION --tunnel -w FILE`, of his next call, shows what the two say to each other across the bridge.",
    ],
  },
  {
    code: "lns-network-failed",
    stage: "network",
    when: clearedFor(NETWORK_CAUSES),
    text: "The LNS and the subscriber found no network protocol, or the LNS had no address for him.",
    advice: ["Ask the LNS's operator for the address pool and what its RADIUS returned."],
  },
  {
    code: "lns-echo-unanswered",
    stage: "open",
    when: clearedFor([ECHO_CAUSE]),
    text: "The LNS's LCP echoes were not answered: the subscriber was switched off, or frames do not pass the bridge any more.",
    advice: [
      "If we count frames from the subscriber all the while, frames to him are lost: look at the access line.",
      "`lacewing capture SESSION --both -w FILE`, of a session that is open, shows on which leg the echoes are lost.",
    ],
  },
  {
    code: "subscriber-left-lns",
    stage: "ended",
    when: clearedFor([NORMAL_CAUSE]),
    text: "The subscriber, or the LNS, ended PPP in good order, by an LCP Terminate-Request; idle and session timeouts look like this, too.",
    advice: ["Nothing is wrong unless it comes at odd times: then ask the LNS's operator for its timeouts."],
  },
  {
    code: "lns-ended-call",
    stage: "ended",
    when: (facts) =>
      facts.end?.code === "lns-ended" &&
      !facts.has("tunnel-down") &&
      !wasThrownOut(facts) &&
      !wasWithoutFacilities(facts) &&
      facts.clearings().every(({ disconnect }) => disconnect === undefined),
    text: "The LNS ended the call, and gave no PPP cause (RFC 3145).",
    advice: ["The CDN's result code and text are in the evidence; the LNS's own log knows more."],
  },
  {
    code: "lac-ended-call",
    stage: "ended",
    unlessExplained: true,
    when: (facts) => facts.end?.code === "lac-ended",
    text: "The LAC ended the call: the subscriber hung up there, his line failed, or its tunnel went down.",
    advice: ["The CDN or StopCCN in the evidence says which; the rest is in the LAC's log."],
  },
];
