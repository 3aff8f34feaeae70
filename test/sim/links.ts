import type { Chance } from "./chance.ts";
import type { Timeline } from "./timeline.ts";
import type { Trace } from "./trace.ts";

/** How bad a link is. */
export interface Weather {
  readonly latencyMs: number;
  /** What comes on top at random: more than the distance between two frames reorders them. */
  readonly jitterMs: number;
  /** Chances of every frame, from 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
}

/** A path in one direction. */
export class Link {
  weather: Weather;
  /** Nothing arrives that is sent before this instant. */
  deadUntil = 0;
  readonly #name: string;
  readonly #timeline: Timeline;
  readonly #trace: Trace;
  readonly #chance: Chance;
  readonly #deliver: (bytes: Uint8Array) => void;

  constructor(
    name: string,
    weather: Weather,
    { timeline, trace, chance }: { timeline: Timeline; trace: Trace; chance: Chance },
    deliver: (bytes: Uint8Array) => void,
  ) {
    this.#name = name;
    this.weather = weather;
    this.#timeline = timeline;
    this.#trace = trace;
    this.#chance = chance.fork();
    this.#deliver = deliver;
  }

  send(bytes: Uint8Array): void {
    const { loss, duplication } = this.weather;
    if (this.#timeline.now < this.deadUntil || this.#chance.is(loss)) {
      this.#trace.add(`${this.#name} lost`, bytes);
      return;
    }
    this.#carry(bytes);
    if (this.#chance.is(duplication)) this.#carry(bytes);
  }

  #carry(bytes: Uint8Array): void {
    const { latencyMs, jitterMs } = this.weather;
    const jitter = jitterMs === 0 ? 0 : this.#chance.between(0, jitterMs);
    this.#timeline.after(latencyMs + jitter, () => {
      this.#trace.add(this.#name, bytes);
      this.#deliver(bytes.slice());
    });
  }
}
