import type { LineSink } from "./log.ts";

/** Characters after which nobody waits for others. */
const MOST = 1 << 16;
/** How long the first of some lines waits for others: nobody who reads them sees it. */
const GATHER_MS = 5;

/**
 * The lines of a few milliseconds, written together: a call of the system for every line of a thousand log-ins, and
 * their reader awake for each, would take as long as a tenth of what they are about. Who ends must flush().
 */
export class GatheredLines implements LineSink {
  readonly #sink: LineSink;
  #text = "";

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  write(text: string): void {
    if (this.#text === "") setTimeout(() => this.flush(), GATHER_MS);
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
