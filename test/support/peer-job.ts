/** A command that runs in the VM of real peers. */

import { readFileSync, watch } from "node:fs";
import { deferred } from "./deferred.ts";

export class PeerJob {
  readonly #outputPath: string;
  readonly #description: string;
  readonly #signal: (name: string, pid: number) => void;
  readonly #started = deferred<number>();
  readonly #exited = deferred<number>();

  constructor(description: string, outputPath: string, signal: (name: string, pid: number) => void) {
    this.#description = description;
    this.#outputPath = outputPath;
    this.#signal = signal;
    // a job that nobody waits for may be cut off by the end of the VM
    this.#started.promise.catch(() => {});
    this.#exited.promise.catch(() => {});
  }

  /** Its exit status, once it has ended; rejects when the VM ends before it. */
  get exited(): Promise<number> {
    return this.#exited.promise;
  }

  /** All that it has written to standard output and standard error so far. */
  output(): string {
    return readFileSync(this.#outputPath, "utf8");
  }

  /** Waits until the output matches. Rejects when the job ends without it, or after `timeoutMs`. */
  async waitFor(pattern: RegExp, { timeoutMs = 30_000 } = {}): Promise<RegExpMatchArray> {
    const found = deferred<RegExpMatchArray>();
    const look = (): boolean => {
      const match = this.output().match(pattern);
      if (match) found.resolve(match);
      return match !== null;
    };
    const fail = (why: string): void => {
      if (!look())
        found.reject(new Error(`${this.#description} ${why}, no ${pattern} in:\n${this.output()}`));
    };
    const watcher = watch(this.#outputPath, look);
    const timer = setTimeout(() => fail(`has run for ${timeoutMs} ms`), timeoutMs);
    this.exited.then(
      (status) => fail(`has ended with status ${status}`),
      (error: Error) => found.reject(error),
    );
    look();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      watcher.close();
    }
  }

  /** Waits for its end; kills it and rejects after `timeoutMs`. */
  async finish({ timeoutMs = 30_000 } = {}): Promise<number> {
    const late = deferred<never>();
    const timer = setTimeout(() => {
      void this.kill("KILL");
      late.reject(
        new Error(`${this.#description} has not ended after ${timeoutMs} ms; so far:\n${this.output()}`),
      );
    }, timeoutMs);
    try {
      return await Promise.race([this.exited, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to the command and everything that it has started; returns when it is on its way. */
  async kill(signal = "TERM"): Promise<void> {
    this.#signal(signal, await this.#started.promise);
  }

  /** From the VM: it runs, as this process of the guest. */
  noteStarted(pid: number): void {
    this.#started.resolve(pid);
  }

  noteExited(status: number): void {
    this.#exited.resolve(status);
  }

  /** The VM is gone. */
  noteLost(error: Error): void {
    this.#started.reject(error);
    this.#exited.reject(error);
  }
}
