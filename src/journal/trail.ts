import { FIELD_SEPARATOR, NOTE_KINDS, type NoteKind } from "./notes.ts";
import { FLAG_CUT, FLAG_OUT, KIND, type Ring } from "./ring.ts";
import type { Words } from "./words.ts";

/** What can be read of a journal. */
export interface Archive {
  readonly rings: readonly Ring[];
  readonly words: Words;
  /** Messages of strangers that were too many to be written down. */
  readonly passedOver: number;
}

/** A record that has been taken out of its ring. */
export interface Trace {
  readonly kind: (typeof KIND)[keyof typeof KIND];
  readonly out: boolean;
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly session: number;
  readonly tunnel: number;
  /** Of a note: the session in that tunnel. */
  readonly l2tpSession: number;
  /** As macNumber() gives it; 0 for none. */
  readonly mac: number;
  /** Of discovery: the access interface, and why there was no answer. */
  readonly port: string;
  readonly unanswered: string;
  readonly note: Note | undefined;
  /** The message. */
  readonly octets: Uint8Array;
  /** There was more of it. */
  readonly cut: boolean;
}

export interface Note {
  readonly kind: NoteKind;
  readonly fields: readonly string[];
}

/** Whether the record with that body is wanted; nothing is allocated. */
type Filter = (ring: Ring, body: number) => boolean;

/** Records looked at before others get their turn: some milliseconds at the most. */
const RECORDS_AT_A_TIME = 16_384;
/** Of a story: who wants more of it captures it. */
const MOST_TRACES = 8192;

/** All that a filter wants, oldest first; the newest where there are too many. Lets others have their turn meanwhile. */
export async function collect({ rings, words }: Archive, wants: Filter): Promise<readonly Trace[]> {
  let found: Trace[] = [];
  for (const ring of rings) {
    let place: number | undefined = ring.oldest;
    while (place !== undefined) {
      place = ring.scan(place, RECORDS_AT_A_TIME, (body) => {
        if (wants(ring, body)) found.push(traceOf(ring, body, words));
      });
      if (found.length > 2 * MOST_TRACES) found = newest(found);
      if (place !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return newest(found);
}

function newest(traces: Trace[]): Trace[] {
  return traces.sort((a, b) => a.at - b.at || a.number - b.number).slice(-MOST_TRACES);
}

export function isNote(ring: Ring, body: number): boolean {
  return ring.kind(body) === KIND.note;
}

function traceOf(ring: Ring, body: number, words: Words): Trace {
  const kind = ring.kind(body) as Trace["kind"];
  const octets = ring.octets.slice(body, body + ring.bodyBytes(body));
  const isDiscovery = kind === KIND.pppoe;
  return {
    kind,
    out: (ring.flags(body) & FLAG_OUT) !== 0,
    cut: (ring.flags(body) & FLAG_CUT) !== 0,
    number: ring.number(body),
    at: ring.time(body),
    session: isDiscovery ? 0 : ring.session(body),
    tunnel: ring.tunnel(body),
    l2tpSession: isDiscovery ? 0 : ring.within(body),
    mac: ring.macHigh(body) * 65_536 + ring.macLow(body),
    port: isDiscovery ? words.text(ring.within(body)) : "",
    unanswered: isDiscovery ? words.text(ring.session(body)) : "",
    note: kind === KIND.note ? noteOf(octets) : undefined,
    octets,
  };
}

const decoder = new TextDecoder();

function noteOf(octets: Uint8Array): Note {
  const fields = decoder.decode(octets.subarray(1)).split(FIELD_SEPARATOR);
  return { kind: NOTE_KINDS[octets[0]!] ?? "unused", fields };
}
