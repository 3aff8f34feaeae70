/** What happens in the gateway, for operators and counters: told once, in order, and kept for a while. */

import type { SessionRole } from "./views.ts";

/** Of a session, whatever becomes of it. */
interface SessionFacts {
  readonly session: string;
  readonly user: string | null;
  readonly role: SessionRole | null;
  /** The access interface, or the L2TP peer that brought it. */
  readonly origin: string;
  /** The subscriber's MAC address. */
  readonly mac: string | null;
  /** The L2TP peer that it is bridged to. */
  readonly lns: string | null;
  readonly address: string | null;
}

/** Who sent StopCCN or CDN; nobody: it was not answered, begun anew, or given up before anybody knew of it. */
export type EndedBy = "peer" | "us" | "nobody";

export type GatewayEvent =
  | ({ readonly kind: "session-up"; readonly setupMs: number } & SessionFacts)
  /** `wasUp` false: it was refused, or given up. */
  | ({
      readonly kind: "session-down";
      readonly wasUp: boolean;
      readonly cause: string;
      readonly reason: string;
      readonly openSeconds: number;
      readonly octetsIn: number;
      readonly octetsOut: number;
      readonly framesIn: number;
      readonly framesOut: number;
    } & SessionFacts)
  | {
      readonly kind: "tunnel-up";
      readonly tunnel: number;
      readonly peer: string;
      readonly address: string;
      /** From our SCCRQ on; null of a tunnel that the peer opened. */
      readonly setupMs: number | null;
    }
  | {
      readonly kind: "tunnel-down";
      readonly tunnel: number;
      readonly peer: string;
      readonly wasUp: boolean;
      readonly reason: string;
      readonly sessions: number;
      /** The Result Code of its StopCCN, and who sent it; null when it ended without. */
      readonly result: number | null;
      readonly by: EndedBy;
    }
  /** What we have sent in a tunnel that is up was repeated twice, and is not acknowledged. */
  | {
      readonly kind: "tunnel-not-answering";
      readonly tunnel: number;
      readonly peer: string;
      readonly reason: string;
    }
  /** It is, after all. */
  | {
      readonly kind: "tunnel-answers";
      readonly tunnel: number;
      readonly peer: string;
      readonly afterSeconds: number;
    }
  /** Somebody whom we do not take wanted a tunnel; no more often than he is answered. */
  | {
      readonly kind: "tunnel-refused";
      readonly address: string;
      /** His Host Name AVP. */
      readonly hostName: string | null;
      readonly reason: string;
    }
  /** A call ended, and not its tunnel. */
  | {
      readonly kind: "call-down";
      readonly tunnel: number;
      readonly peer: string;
      readonly connected: boolean;
      readonly reason: string;
      readonly result: number | null;
      readonly by: EndedBy;
    }
  | {
      readonly kind: "lns-locked-out";
      readonly peer: string;
      readonly reason: string;
      readonly seconds: number;
    }
  | { readonly kind: "lns-back"; readonly peer: string };

/** An event as it is kept and told: numbered from 1 without gaps, with its time in milliseconds since 1970. */
export interface TimedEvent {
  readonly id: number;
  readonly at: number;
  readonly event: GatewayEvent;
}

/** What the machines' surroundings need of it. */
export interface EventSink {
  publish(event: GatewayEvent): void;
}

/** Events that are kept for who comes back after a short absence. */
const KEPT = 1024;

/** Tells listeners at once what happens; the last events can be asked for. */
export class EventBus implements EventSink {
  readonly #wallClock: () => number;
  readonly #listeners = new Set<(event: TimedEvent) => void>();
  /** A ring: event n is at n modulo its length. */
  readonly #kept: TimedEvent[] = [];
  #last = 0;

  constructor(wallClock: () => number) {
    this.#wallClock = wallClock;
  }

  publish(event: GatewayEvent): void {
    this.#last += 1;
    const timed = { id: this.#last, at: this.#wallClock(), event };
    this.#kept[this.#last % KEPT] = timed;
    for (const listener of this.#listeners) listener(timed);
  }

  /** `listener` must not throw, and not take long: it is called where things happen. Returns how to leave. */
  subscribe(listener: (event: TimedEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The number of the last event; 0 before the first. */
  get last(): number {
    return this.#last;
  }

  /** Events after number `id`, oldest first; undefined when some of them are not kept any more, or `id` is not of ours. */
  since(id: number): readonly TimedEvent[] | undefined {
    if (id > this.#last || id < this.#last - KEPT) return undefined;
    const events: TimedEvent[] = [];
    for (let each = id + 1; each <= this.#last; each++) events.push(this.#kept[each % KEPT]!);
    return events;
  }
}
