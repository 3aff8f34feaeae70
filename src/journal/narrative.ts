import { describeStop } from "./decode-l2tp.ts";
import { plain, quoted } from "./decoded.ts";
import { duration } from "./entries.ts";
import type { Facts } from "./facts.ts";
import type { StoryStage } from "./story-view.ts";
import type { Note, Trace } from "./trail.ts";

/** 2023-11-14T22:13:20.000Z as "22:13:20.000"; the day is in the first paragraph. */
function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}

function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/** Later than all that is written down. */
const NOW = Number.POSITIVE_INFINITY;

/** How far it came, by what was said. */
export function stageOf(facts: Facts): StoryStage {
  if (facts.entries.length === 0) return "unheard";
  if (facts.kind === "host") return "discovery";
  if (facts.kind === "tunnel")
    return facts.has("tunnel-down") ? "ended" : facts.has("tunnel-up") ? "open" : "tunnel";
  if (facts.isOpen) return "open";
  if (facts.end?.openMs !== undefined) return "ended";
  if (facts.has("call-placed")) return facts.sent("ICRQ").length > 0 ? "call" : "tunnel";
  if (facts.isForwarded) return "selection";
  if (facts.heard("IPCP") || facts.heard("IPV6CP")) return "network";
  if (facts.has("user") || facts.sent("CHAP Challenge").length > 0) return "authentication";
  return "lcp";
}

/** `session`: the number of the one that it is about; `others`: those of the same subject that have not ended. */
export function headlineOf(subject: string, session: number, facts: Facts, others: string): string {
  const name = capital(plain(subject));
  if (facts.entries.length === 0)
    return `${name}: nothing of it is in the journal. It never was, or it is too long ago.`;
  if (facts.kind === "host")
    return `${name} has called and has no ${others === "" ? "session" : `other session than ${others}`}.`;
  if (facts.kind === "tunnel") return `${name} ${tunnelState(facts)}.`;
  const who = subject.startsWith("session ") ? name : `${name}: session s${session}`;
  const { end } = facts;
  if (end !== undefined) {
    const after = end.openMs === undefined ? "never opened" : `ended after ${duration(end.openMs)}`;
    return `${who} ${after}: ${plain(end.text)}.`;
  }
  if (!facts.isOpen) return `${who} is being set up.`;
  return facts.isTunnelSilent(NOW) ? `${who} is open, but its tunnel does not answer.` : `${who} is open.`;
}

function tunnelState(facts: Facts): string {
  const [peer = "", , , text = ""] = facts.note("tunnel-down") ?? [];
  if (peer !== "") return `with ${plain(peer)} is down: ${plain(text)}`;
  const [up = ""] = facts.note("tunnel-up") ?? [];
  if (up === "") return "is coming up";
  return `with ${plain(up)} is up${facts.isTunnelSilent(NOW) ? ", but does not answer" : ""}`;
}

/** Where to look when nothing is known, by what was asked for. */
const UNHEARD: Readonly<Record<string, string>> = {
  host: "No discovery packet of this host has come on any access interface, as far back as the journal goes: look at its line and VLAN, at MAC filters and at the access node. `lacewing capture --interface NAME -w FILE` shows what arrives.",
  user: "Nobody has said that he is called so, as far back as the journal goes. A name is compared whole, with its realm, in upper and lower case. Who has not come so far as to say his name is found by his MAC address.",
  session:
    "Sessions are numbered anew when the gateway is started. `lacewing show sessions` lists those that there are.",
  tunnel:
    "Neither end has had a tunnel of that number, as far back as the journal goes. `lacewing show tunnels` lists those that there are.",
};

/** What happened, a sentence or two for each step. */
export function paragraphsOf(
  subject: string,
  facts: Facts,
  earlier: readonly Trace[],
  passedOver: number,
): readonly string[] {
  if (facts.entries.length === 0) return [UNHEARD[subject.split(" ")[0] ?? ""] ?? UNHEARD.tunnel!];
  if (facts.kind === "tunnel") return tunnelParagraphs(facts);
  const steps = [
    beginning(facts),
    ...access(facts),
    ppp(facts),
    ...login(facts),
    ...calls(facts),
    ...opening(facts),
    ...silences(facts),
    ...stops(facts),
    ending(facts),
    before(earlier),
  ];
  if (facts.kind === "host" && passedOver > 0)
    steps.push(
      `${passedOver} messages of hosts and peers that nobody knew were too many to be written down.`,
    );
  return steps.filter((step) => step !== undefined);
}

function tunnelParagraphs(facts: Facts): readonly string[] {
  const steps: string[] = [];
  const first = facts.entries[0];
  if (first !== undefined) steps.push(`It begins on ${day(first.at)} at ${clock(first.at)} UTC.`);
  for (const { at, note } of facts.entries) {
    const [a = "", b = "", c = "", d = ""] = (note?.fields ?? []).map(plain);
    if (note?.kind === "tunnel-calling") steps.push(`We called ${a} at ${b}.`);
    if (note?.kind === "caller") steps.push(`An SCCRQ came from ${a}.`);
    if (note?.kind === "tunnel-up")
      steps.push(`It was up with ${a}, Host Name ${quoted(b)}, at ${clock(at)}.`);
    steps.push(...silence(note, at));
    if (note?.kind === "tunnel-down")
      steps.push(`It went down at ${clock(at)}, ${c === "asked" ? "by our own wish" : "unasked"}: ${d}.`);
  }
  const again = facts.entries.filter(({ again }) => again).length;
  if (again > 0) steps.push(`${again} of its messages were sent or received more than once.`);
  const ends = new Map<string, number>();
  for (const out of [false, true])
    for (const { result } of facts.stops("CDN", out)) {
      const text = `${out ? "we sent" : "the other end sent"} CDN ${describeStop("CDN", { result: result.result })}`;
      ends.set(text, (ends.get(text) ?? 0) + 1);
    }
  for (const [text, count] of ends) steps.push(`${capital(countOf(count))} ${text}.`);
  return steps;
}

function beginning({ entries }: Facts): string | undefined {
  const first = entries[0];
  return first && `It begins on ${day(first.at)} at ${clock(first.at)} UTC.`;
}

/** Discovery, or the LAC's call. */
function access(facts: Facts): readonly string[] {
  const steps: string[] = [];
  const padi = facts.received("PADI");
  const pado = facts.sent("PADO");
  const port = facts.entries.find((entry) => entry.port !== "")?.port;
  if (padi.length > 0)
    steps.push(
      `${capital(times("PADI", padi.length))} came on ${port ?? "its interface"}; ${pado.length === 0 ? "no PADO went out" : `${times("PADO", pado.length)} went out`}.`,
    );
  if (facts.kind === "host" && facts.unanswered !== "")
    steps.push(`The last message got no answer: ${facts.unanswered}.`);
  const refused = facts.refused;
  if (refused !== undefined) steps.push(`We refused it a session: ${refused}.`);
  const [kind, where = "", detail = ""] = facts.note("session-begun") ?? [];
  if (kind === "pppoe") steps.push(`It got PPPoE session ${detail} on ${plain(where)}.`);
  if (kind === "l2tp")
    steps.push(
      `${plain(where)} placed the call with us${detail === "" ? "" : `, from the Calling Number ${quoted(detail)}`}.`,
    );
  return steps;
}

function ppp(facts: Facts): string | undefined {
  if (facts.kind !== "session" || facts.sent("LCP Configure-Request").length === 0) return undefined;
  if (!facts.heard("LCP"))
    return `We asked for LCP ${countOf(facts.sent("LCP Configure-Request").length)}; nothing came back.`;
  const agreed = facts.received("LCP Configure-Ack").length > 0 && facts.sent("LCP Configure-Ack").length > 0;
  return agreed ? "LCP was agreed on." : "LCP was begun and not agreed on.";
}

function login(facts: Facts): readonly string[] {
  const steps: string[] = [];
  const name = facts.note("user")?.[0];
  const method = facts.heard("CHAP") ? " by CHAP" : facts.heard("PAP") ? " by PAP" : "";
  if (name !== undefined) steps.push(`The subscriber says${method} that he is ${quoted(name)}.`);
  if (facts.refusedLogin !== "") steps.push(`The login was refused: ${plain(facts.refusedLogin)}.`);
  return steps;
}

/** One paragraph for each LNS that was tried. */
function calls({ entries }: Facts): readonly string[] {
  const steps: string[] = [];
  let placedAt = 0;
  for (const { at, name, out, note, again } of entries) {
    if (note?.kind === "lns-chosen") steps.push(choiceText(note.fields));
    else if (note?.kind === "call-placed") {
      placedAt = at;
      steps.push(`The call was placed with ${plain(note.fields[0] ?? "")}.`);
    } else if (note?.kind === "call-failed")
      steps.push(`${plain(note.fields[0] ?? "")} did not take the call: ${plain(note.fields[1] ?? "")}.`);
    else if (note?.kind === "tunnel-up" && placedAt > 0)
      steps.push(`The tunnel with ${plain(note.fields[0] ?? "")} came up after ${duration(at - placedAt)}.`);
    else if (placedAt > 0 && !out && !again && name === "ICRP")
      steps.push(`It took the call ${duration(at - placedAt)} after it was placed.`);
  }
  return steps;
}

/** CDN and StopCCN with their codes in words, where the session's end does not tell them. */
function stops({ entries, end }: Facts): readonly string[] {
  return entries.flatMap(({ at, name, out, again, result }) =>
    again || result === undefined || end?.text.includes(name)
      ? []
      : [`${out ? "We" : "The other end"} sent ${name} at ${clock(at)}: ${describeStop(name, result)}.`],
  );
}

function choiceText(fields: readonly string[]): string {
  const [group = "", peer = "", ...candidates] = fields.map(plain);
  return `Of the group ${group}, ${peer} was chosen. Considered: ${candidates.join("; ")}.`;
}

function opening(facts: Facts): readonly string[] {
  const opened = facts.entries.find(({ note }) => note?.kind === "session-open");
  const begun = facts.entries.find(({ note }) => note?.kind === "session-begun");
  if (opened?.note === undefined) return [];
  const [role = "", joined = "", address = ""] = opened.note.fields.map(plain);
  const after = begun === undefined ? "" : `, ${duration(opened.at - begun.at)} after it had begun`;
  const as = address === "" ? `bridged to ${joined}` : `on ${joined} with the address ${address}`;
  return [`It opened at ${clock(opened.at)}${after}: ${as} (${role}).`];
}

/** That its tunnel was not heard for a while, or is not. */
function silences({ entries }: Facts): readonly string[] {
  return entries.flatMap(({ note, at }) => silence(note, at));
}

function silence(note: Note | undefined, at: number): readonly string[] {
  const [peer = "", what = ""] = (note?.fields ?? []).map(plain);
  if (note?.kind === "tunnel-not-answering")
    return [`${peer} did not answer in the tunnel at ${clock(at)}: ${what}.`];
  if (note?.kind === "tunnel-not-reached")
    return [
      `What was sent to ${peer} did not arrive, it turned out at ${clock(at)}: ${plain(note.fields[2] ?? "")}.`,
    ];
  if (note?.kind === "tunnel-answers")
    return [`It answered again at ${clock(at)}, after ${duration(Number(what))}.`];
  return [];
}

function ending(facts: Facts): string | undefined {
  const { end } = facts;
  if (end === undefined) return undefined;
  const [, failure = ""] = facts.note("call-failed") ?? [];
  // it has been told of the last LNS that was asked
  if (end.code === "no-lns" && failure !== "" && end.text.endsWith(failure))
    return `It ended at ${clock(end.at)} (no-lns): there was no other LNS to ask.`;
  return `It ended at ${clock(end.at)} (${end.code}): ${plain(end.text)}.`;
}

/** Other sessions of the same subject. */
function before(earlier: readonly Trace[]): string | undefined {
  const ends = earlier.filter(({ note }) => note?.kind === "session-ended");
  const last = ends.at(-1);
  if (last?.note === undefined) return undefined;
  const text = `${plain(last.note.fields[0] ?? "")}: ${plain(last.note.fields[2] ?? "")}`;
  const others = ends.length === 1 ? "One session" : `${ends.length} sessions`;
  return `${others} of it ended before; the last, s${last.session}, at ${clock(last.at)} (${text}).`;
}

function times(name: string, count: number): string {
  return count === 1 ? `one ${name}` : `${count} ${name}s`;
}

function capital(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function countOf(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
