import type { DialOptions } from "./dial-options.ts";
import type { OnlineSession, Subscriber } from "./subscriber.ts";

/** What `lacewing dial` tells: a line for each session that comes up or goes, and a summary. */
export class DialReport {
  readonly #json: boolean;
  readonly #write: (text: string) => void;
  readonly #count: number;
  readonly #setupTimesMs: number[] = [];
  /** Lines that leave together: thousands may come up in one moment. */
  #waiting = "";

  constructor(options: DialOptions, write: (text: string) => void) {
    this.#json = options.json;
    this.#count = options.count;
    this.#write = write;
  }

  up(subscriber: Subscriber, session: OnlineSession): void {
    this.#setupTimesMs.push(session.setupMs);
    this.#event({ event: "up", number: subscriber.number, user: subscriber.user, ...session }, () => {
      const device = session.device === undefined ? "" : ` on ${session.device}`;
      return `${subscriber.user}: online as ${session.address}${device}, MTU ${session.mtuBytes}, after ${session.setupMs.toFixed(1)} ms`;
    });
  }

  down(subscriber: Subscriber, reason: string): void {
    this.#event(
      { event: "down", number: subscriber.number, user: subscriber.user, reason },
      () => `${subscriber.user}: offline: ${reason}`,
    );
  }

  /** All have come up or failed; `elapsedMs` since the first began. */
  summary(failed: number, elapsedMs: number): void {
    const sorted = this.#setupTimesMs.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    const summary = {
      event: "summary",
      up: sorted.length,
      failed,
      elapsedMs,
      sessionsPerSecond: elapsedMs > 0 ? (sorted.length * 1000) / elapsedMs : 0,
      setupMs: { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 },
    };
    this.#event(summary, () =>
      this.#count === 1
        ? undefined
        : `${summary.up} online, ${failed} failed, in ${(elapsedMs / 1000).toFixed(2)} s: ` +
          `${summary.sessionsPerSecond.toFixed(0)} a second; set-up p50 ${summary.setupMs.p50.toFixed(1)} ms, ` +
          `p99 ${summary.setupMs.p99.toFixed(1)} ms`,
    );
  }

  /** Writes what waits. */
  flush(): void {
    if (this.#waiting !== "") this.#write(this.#waiting);
    this.#waiting = "";
  }

  #event(event: object, text: () => string | undefined): void {
    const line = this.#json ? JSON.stringify(event) : text();
    if (line === undefined) return;
    if (this.#waiting === "") setImmediate(() => this.flush());
    this.#waiting += `${line}\n`;
  }
}
