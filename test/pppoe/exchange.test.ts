import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import { randomBetween } from "../../src/base/random.ts";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import type { AccessConcentratorOutput } from "../../src/pppoe/access-concentrator-types.ts";
import { PppoeClient } from "../../src/pppoe/client.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY, type PppoeClientOutput } from "../../src/pppoe/client-types.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { acConfig, hostMac } from "./support.ts";

interface Link {
  readonly lossPercent: number;
  readonly duplicatePercent: number;
  readonly maxDelayMs: number;
}

interface Arrival {
  readonly at: number;
  readonly to: "ac" | "clients";
  readonly frame: Uint8Array;
}

const PERFECT: Link = { lossPercent: 0, duplicatePercent: 0, maxDelayMs: 1 };
const BAD: Link = { lossPercent: 20, duplicatePercent: 15, maxDelayMs: 300 };

/** Clients and a concentrator on one segment, in virtual time; every frame reaches every client. */
class Segment {
  now = 0;
  readonly trace: string[] = [];
  /** What became of each client. */
  readonly ups: (number | undefined)[];
  readonly downs: string[][];
  readonly requested = new Map<number, number>();
  readonly closed = new Map<number, number>();
  readonly #link: Link;
  readonly #random;
  readonly #restore: boolean;
  readonly #config = acConfig({
    limits: { maxSessionsPerMac: 20, padiPerMac: { perSecond: 1_000, burst: 1_000 } },
  });
  ac: AccessConcentrator;
  clients: PppoeClient[];
  #arrivals: Arrival[] = [];

  constructor(seed: number, clients: number, link: Link, restore: boolean) {
    this.#link = link;
    this.#restore = restore;
    this.#random = seededRandom(seed);
    this.ac = new AccessConcentrator(this.#config, seededRandom(seed + 1));
    // pairs of clients share a MAC address
    this.clients = Array.from({ length: clients }, (_, i) => this.#client(i, seed + 2 + i));
    this.ups = this.clients.map(() => undefined);
    this.downs = this.clients.map(() => []);
  }

  #client(i: number, seed: number, state?: ReturnType<PppoeClient["snapshot"]>): PppoeClient {
    const retry = { ...DEFAULT_PPPOE_CLIENT_RETRY, padiAttempts: 12, padrAttempts: 12, maxWaitMs: 2_000 };
    const config = { localMac: hostMac(1 + (i >> 1)), tags: [], serviceName: "", retry };
    return new PppoeClient(config, seededRandom(seed), state);
  }

  start(): void {
    for (const [i, client] of this.clients.entries()) this.fromClient(i, client.start(this.now));
  }

  #carry(to: Arrival["to"], frame: Uint8Array): void {
    const { lossPercent, duplicatePercent, maxDelayMs } = this.#link;
    const copies = randomBetween(this.#random, 1, 100) <= duplicatePercent ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (randomBetween(this.#random, 1, 100) <= lossPercent) continue;
      this.#arrivals.push({ at: this.now + randomBetween(this.#random, 0, maxDelayMs), to, frame });
    }
  }

  fromClient(i: number, outputs: readonly PppoeClientOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") this.#carry("ac", output.frame);
      else if (output.kind === "up") {
        expect(this.ups[i]).toBeUndefined();
        this.ups[i] = output.sessionId;
        this.fromAc(this.ac.heard(this.now, output.sessionId));
        this.fromAc(this.ac.established(this.now, output.sessionId));
        this.trace.push(`${this.now} client ${i} up ${output.sessionId}`);
      } else {
        this.downs[i]!.push(output.cause.code);
        this.trace.push(`${this.now} client ${i} down ${output.cause.code}`);
      }
    }
    if (this.#restore)
      this.clients[i] = this.#client(i, 999, deserialize(serialize(this.clients[i]!.snapshot())));
  }

  fromAc(outputs: readonly AccessConcentratorOutput[]): void {
    if (this.#restore) {
      const state = deserialize(serialize(this.ac.snapshot()));
      this.ac = new AccessConcentrator(this.#config, seededRandom(999), state);
    }
    for (const output of outputs) {
      if (output.kind === "send") this.#carry("clients", output.frame);
      else if (output.kind === "session-requested") {
        this.requested.set(output.sessionId, (this.requested.get(output.sessionId) ?? 0) + 1);
        this.fromAc(this.ac.confirm(this.now, output.sessionId));
      } else {
        this.closed.set(output.sessionId, (this.closed.get(output.sessionId) ?? 0) + 1);
        this.trace.push(`${this.now} ac closed ${output.sessionId} by ${output.by}`);
      }
    }
  }

  /** The next arrival or deadline; false when nothing is left to happen. */
  step(): boolean {
    this.#arrivals.sort((a, b) => a.at - b.at);
    const deadline = Math.min(this.ac.deadline(), ...this.clients.map((client) => client.deadline()));
    const arrival = this.#arrivals[0];
    const next = Math.min(arrival?.at ?? Number.POSITIVE_INFINITY, deadline);
    if (next === Number.POSITIVE_INFINITY) return false;
    this.now = next;
    if (arrival !== undefined && arrival.at === next) {
      this.#arrivals.shift();
      if (arrival.to === "ac") this.fromAc(this.ac.receive(next, arrival.frame));
      else
        for (const i of this.clients.keys())
          this.fromClient(i, this.clients[i]!.receive(next, arrival.frame));
      return true;
    }
    this.fromAc(this.ac.timeout(next));
    for (const i of this.clients.keys()) this.fromClient(i, this.clients[i]!.timeout(next));
    return true;
  }

  settle(): void {
    let steps = 0;
    while (this.step()) {
      steps += 1;
      expect(steps).toBeLessThan(20_000);
    }
  }
}

const SEEDS = Array.from({ length: 60 }, (_, i) => 1_000 + 37 * i);

describe("clients and a concentrator", () => {
  it("on a perfect segment all get sessions of their own in one exchange", () => {
    const segment = new Segment(1, 6, PERFECT, false);
    segment.start();
    segment.settle();
    expect(new Set(segment.ups).size).toBe(6);
    expect(segment.ups).not.toContain(undefined);
    expect(segment.ac.counters()).toMatchObject({ padoSent: 6, padsSent: 6 });
    expect(segment.now).toBeLessThan(10);
  });

  it.each(SEEDS)("on a bad segment agree on every session, and every end is told once (seed %d)", (seed) => {
    const segment = new Segment(seed, 6, BAD, false);
    segment.start();
    segment.settle();
    const live = new Map(segment.ac.sessions().map((session) => [session.sessionId, session]));
    for (const [i, sessionId] of segment.ups.entries()) {
      expect(sessionId, segment.trace.join("\n")).toBeDefined();
      expect(live.get(sessionId!)!.remoteMac).toEqual(hostMac(1 + (i >> 1)));
    }
    expect(new Set(segment.ups).size).toBe(6);
    for (const count of segment.requested.values()) expect(count).toBe(1);

    for (const [i, client] of segment.clients.entries()) {
      if (i % 2 === 0) segment.fromClient(i, client.close(segment.now, "done"));
      else segment.fromAc(segment.ac.close(segment.now, segment.ups[i]!, "done"));
    }
    segment.settle();
    for (const ends of segment.downs) expect(ends.length).toBeLessThanOrEqual(1);
    for (const count of segment.closed.values()) expect(count).toBe(1);
    for (const i of [1, 3, 5]) expect(segment.closed.has(segment.ups[i]!)).toBe(false);
  });

  it.each(SEEDS.slice(0, 15))("restored after every input go the same way (seed %d)", (seed) => {
    const [plain, restored] = [false, true].map((restore) => {
      const segment = new Segment(seed, 4, BAD, restore);
      segment.start();
      segment.settle();
      for (const i of segment.clients.keys()) segment.fromClient(i, segment.clients[i]!.close(segment.now));
      segment.settle();
      return segment;
    });
    expect(restored!.trace).toEqual(plain!.trace);
    expect(restored!.ac.snapshot()).toEqual(plain!.ac.snapshot());
    expect(restored!.clients.map((client) => client.snapshot())).toEqual(
      plain!.clients.map((client) => client.snapshot()),
    );
  });
});
