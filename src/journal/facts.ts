import type { ResultCode } from "../wire/l2tp-codes.ts";
import type { Entry } from "./entries.ts";
import type { NoteKind } from "./notes.ts";

/** How a session ended: the fields of its note. */
export interface End {
  readonly at: number;
  /** An EndCode of the gateway's. */
  readonly code: string;
  /** How its PPP link ended, if it was that. */
  readonly link: string;
  readonly text: string;
  /** For how long it had been open; undefined when it never was. */
  readonly openMs: number | undefined;
}

/** A CDN or StopCCN. */
export interface Stop {
  readonly entry: Entry;
  readonly result: ResultCode;
}

/** From a message until it has been repeated twice. */
const UNANSWERED_MS = 3500;

function isAnswer(kind: NoteKind | undefined): boolean {
  return kind === "tunnel-answers" || kind === "tunnel-up";
}

function endsSilence(kind: NoteKind | undefined): boolean {
  return isAnswer(kind) || kind === "tunnel-down";
}

/** What the rules ask of what happened. */
export class Facts {
  readonly kind: "session" | "host" | "tunnel";
  readonly entries: readonly Entry[];
  readonly end: End | undefined;
  readonly isOpen: boolean;

  constructor(kind: Facts["kind"], entries: readonly Entry[]) {
    this.kind = kind;
    this.entries = entries;
    this.end = endOf(entries);
    this.isOpen =
      kind === "tunnel"
        ? this.has("tunnel-up") && !this.has("tunnel-down")
        : this.end === undefined && this.has("session-open");
  }

  /** Retransmissions included. */
  sent(name: string): readonly Entry[] {
    return this.entries.filter((entry) => entry.out && entry.note === undefined && entry.name === name);
  }

  received(name: string): readonly Entry[] {
    return this.entries.filter((entry) => !entry.out && entry.note === undefined && entry.name === name);
  }

  /** Whether anything of a PPP protocol has come. */
  heard(protocol: string): boolean {
    return this.entries.some(
      ({ out, leg, name }) => !out && leg === "ppp" && name.startsWith(`${protocol} `),
    );
  }

  has(kind: NoteKind): boolean {
    return this.entries.some(({ note }) => note?.kind === kind);
  }

  /** It was to go on to an LNS, whatever came of that. */
  get isForwarded(): boolean {
    return this.has("lns-chosen") || this.has("call-placed") || this.has("call-failed");
  }

  /** The fields of the last note of a kind. */
  note(kind: NoteKind): readonly string[] | undefined {
    return this.entries.findLast(({ note }) => note?.kind === kind)?.note?.fields;
  }

  /** Why the last call, a PADI or PADR, got no answer; "" when it got one. */
  get unanswered(): string {
    const last = this.entries.findLast(({ leg, out, name }) => leg === "access" && !out && name !== "PADT");
    return last?.unanswered ?? "";
  }

  /** The error tag of our last refusal of a session. */
  get refusal(): string | undefined {
    return this.entries.findLast(({ leg, out, error }) => leg === "access" && out && error !== undefined)
      ?.error;
  }

  /** That tag with its text: `AC-System-Error "session limit reached"`. */
  get refused(): string | undefined {
    const entry = this.entries.findLast(({ leg, out, name }) => leg === "access" && out && name === "PADS");
    if (entry?.error === undefined) return undefined;
    const at = entry.text.indexOf(entry.error);
    return at < 0 ? entry.error : entry.text.slice(at);
  }

  get refusedLogin(): string {
    return this.note("login-refused")?.[0] ?? "";
  }

  stops(name: "CDN" | "StopCCN", out: boolean): readonly Stop[] {
    return this.entries.flatMap((entry) =>
      entry.name === name && entry.out === out && entry.result !== undefined
        ? [{ entry, result: entry.result }]
        : [],
    );
  }

  /** The CDNs of LNSes to calls that they had not taken yet, and to those that they had. */
  refusals(): readonly ResultCode[] {
    const requests = [...this.sent("ICRQ"), ...this.sent("OCRQ")];
    return this.stops("CDN", false).flatMap(({ entry, result }) =>
      !this.#wasConnected(entry) && requests.some(({ tunnel }) => tunnel === entry.tunnel) ? [result] : [],
    );
  }

  clearings(): readonly ResultCode[] {
    return this.stops("CDN", false).flatMap(({ entry, result }) =>
      this.#wasConnected(entry) ? [result] : [],
    );
  }

  /** Of any tunnel in it, whether one message was sent and none of its answers came in the same one. */
  isUnanswered(name: string, ...answers: readonly string[]): boolean {
    return this.#unanswered(name, answers).length > 0;
  }

  #unanswered(name: string, answers: readonly string[]): readonly number[] {
    const tunnels = new Set(this.sent(name).map(({ tunnel }) => tunnel));
    for (const answer of answers) for (const { tunnel } of this.received(answer)) tunnels.delete(tunnel);
    return [...tunnels];
  }

  /** As isUnanswered(), and nothing is known of why. */
  isUnexplained(name: string, ...answers: readonly string[]): boolean {
    const explained = new Set(this.#notReached().map(({ tunnel }) => tunnel));
    return this.#unanswered(name, answers).some((tunnel) => !explained.has(tunnel));
  }

  /** Whether what was sent in a tunnel did not arrive, for one of these reasons, and it was not answered after that. */
  wasNotReached(...reasons: readonly string[]): boolean {
    return this.#notReached().some(({ note }) => reasons.includes(note?.fields[1] ?? ""));
  }

  /** Of a session that was open: since then, since LNSes that were asked before are another matter. */
  #notReached(): readonly Entry[] {
    const opened = this.entries.findIndex(({ note }) => note?.kind === "session-open");
    return this.entries.filter(
      ({ note, tunnel }, at) =>
        at > opened &&
        note?.kind === "tunnel-not-reached" &&
        !this.entries.slice(at).some((later) => later.tunnel === tunnel && isAnswer(later.note?.kind)),
    );
  }

  /** What was sent in its tunnel was not acknowledged at that time, or was found not to be some seconds later. */
  isTunnelSilent(at: number): boolean {
    let isSilent = false;
    for (const { note, at: noted } of this.entries) {
      if (note?.kind === "tunnel-not-answering") isSilent = noted <= at + UNANSWERED_MS;
      else if (noted <= at && endsSilence(note?.kind)) isSilent = false;
    }
    return isSilent;
  }

  /** Whether ICCN or OCCN had been sent before, in the same tunnel. */
  #wasConnected({ tunnel, at }: Entry): boolean {
    return [...this.sent("ICCN"), ...this.sent("OCCN")].some(
      (sent) => sent.tunnel === tunnel && sent.at <= at,
    );
  }
}

function endOf(entries: readonly Entry[]): End | undefined {
  const ended = entries.findLast(({ note }) => note?.kind === "session-ended");
  if (ended?.note === undefined) return undefined;
  const [code = "", link = "", text = "", openFor = ""] = ended.note.fields;
  return { at: ended.at, code, link, text, openMs: openFor === "" ? undefined : Number(openFor) };
}
