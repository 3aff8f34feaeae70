import { describeFrame } from "./describe-frame.ts";
import type { Timeline } from "./timeline.ts";

interface Entry {
  readonly at: number;
  readonly text: string;
  readonly bytes: Uint8Array | undefined;
}

/** How many of the last events a failure shows. */
const KEPT = 60;

/**
 * What happened, in order: the last of it for people, all of it as one hash. Two runs with the same hash sent the
 * same octets at the same times and came to the same ends.
 */
export class Trace {
  readonly #timeline: Timeline;
  readonly #print: ((line: string) => void) | undefined;
  readonly #last: Entry[] = [];
  #hash = 0x811c9dc5;
  #events = 0;

  /** `print` gets every line as it comes. */
  constructor(timeline: Timeline, print?: (line: string) => void) {
    this.#timeline = timeline;
    this.#print = print;
  }

  get hash(): number {
    return this.#hash;
  }

  get events(): number {
    return this.#events;
  }

  /** `bytes`: an Ethernet frame, or a UDP payload where `text` says so. */
  add(text: string, bytes?: Uint8Array): void {
    const at = this.#timeline.now;
    const entry = { at, text, bytes };
    this.#mix(Math.round(at * 1000));
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i));
    for (let i = 0; i < (bytes?.length ?? 0); i++) this.#mix(bytes![i]!);
    this.#last[this.#events % KEPT] = entry;
    this.#events += 1;
    this.#print?.(line(entry));
  }

  lastLines(): readonly string[] {
    const from = this.#events % KEPT;
    return [...this.#last.slice(from), ...this.#last.slice(0, from)].map(line);
  }

  /** FNV-1a. */
  #mix(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193) >>> 0;
  }
}

function line({ at, text, bytes }: Entry): string {
  const what = bytes === undefined ? "" : `  ${describeFrame(bytes)}`;
  return `${(at / 1000).toFixed(4).padStart(10)} s  ${text}${what}`;
}
