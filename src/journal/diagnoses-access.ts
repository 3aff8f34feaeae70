import type { Diagnosis } from "./diagnosis.ts";
import type { Facts } from "./facts.ts";

/** Nothing of a host but PPPoE discovery is there, and its last frame got no answer for one of these reasons. */
function passedOver(...reasons: readonly string[]): (facts: Facts) => boolean {
  return (facts) => facts.kind === "host" && reasons.includes(facts.unanswered);
}

/** What goes wrong before there is a PPPoE session. */
export const ACCESS_DIAGNOSES: readonly Diagnosis[] = [
  {
    code: "access-draining",
    stage: "discovery",
    when: passedOver("draining"),
    text: "The access interface drains: it answers no PADI, and sessions that are there go on.",
    advice: [
      "`lacewing drain off` lets the interface take calls again.",
      "If it drains from the start, `drain: true` is set for it in the configuration.",
    ],
  },
  {
    code: "service-not-offered",
    stage: "discovery",
    when: (facts) => passedOver("unknown-service")(facts) || facts.refusal === "Service-Name-Error",
    text: "The host asks for a Service-Name that this access interface does not offer.",
    advice: [
      "Compare the Service-Name in the PADI with `service-names` of the access interface.",
      "`any-service-name: true` accepts whatever a host asks for.",
      "Clear the service name in the CPE: most networks want none.",
    ],
  },
  {
    code: "calls-too-often",
    stage: "discovery",
    when: passedOver("padi-rate-of-mac", "stray-rate-of-mac"),
    text: "The host sends PADIs faster than one host may. Usually it does not hear our PADOs, or a loop multiplies its frames.",
    advice: [
      "Look for a layer 2 loop, or a VLAN on which frames go only one way.",
      "`padi-rate-per-mac` of the access interface is the limit.",
    ],
  },
  {
    code: "port-overloaded",
    stage: "discovery",
    when: passedOver("padi-rate-of-port", "no-room-to-wait", "waited-too-long", "stray-rate-of-port"),
    text: "More hosts call on this access interface at once than can be answered; those who repeat their calls get their turn.",
    advice: [
      "After a power cut this passes by itself: watch `lacewing show counters` for `pppoe.…now.waiting`.",
      "If it lasts, look for a flood: PADIs from many made-up addresses, or a loop.",
    ],
  },
  {
    code: "login-backoff",
    stage: "discovery",
    when: passedOver("login-backoff"),
    text: "The host's last logins failed, and it calls again too early: it is made to wait, for longer each time.",
    advice: [
      "Ask why the login failed: `lacewing why USER`.",
      "With the right password, its next call is answered after some minutes at the most.",
    ],
  },
  {
    code: "discovery-malformed",
    stage: "discovery",
    when: passedOver(
      "truncated",
      "bad-version",
      "bad-tag",
      "bad-source",
      "bad-destination",
      "bad-code",
      "bad-session-id",
      "bad-service-name",
      "oversized-answer",
    ),
    text: "What the host sends is no discovery packet that can be answered. A broken CPE, or an access node that rewrites its frames wrongly.",
    advice: [
      "The evidence says what is wrong with it; `lacewing capture --interface NAME -w FILE` has the whole frames of the access interface.",
      "Update the CPE's or the access node's software.",
    ],
  },
  {
    code: "host-gave-up",
    stage: "discovery",
    when: passedOver("host-error"),
    text: "The host says in its PADR that it has failed itself (Generic-Error).",
    advice: ["The tag in the PADR says why; it is the CPE's to mend."],
  },
  {
    code: "cookie-unfit",
    stage: "discovery",
    when: passedOver("no-cookie", "forged-cookie", "expired-cookie"),
    text: "The host's PADR does not give back the AC-Cookie of our PADO, or a minute too late. Another access concentrator's offer was taken for ours, or the CPE is broken.",
    advice: [
      "Look for another access concentrator in the same VLAN: its PADOs have another AC-Name.",
      "A cookie that comes too late means frames are held up for a minute on the way.",
    ],
  },
  {
    code: "session-refused",
    stage: "discovery",
    when: (facts) => facts.kind === "host" && facts.refusal === "AC-System-Error",
    text: "The call was refused by a PADS with an error: the interface, or the host, has as many sessions as it may, or the gateway had no resources.",
    advice: [
      "The PADS says which limit it was.",
      "`max-sessions` of the access interface, `sessions-per-mac`, and `data-plane.max-channels` are the limits.",
    ],
  },
  {
    code: "offer-not-taken",
    stage: "discovery",
    unlessExplained: true,
    when: (facts) =>
      facts.kind === "host" && facts.sent("PADO").length > 0 && facts.received("PADR").length === 0,
    text: "We have answered with a PADO, and the host has not come with a PADR. Either our answer does not reach it, or it has taken another access concentrator's offer.",
    advice: [
      "See whether the host is online elsewhere: another access concentrator in its VLAN may be faster.",
      "If it repeats its PADIs, frames to it are lost: look at the VLAN, at MAC learning and port isolation on the way.",
      "Some CPEs want a certain AC-Name: compare it with `ac-name` of the access interface.",
    ],
  },
];
