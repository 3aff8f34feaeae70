/** Tells events to whoever listens over HTTP (server-sent events). */

import type { ServerResponse } from "node:http";
import type { EventBus, TimedEvent } from "../gateway/events.ts";

/** Streams at one time. */
export const MAX_STREAMS = 64;
/** Events of so long leave together: a thousand sessions a second are no thousand calls of the system for each stream. */
const GATHER_MS = 100;
/** Proxies close what is silent for long, and a listener that is gone is noticed. */
const HEARTBEAT_MS = 15_000;
/** Octets that wait for one listener: then he is too slow. */
const MAX_WAITING_BYTES = 256 * 1024;
/** Who is cut off has so long to read the last word. */
const LAST_WORD_MS = 2000;

export const STREAM_HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  // for nginx
  "X-Accel-Buffering": "no",
};

export class EventStreams {
  readonly #bus: EventBus;
  /** Event numbers begin anew with every process: this tells them apart. */
  readonly #epoch: string;
  readonly #listeners = new Set<ServerResponse>();
  #leave: (() => void) | undefined;
  #gathered: string[] = [];
  #flushTimer: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  /** `epoch`: letters and digits. */
  constructor(bus: EventBus, epoch: string) {
    this.#bus = bus;
    this.#epoch = epoch;
  }

  get hasRoom(): boolean {
    return this.#listeners.size < MAX_STREAMS;
  }

  get size(): number {
    return this.#listeners.size;
  }

  /** Begins to answer. `lastSeen`: the Last-Event-ID of who comes back. */
  add(response: ServerResponse, lastSeen: string | undefined): void {
    this.#flush();
    response.writeHead(200, STREAM_HEADERS);
    const missed = lastSeen === undefined ? [] : this.#since(lastSeen);
    const gap = `id: ${this.#idOf(this.#bus.last)}\nevent: gap\ndata: {}\n\n`;
    response.write(`retry: 2000\n: events\n\n${missed?.map((event) => this.#format(event)).join("") ?? gap}`);
    response.on("close", () => this.#remove(response));
    // a listener that goes away while it is written to is no fault of ours
    response.on("error", () => this.#remove(response));
    this.#listeners.add(response);
    this.#leave ??= this.#bus.subscribe((event) => this.#gather(event));
    this.#heartbeat ??= setInterval(() => this.#write(": still here\n\n"), HEARTBEAT_MS);
  }

  close(): void {
    for (const response of this.#listeners) response.destroy();
    this.#listeners.clear();
    this.#rest();
  }

  #gather(event: TimedEvent): void {
    this.#gathered.push(this.#format(event));
    this.#flushTimer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    const text = this.#gathered.join("");
    this.#gathered = [];
    if (text !== "") this.#write(text);
  }

  #write(text: string): void {
    const octets = Buffer.from(text);
    for (const response of this.#listeners) {
      if (response.writableLength <= MAX_WAITING_BYTES) response.write(octets);
      else this.#cutOff(response);
    }
  }

  #cutOff(response: ServerResponse): void {
    this.#remove(response);
    response.end('event: cut-off\ndata: {"reason":"events come faster than you read them"}\n\n');
    const timer = setTimeout(() => response.destroy(), LAST_WORD_MS);
    response.once("close", () => clearTimeout(timer));
  }

  #remove(response: ServerResponse): void {
    this.#listeners.delete(response);
    if (this.#listeners.size === 0) this.#rest();
  }

  /** Nobody listens: nothing is made ready for anybody. */
  #rest(): void {
    this.#leave?.();
    this.#leave = undefined;
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    clearInterval(this.#heartbeat);
    this.#heartbeat = undefined;
    this.#gathered = [];
  }

  /** Undefined when some of them are not known any more. */
  #since(lastSeen: string): readonly TimedEvent[] | undefined {
    const [epoch, number] = lastSeen.split("-");
    if (epoch !== this.#epoch || number === undefined || !/^\d{1,15}$/.test(number)) return undefined;
    return this.#bus.since(Number(number));
  }

  #idOf(number: number): string {
    return `${this.#epoch}-${number}`;
  }

  #format({ id, at, event }: TimedEvent): string {
    const data = JSON.stringify({ at: new Date(at).toISOString(), ...event });
    return `id: ${this.#idOf(id)}\nevent: ${event.kind}\ndata: ${data}\n\n`;
  }
}
