import type { Deferred } from "../base/deferred.ts";
import { deferred } from "../base/deferred.ts";
import { type Instant, NEVER } from "../base/time.ts";
import type { EventBus } from "./events.ts";
import type { Flow, Traffic, TrafficReading } from "./operations-traffic.ts";
import type { NamedRateView, RatesView, RateView } from "./operations-views.ts";
import type { Surroundings } from "./surroundings.ts";

const INTERVAL_MS = 1000;
/** Readings go on for so long after somebody has asked. */
const INTEREST_MS = 5000;

interface Reading {
  readonly at: Instant;
  readonly flows: TrafficReading;
  readonly setups: number;
}

/** What flows in a second: two readings apart. They are only taken while somebody asks. */
export class Rates {
  readonly #around: Surroundings;
  readonly #traffic: Traffic;
  #setups = 0;
  #last: Reading | undefined;
  #view: RatesView | undefined;
  #readAt: Instant = NEVER;
  #askedAt: Instant = -INTEREST_MS;
  #isReading = false;
  #fresh: Deferred | undefined;
  /** Why the last reading could not be taken: the data plane is closed, when the gateway stops. */
  #failure: unknown;

  constructor(around: Surroundings, traffic: Traffic, events: EventBus) {
    this.#around = around;
    this.#traffic = traffic;
    events.subscribe(({ event }) => {
      if (event.kind === "session-up") this.#setups += 1;
    });
  }

  /** The rates of the last second; after a while without anybody's interest, those of the second that begins. */
  async read(): Promise<RatesView> {
    this.#askedAt = this.#around.clock.now();
    if (this.#readAt === NEVER && !this.#isReading) void this.#take();
    while (this.#view === undefined) {
      this.#fresh ??= deferred();
      await this.#fresh.promise;
      if (this.#failure !== undefined) throw this.#failure;
    }
    return this.#view;
  }

  deadline(): Instant {
    return this.#readAt;
  }

  timeout(now: Instant): void {
    if (now < this.#readAt) return;
    this.#readAt = NEVER;
    if (now - this.#askedAt < INTEREST_MS) void this.#take();
    else {
      this.#last = undefined;
      this.#view = undefined;
    }
  }

  async #take(): Promise<void> {
    this.#isReading = true;
    let flows: TrafficReading;
    try {
      flows = await this.#traffic.read();
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.#tell();
      return;
    } finally {
      this.#isReading = false;
    }
    const reading = { at: this.#around.clock.now(), flows, setups: this.#setups };
    if (this.#last !== undefined) this.#view = this.#between(this.#last, reading);
    this.#last = reading;
    this.#readAt = reading.at + INTERVAL_MS;
    this.#around.scheduler.update(this);
    if (this.#view !== undefined) this.#tell();
  }

  #tell(): void {
    this.#fresh?.resolve();
    this.#fresh = undefined;
  }

  #between(before: Reading, after: Reading): RatesView {
    const seconds = Math.max(0.001, (after.at - before.at) / 1000);
    return {
      at: new Date(this.#around.clock.wallClock()).toISOString(),
      seconds,
      total: rate(before.flows.total, after.flows.total, seconds),
      ports: named(before.flows.ports, after.flows.ports, seconds),
      lnses: named(before.flows.lnses, after.flows.lnses, seconds),
      setupsPerSecond: (after.setups - before.setups) / seconds,
    };
  }
}

function rate(before: Flow | undefined, after: Flow, seconds: number): RateView {
  // a channel's counters may be behind those of the moment at which its session is told to have ended
  const per = (now: number, then = 0): number => Math.max(0, (now - then) / seconds);
  return {
    octetsInPerSecond: per(after.octetsIn, before?.octetsIn),
    octetsOutPerSecond: per(after.octetsOut, before?.octetsOut),
    framesInPerSecond: per(after.framesIn, before?.framesIn),
    framesOutPerSecond: per(after.framesOut, before?.framesOut),
  };
}

function named(
  before: TrafficReading["ports"],
  after: TrafficReading["ports"],
  seconds: number,
): readonly NamedRateView[] {
  return [...after].map(([name, flow]) => ({
    name,
    sessions: flow.sessions,
    ...rate(before.get(name), flow, seconds),
  }));
}
