import type { LineSink } from "./log.ts";

/** Characters after which nobody waits for the end of the turn. */
const MOST = 1 << 16;

/**
 * The lines of one turn of the event loop, written together at its end: a call of the system for every line of a
 * thousand log-ins would take as long as a tenth of what they are about. Who ends must flush().
 */
export class GatheredLines implements LineSink {
  readonly #sink: LineSink;
  #text = "";

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    if (this.#text === "") setImmediate(() => this.flush());
    this.#text += text;
    if (this.#text.length >= MOST) this.flush();
  }

  flush(): void {
    const text = this.#text;
    if (text === "") return;
    this.#text = "";
    this.#sink.write(text);
  }
}
