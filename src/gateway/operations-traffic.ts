/** What has flowed since the start: in all, by port and by LNS, also of sessions that have ended. */

import { setImmediate as otherWork } from "node:timers/promises";
import type { ChannelCounters } from "../channel/dataplane.ts";
import type { EventBus, GatewayEvent } from "./events.ts";
import { originOf } from "./operations-filter.ts";
import type { Session } from "./session.ts";

/** Sessions that are read before others get their turn: about a millisecond's worth. */
const SLICE = 1000;

/** Cumulative. "In" is from the subscribers. */
export type Flow = { -readonly [Key in keyof ChannelCounters]: number } & {
  /** That are there now. */
  sessions: number;
};

export interface TrafficReading {
  readonly total: Flow;
  readonly ports: ReadonlyMap<string, Flow>;
  readonly lnses: ReadonlyMap<string, Flow>;
}

const NOTHING: ChannelCounters = { framesIn: 0, octetsIn: 0, framesOut: 0, octetsOut: 0 };

class Sums {
  readonly total = nothing();
  readonly ports = new Map<string, Flow>();
  readonly lnses = new Map<string, Flow>();

  /** `reached`: of a session that is still being placed, the LNS has had nothing, and it may be another one yet. */
  add(
    counters: ChannelCounters,
    port: string,
    lns: string | undefined,
    reached: boolean,
    sessions: number,
  ): void {
    addTo(this.total, counters, sessions);
    addTo(entry(this.ports, port), counters, sessions);
    if (lns !== undefined) addTo(entry(this.lnses, lns), reached ? counters : NOTHING, sessions);
  }

  copy(): Sums {
    const sums = new Sums();
    Object.assign(sums.total, this.total);
    for (const [name, flow] of this.ports) sums.ports.set(name, { ...flow });
    for (const [name, flow] of this.lnses) sums.lnses.set(name, { ...flow });
    return sums;
  }
}

export class Traffic {
  readonly #sessions: () => Iterable<Session>;
  /** Of sessions that have ended: by name of port and LNS, so that it is as long as the configuration. */
  readonly #past = new Sums();
  #reading: Promise<TrafficReading> | undefined;

  constructor(sessions: () => Iterable<Session>, events: EventBus) {
    this.#sessions = sessions;
    events.subscribe(({ event }) => this.#ended(event));
  }

  /** Takes some milliseconds with many sessions, and lets others work meanwhile; who asks meanwhile shares it. */
  read(): Promise<TrafficReading> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<TrafficReading> {
    // as of one moment: who ends while we read is among the sessions, and still tells what he had
    const sums = this.#past.copy();
    const sessions = [...this.#sessions()].filter(({ hasEnded }) => !hasEnded);
    for (const [i, session] of sessions.entries()) {
      if (i % SLICE === SLICE - 1) await otherWork();
      sums.add(session.traffic, originOf(session), session.onwardPeer, session.wasOpen, 1);
    }
    return sums;
  }

  #ended(event: GatewayEvent): void {
    if (event.kind === "session-down")
      this.#past.add(event, event.origin, event.lns ?? undefined, event.wasUp, 0);
  }
}

function nothing(): Flow {
  return { ...NOTHING, sessions: 0 };
}

function entry(flows: Map<string, Flow>, name: string): Flow {
  const known = flows.get(name);
  if (known !== undefined) return known;
  const flow = nothing();
  flows.set(name, flow);
  return flow;
}

function addTo(flow: Flow, counters: ChannelCounters, sessions: number): void {
  flow.framesIn += counters.framesIn;
  flow.octetsIn += counters.octetsIn;
  flow.framesOut += counters.framesOut;
  flow.octetsOut += counters.octetsOut;
  flow.sessions += sessions;
}
