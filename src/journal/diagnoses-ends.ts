import type { Diagnosis } from "./diagnosis.ts";
import type { Facts } from "./facts.ts";

function ended(...codes: readonly string[]): (facts: Facts) => boolean {
  return ({ end }) => end !== undefined && codes.includes(end.code);
}

/** The words are those of src/io/unit-namespace.ts. */
function lacksNamespace({ end }: Facts): boolean {
  return end?.code === "failed" && /^the network namespace .* cannot be entered/.test(end.text);
}

/** Ends that nothing went wrong for, or that are ours. */
export const END_DIAGNOSES: readonly Diagnosis[] = [
  {
    code: "subscriber-hung-up",
    stage: "ended",
    unlessExplained: true,
    when: ended("hung-up"),
    text: "The subscriber hung up, by an LCP Terminate-Request or a PADT.",
    advice: [
      "Nothing is wrong. A CPE that does so every day at one time has been told to (forced reconnection).",
      "A CPE that hangs up within seconds did not get what it wants: an address, or DNS servers.",
      "Behind an LNS, one that hangs up within a minute of the call may have got no answer from there: `lacewing capture SESSION --both -w FILE`, of his next call, shows what goes to the LNS and what comes back.",
    ],
  },
  {
    code: "session-replaced",
    stage: "ended",
    when: ended("replaced"),
    text: "A newer session of the same host or user has taken its place: the CPE had lost this one and called again.",
    advice: [
      "Once in a while it is a restarted CPE. Again and again: two CPEs have the same MAC address or user name.",
      "`sessions-per-mac` allows more than one session of a host.",
    ],
  },
  {
    code: "idle-timeout",
    stage: "ended",
    when: ended("idle"),
    text: "No packet came for as long as the destination allows.",
    advice: ["`idle-timeout` of the destination is that time."],
  },
  {
    code: "session-timeout",
    stage: "ended",
    when: ended("session-timeout"),
    text: "The session was open for as long as the destination allows.",
    advice: ["`session-timeout` of the destination is that time."],
  },
  {
    code: "operator-ended",
    stage: "ended",
    when: ended("operator"),
    text: "An operator ended the session.",
    advice: ["The end's text says by which command."],
  },
  {
    code: "gateway-stopped",
    stage: "ended",
    when: ended("shutdown"),
    text: "The gateway was stopped, or its new configuration has no place for the session.",
    advice: ["Sessions call again by themselves."],
  },
  {
    code: "interface-gone",
    stage: "ended",
    when: ended("interface-gone"),
    text: "The access interface is gone: it was removed, or its driver gave up.",
    advice: ["`lacewing show interfaces` says whether it is back; sessions come back when it is."],
  },
  {
    code: "no-namespace",
    stage: "ended",
    when: lacksNamespace,
    text: "The network namespace that the subscriber's device was to be in could not be entered: it is not there, or the helper is not that enters it for a gateway without CAP_SYS_ADMIN.",
    advice: [
      "The end's text says which of the two, and the command that puts it right.",
      "`lacewing check` asks for both, of every unit group with `netns`.",
      "The subscriber need not be told: he calls again by himself, and the next call has its device.",
    ],
  },
  {
    code: "gateway-failed",
    stage: "ended",
    when: (facts) => ended("failed")(facts) && !lacksNamespace(facts),
    text: "The gateway could not go on with the session: the system refused it something, or a table was full.",
    advice: [
      "The end's text and the log at that time say what was refused.",
      "`data-plane.max-channels` and the limits of open files are what runs out first.",
    ],
  },
];
