import { controlNs } from "../wire/l2tp-control-header.ts";
import { pppHeaderBytes } from "../wire/ppp.ts";
import { decodeL2tp } from "./decode-l2tp.ts";
import { decodePpp } from "./decode-ppp.ts";
import { decodePppoe } from "./decode-pppoe.ts";
import { type Decoded, plain, quoted } from "./decoded.ts";
import { KIND } from "./ring.ts";
import type { StoryEvidence, StoryLeg } from "./story-view.ts";
import type { Note, Trace } from "./trail.ts";

/** A record, read. */
export interface Entry {
  readonly at: number;
  readonly out: boolean;
  readonly leg: StoryLeg;
  readonly name: string;
  readonly text: string;
  /** A retransmission. */
  readonly again: boolean;
  readonly tunnel: number;
  readonly note: Note | undefined;
  /** Of discovery. */
  readonly port: string;
  readonly unanswered: string;
  readonly result: Decoded["result"];
  readonly error: string | undefined;
}

/** Reads records, oldest first. */
export function entriesOf(traces: readonly Trace[]): readonly Entry[] {
  const repeats = new Repeats();
  return traces.map((trace) => {
    const { at, out, tunnel, note, port, unanswered } = trace;
    const { leg, decoded } = read(trace);
    const again = repeats.isAgain(trace, decoded);
    const { name, result, error } = decoded;
    const text = trace.cut ? `${decoded.text}; the rest was not kept` : decoded.text;
    return { at, out, leg, name, text, again, tunnel, note, port, unanswered, result, error };
  });
}

export function evidenceOf({ at, out, leg, name, text, again }: Entry): StoryEvidence {
  return {
    at: new Date(at).toISOString(),
    direction: leg === "note" ? null : out ? "out" : "in",
    leg,
    name,
    text,
    ...(again && { again }),
  };
}

function read({ kind, octets, note, tunnel, unanswered }: Trace): { leg: StoryLeg; decoded: Decoded } {
  switch (kind) {
    case KIND.pppoe: {
      const decoded = decodePppoe(octets);
      const text = unanswered === "" ? decoded.text : `${decoded.text}; not answered: ${unanswered}`;
      return { leg: "access", decoded: { ...decoded, text } };
    }
    case KIND.ppp:
      return { leg: "ppp", decoded: decodePpp(octets) };
    case KIND.l2tp:
      return { leg: "tunnel", decoded: decodeL2tp(octets) };
    case KIND.note:
      return { leg: "note", decoded: describeNote(note!, tunnel) };
  }
}

/** What is the same as something before it, as far as a sender may repeat himself. */
class Repeats {
  /** By tunnel, direction and Ns. */
  readonly #numbered = new Set<string>();
  /** By protocol: the last packet of each direction since the other one spoke. */
  readonly #last = new Map<string, string>();

  isAgain(trace: Trace, { name }: Decoded): boolean {
    const { kind, out, octets, tunnel } = trace;
    if (kind === KIND.note || name.startsWith("(")) return false;
    if (kind === KIND.l2tp) {
      const key = `${tunnel}/${out}/${controlNs(octets)}`;
      const again = this.#numbered.has(key);
      this.#numbered.add(key);
      return again;
    }
    const [protocol = ""] = name.split(" ");
    const conversation = kind === KIND.pppoe ? "PPPoE" : protocol;
    const said = kind === KIND.pppoe ? name : withoutIdentifier(octets);
    const [mine, theirs] = [`${conversation}/${out}`, `${conversation}/${!out}`];
    const again = this.#last.get(mine) === said;
    this.#last.set(mine, said);
    this.#last.delete(theirs);
    return again;
  }
}

/** A PPP packet that is said again may have a new identifier. */
function withoutIdentifier(frame: Uint8Array): string {
  const header = pppHeaderBytes(frame, 0, frame.length);
  return `${frame.slice(0, header + 1).join()};${frame.slice(header + 2).join()}`;
}

/** "18 ms", "4.2 s". */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** For people; the fields are in notes.ts. */
function describeNote({ kind, fields }: Note, tunnel: number): Decoded {
  const [a = "", b = "", c = "", d = ""] = fields.map(plain);
  switch (kind) {
    case "session-begun":
      return a === "pppoe"
        ? { name: "session begins", text: `PPPoE session ${c} on ${b}` }
        : {
            name: "session begins",
            text: `call of ${b} in tunnel ${tunnel}${c === "" ? "" : ` from ${quoted(c)}`}`,
          };
    case "user":
      return { name: "user", text: quoted(a) };
    case "login-refused":
      return { name: "login refused", text: a };
    case "lns-chosen": {
      const candidates = fields.slice(2).map(plain).join("; ");
      return { name: "LNS chosen", text: `${b} of ${a}: ${candidates}` };
    }
    case "call-placed":
      return { name: "call placed", text: `with ${a} in tunnel ${tunnel}` };
    case "call-failed":
      return { name: "call failed", text: `${a}: ${b}` };
    case "session-open":
      return { name: "session open", text: `${a}, ${b}${c === "" ? "" : `, address ${c}`}` };
    case "session-ended":
      return {
        name: "session ended",
        text: `${a}: ${c}${d === "" ? "" : `; it had been open for ${duration(Number(d))}`}`,
      };
    case "tunnel-calling":
      return { name: "tunnel", text: `${tunnel}: calling ${a} at ${b}` };
    case "tunnel-up":
      return { name: "tunnel", text: `${tunnel}: up with ${a} (${quoted(b)}) at ${c}` };
    case "tunnel-down":
      return { name: "tunnel", text: `${tunnel}: down: ${d}` };
    case "tunnel-not-answering":
      return { name: "tunnel", text: `${tunnel}: ${a} does not answer: ${b}` };
    case "tunnel-answers":
      return { name: "tunnel", text: `${tunnel}: ${a} answers again, after ${duration(Number(b))}` };
    case "tunnel-not-reached":
      return { name: "tunnel", text: `${tunnel}: ${a} is not reached: ${c}` };
    case "tunnel-refused":
      return { name: "tunnel refused", text: `${a}, Host Name ${quoted(b)}: ${c}` };
    case "caller":
      return { name: "caller", text: a };
    case "capture-begun":
      return { name: "capture begins", text: `${a}; by ${b}` };
    case "capture-ended":
      return { name: "capture ends", text: `${a} frames; ${b}` };
    case "unused":
      return { name: "note", text: "" };
  }
}
