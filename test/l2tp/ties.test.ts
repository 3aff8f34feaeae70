import { describe, expect, it } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { Instant } from "../../src/base/time.ts";
import type { L2tpAddress } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { CALL } from "./scripted-peer.ts";

const SEEDS = 300;

/** Two ends that call each other at about the same time, each with a call that waits for its tunnel. */
class CrossingPair {
  readonly ends: readonly [L2tpEndpoint, L2tpEndpoint];
  readonly losers: Extract<L2tpOutput, { kind: "tunnel-down" }>[] = [];
  now: Instant = 0;
  readonly #random;
  readonly #loss: number;
  readonly #events = new Deadlines<number>();
  readonly #actions = new Map<number, () => void>();
  #nextAction = 1;

  constructor(seed: number, loss: number, tieBreakers: readonly [boolean, boolean]) {
    this.#random = seededRandom(seed);
    this.#loss = loss;
    const make = (own: 0 | 1) => {
      const peer = { name: "peer", remote: address(own === 0 ? 1 : 0), accept: true, secret: "sesame" };
      // what is given up must be given up for the tie, not for want of patience
      const policy = { ...peer, tieBreaker: tieBreakers[own], sccrqRetransmissions: 5 };
      return new L2tpEndpoint({ hostName: `end${own}`, peers: [policy] }, seededRandom(2 * seed + own));
    };
    this.ends = [make(0), make(1)];
    for (const end of [0, 1] as const) this.#in(this.#below(30), () => this.#call(end));
  }

  runUntil(end: Instant): void {
    for (;;) {
      const [a, b] = this.ends;
      const next = Math.min(this.#events.next(), a.deadline(), b.deadline());
      if (next > end) break;
      this.now = next;
      const key = this.#events.popDue(next);
      if (key !== undefined) {
        this.#actions.get(key)!();
        this.#actions.delete(key);
      }
      for (const own of [0, 1] as const)
        if (this.ends[own].deadline() <= next) this.#handle(own, this.ends[own].timeout(next));
    }
    this.now = end;
  }

  /** The tunnels that stand at an end. */
  standing(own: 0 | 1): number {
    return this.ends[own].tunnels().filter(({ phase }) => phase === "established").length;
  }

  #call(own: 0 | 1): void {
    const { tunnel, outputs } = this.ends[own].openTunnel(this.now, "peer");
    this.#handle(own, outputs);
    this.#handle(own, this.ends[own].placeCall(this.now, tunnel!, CALL).outputs);
  }

  #below(n: number): number {
    return this.#random.uint32() % n;
  }

  #in(ms: number, action: () => void): void {
    const key = this.#nextAction++;
    this.#actions.set(key, action);
    this.#events.set(key, this.now + ms);
  }

  #handle(own: 0 | 1, outputs: readonly L2tpOutput[]): void {
    const other = own === 0 ? 1 : 0;
    for (const output of outputs) {
      if (output.kind === "tunnel-down" && output.cause.by === "tie-breaker") this.losers.push(output);
      if (output.kind !== "send" || this.#random.uint32() < this.#loss * 2 ** 32) continue;
      this.#in(5 + this.#below(20), () =>
        this.#handle(other, this.ends[other].receive(this.now, address(own), output.datagram)),
      );
    }
  }
}

function address(own: 0 | 1): L2tpAddress {
  return { address: `192.0.2.${1 + own}`, port: 1701, portKey: 1 };
}

describe("two ends that call each other at once", () => {
  it.each([
    ["both", [true, true]],
    ["one of them", [true, false]],
  ] as const)("have one tunnel in the end when tie breakers come from %s", (_, tieBreakers) => {
    let crossed = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const pair = new CrossingPair(seed, 0, tieBreakers);
      pair.runUntil(30_000);
      const up = [pair.standing(0), pair.standing(1)];
      // an SCCRQ that was answered before the other was sent crosses nothing
      crossed += pair.losers.length;
      if (pair.losers.length > 0) expect(up, `seed ${seed}`).toEqual([1, 1]);
      else expect(up[0], `seed ${seed}`).toBe(up[1]);
      for (const { sessions } of pair.losers)
        expect(sessions).toMatchObject([{ stage: "set-up", unanswered: true }]);
    }
    expect(crossed).toBeGreaterThan(SEEDS / 4);
  });

  it("are never left without any when messages are lost", () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const pair = new CrossingPair(seed, 0.1, [true, true]);
      pair.runUntil(40_000);
      expect(Math.min(pair.standing(0), pair.standing(1)), `seed ${seed}`).toBeGreaterThan(0);
    }
  });
});
