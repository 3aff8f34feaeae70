import type { SignalSource } from "./process.ts";

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** Waits for SIGTERM or SIGINT from its construction on. A second one calls `onSecond`. */
export class StopSignals {
  readonly #source: SignalSource;
  readonly #onSecond: (signal: NodeJS.Signals) => void;
  readonly #abort = new AbortController();

  constructor(source: SignalSource, onSecond: (signal: NodeJS.Signals) => void) {
    this.#source = source;
    this.#onSecond = onSecond;
    for (const signal of STOP_SIGNALS) source.on(signal, this.#onSignal);
  }

  /** Aborted by the first signal, whose name is its reason. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Resolves to the name of the first signal. */
  async first(): Promise<string> {
    const { signal } = this.#abort;
    if (!signal.aborted)
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return String(signal.reason);
  }

  /** Leaves signals to whoever wants them. */
  dispose(): void {
    for (const signal of STOP_SIGNALS) this.#source.off(signal, this.#onSignal);
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (this.#abort.signal.aborted) this.#onSecond(signal);
    else this.#abort.abort(signal);
  };
}
