import type { Diagnosis } from "./diagnosis.ts";
import type { Facts } from "./facts.ts";

/** The session's PPP link ended in one of these ways. */
function linkEnded(...links: readonly string[]): (facts: Facts) => boolean {
  return ({ end }) => end !== undefined && links.includes(end.link);
}

/** What goes wrong in PPP that we speak ourselves. */
export const PPP_DIAGNOSES: readonly Diagnosis[] = [
  {
    code: "lcp-unanswered",
    stage: "lcp",
    when: (facts) => linkEnded("configure-timeout")(facts) && !facts.heard("LCP"),
    text: "The host has its session and does not say a word of LCP. Its session frames do not reach us, or it has lost interest.",
    advice: [
      "PPPoE discovery (0x8863) came through and session frames (0x8864) do not: look for a filter by EtherType between us and the host.",
      "Behind a LAC: the call is there, but the LAC does not forward the subscriber's frames.",
      "`lacewing capture SESSION -w FILE`, of its next call, shows whether anything comes.",
    ],
  },
  {
    code: "lcp-incomplete",
    stage: "lcp",
    when: (facts) => linkEnded("configure-timeout")(facts) && facts.heard("LCP") && !facts.heard("IPCP"),
    text: "The host speaks LCP, but does not answer our Configure-Request. Our frames do not reach it, or are too much for it.",
    advice: [
      "Frames go only one way: look at the VLAN, at MAC learning and filters towards the host.",
      "The evidence shows what we asked for; an old CPE may choke on an option.",
    ],
  },
  {
    code: "negotiation-endless",
    stage: "lcp",
    when: linkEnded("not-converging"),
    text: "The two ends go on refusing each other's options: neither gives in.",
    advice: [
      "The Configure-Naks and Configure-Rejects in the evidence name the option.",
      "An MRU that the CPE insists on can be allowed with `mru` of the access interface (RFC 4638).",
    ],
  },
  {
    code: "line-looped",
    stage: "lcp",
    when: linkEnded("loop-detected"),
    text: "Our own LCP packets come back to us: the line is looped.",
    advice: ["Look for a loop-back on the access line or at the DSLAM, left over from a line test."],
  },
  {
    code: "lcp-rejected",
    stage: "lcp",
    when: linkEnded("rejected"),
    text: "The host rejects LCP itself, or one of its codes: what is there does not speak PPP as we do.",
    advice: ["The Protocol-Reject or Code-Reject in the evidence says what it rejects; the CPE is at fault."],
  },
  {
    code: "proxy-unfit",
    stage: "lcp",
    when: linkEnded("proxy-unfit"),
    text: "What the LAC has negotiated with the subscriber is not to be lived with, and `proxy: never` forbids to negotiate anew.",
    advice: [
      "The Last Sent and Last Received LCP CONFREQ of its ICCN, in the evidence, show what it was.",
      "`proxy: accept` of the peer negotiates anew where it must.",
    ],
  },
  {
    code: "authentication-method-refused",
    stage: "authentication",
    when: linkEnded("authentication-refused"),
    text: "The host accepts none of the authentication methods that we ask for.",
    advice: [
      "Its Configure-Naks in the evidence name the method that it wants; `authentication` of the access interface, or of the peer, is what we offer.",
    ],
  },
  {
    code: "authentication-unanswered",
    stage: "authentication",
    when: linkEnded("authentication-timeout"),
    text: "The host has agreed to authenticate, and then does not. Usually nobody has told the CPE a user name and password.",
    advice: [
      "Look at the CPE's configuration: user name and password are missing, or it waits for its user.",
    ],
  },
  {
    code: "user-unknown",
    stage: "authentication",
    when: ({ refusedLogin }) => refusedLogin === "unknown user",
    text: "There is no user of that name in the users file. The subscriber was told no more than that his login failed.",
    advice: [
      "Compare the name in the evidence with the users file, with its realm and upper and lower case.",
      "If he belongs to somebody else's LNS, his realm is missing under `realms`.",
    ],
  },
  {
    code: "password-wrong",
    stage: "authentication",
    when: ({ refusedLogin }) => refusedLogin === "wrong password",
    text: "The password is not the one in the users file.",
    advice: [
      "Set the password anew in the CPE and in the users file, without spaces at its ends.",
      "Behind a LAC whose proxy authentication is adopted, make sure that the LAC passes on challenge and response unchanged.",
    ],
  },
  {
    code: "realm-unknown",
    stage: "authentication",
    when: ({ refusedLogin }) => refusedLogin === "no service",
    text: "Nothing in the configuration says where this user goes: neither his Service-Name nor his line nor his realm has a destination, and `default` refuses.",
    advice: [
      "Compare what follows the last @ of his name with `realms`; a name without @ has no realm.",
      "`default` is where everybody else goes.",
    ],
  },
  {
    code: "no-address",
    stage: "network",
    when: ({ refusedLogin }) => refusedLogin.startsWith("no address"),
    text: "There was no IP address for the subscriber: the pool of his unit group is used up.",
    advice: [
      "`lacewing show sessions` counts who has addresses; make `pool` of the unit group larger.",
      "Stale sessions give their addresses back when their LCP echoes have failed.",
    ],
  },
  {
    code: "network-refused",
    stage: "network",
    when: linkEnded("no-network"),
    text: "No network protocol could be opened: the host refuses IPCP, or insists on an address that it may not have.",
    advice: [
      "The IPCP packets in the evidence show which address it asks for; it must accept the one that it is given.",
      "A CPE that is set to IPv6 only, or to bridging, opens no IPCP.",
    ],
  },
  {
    code: "echo-unanswered",
    stage: "open",
    when: linkEnded("echo-timeout"),
    text: "The subscriber has stopped answering LCP echoes, and sent nothing else: he was switched off, or his line has failed.",
    advice: [
      "One by himself: his line or CPE. Many at the same second: an access node or uplink; `lacewing show sessions` by interface shows which.",
    ],
  },
];
