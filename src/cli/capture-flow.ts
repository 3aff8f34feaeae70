import { once } from "node:events";
import type { Writable } from "node:stream";
import { emitPcapngNothing } from "../wire/pcapng.ts";
import { PcapngBlocks, type PcapngTally } from "../wire/pcapng-blocks.ts";
import type { CaptureOutput } from "./capture-output.ts";

/** How long the rest of a capture that is being ended may take. */
const END_MS = 2000;
/** A reader that has gone while nothing came is noticed so soon. */
const PROBE_MS = 1000;

/** Where a capture comes from. */
export interface CaptureSource {
  /** pcapng. It may end, or fail, in the middle. */
  readonly octets: AsyncIterable<Uint8Array>;
  /** Asks for its end: what has been kept still comes. */
  stop(reason: string): void;
  /** Nothing more is wanted: `octets` ends, or fails. */
  destroy(): void;
  /** Why it ended in the middle. */
  whyBroken(): Promise<string>;
}

export interface CaptureOutcome {
  readonly tally: Readonly<PcapngTally>;
  readonly reason: string;
  /** It broke off, or could not be written. */
  readonly failed: boolean;
}

/** Passes a capture on, in whole blocks: whatever happens, what has been written is a valid file. */
export class CaptureFlow {
  readonly #source: CaptureSource;
  readonly #output: Writable;
  readonly #isOwn: boolean;
  readonly #isPipe: boolean;
  readonly #blocks = new PcapngBlocks();
  readonly #over = new AbortController();
  #reason: string | undefined;
  #failed = false;
  #patience: NodeJS.Timeout | undefined;
  #isQuiet = false;

  constructor(source: CaptureSource, { stream, isOwn, isPipe }: CaptureOutput) {
    this.#source = source;
    this.#output = stream;
    this.#isOwn = isOwn;
    this.#isPipe = isPipe;
  }

  /** Until the capture ends, its reader goes away, or `stop` says so. */
  async run(stop: AbortSignal): Promise<CaptureOutcome> {
    const onStop = (): void => this.#stop(`ended by ${stop.reason}`);
    const probe = setInterval(() => this.#probe(), PROBE_MS);
    this.#output.on("error", this.#onError);
    stop.addEventListener("abort", onStop, { once: true });
    if (stop.aborted) onStop();
    try {
      await this.#pass();
      await this.#close();
    } finally {
      clearInterval(probe);
      clearTimeout(this.#patience);
      stop.removeEventListener("abort", onStop);
    }
    const { tally } = this.#blocks;
    return { tally, reason: tally.comment ?? this.#reason ?? "", failed: this.#failed };
  }

  async #pass(): Promise<void> {
    try {
      for await (const chunk of this.#source.octets) {
        const whole = this.#blocks.push(chunk);
        if (whole === undefined) {
          this.#giveUp("what comes is no capture", true);
          return;
        }
        this.#isQuiet = false;
        if (whole.length > 0 && !this.#output.write(whole)) await this.#drained();
        if (this.#over.signal.aborted) return;
      }
    } catch (error) {
      if (!this.#over.signal.aborted) this.#reason ??= (error as Error).message;
    }
    // a capture's last words are its statistics
    if (this.#blocks.tally.comment !== undefined || this.#over.signal.aborted) return;
    this.#failed = true;
    this.#reason = await this.#source.whyBroken();
  }

  /** Resolves at the latest when nothing more is to be written. */
  async #drained(): Promise<void> {
    const { signal } = this.#over;
    if (signal.aborted) return;
    await once(this.#output, "drain", { signal }).catch((error: Error) => {
      if (!signal.aborted) throw error;
    });
  }

  async #close(): Promise<void> {
    const { signal } = this.#over;
    if (signal.aborted && !this.#isOwn) return;
    await new Promise<void>((resolve) => {
      const done = (): void => resolve();
      signal.addEventListener("abort", done, { once: true });
      if (this.#isOwn) this.#output.end(done);
      else this.#output.write(new Uint8Array(0), done);
    });
  }

  #stop(reason: string): void {
    this.#reason ??= reason;
    this.#source.stop(reason);
    this.#patience = setTimeout(() => this.#giveUp(reason, false), END_MS);
  }

  /** To write is the only way to learn that nobody reads any more. */
  #probe(): void {
    if (this.#isPipe && this.#isQuiet && this.#output.writableLength === 0)
      this.#output.write(emitPcapngNothing());
    this.#isQuiet = true;
  }

  readonly #onError = ({ code, message }: NodeJS.ErrnoException): void => {
    if (code === "EPIPE") this.#giveUp("its reader has gone", false);
    else this.#giveUp(message, true);
  };

  #giveUp(reason: string, failed: boolean): void {
    if (this.#over.signal.aborted) return;
    this.#reason = reason;
    this.#failed = failed;
    this.#over.abort();
    this.#source.destroy();
  }
}
