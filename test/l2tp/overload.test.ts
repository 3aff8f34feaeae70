import { describe, expect, it } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { Instant } from "../../src/base/time.ts";
import type { L2tpAddress } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import { describeCause, type L2tpOutput } from "../../src/l2tp/outputs.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { CALL, CONNECTION, caller, callerUp, only, sent, trace } from "./scripted-peer.ts";

const LAC: L2tpAddress = { address: "192.0.2.1", port: 1701, portKey: 1 };
const LNS: L2tpAddress = { address: "192.0.2.2", port: 1701, portKey: 1 };

/** A LAC and an LNS whose owners act at once, 5 ms apart, on a link that loses some datagrams. */
class BusyPair {
  now: Instant = 0;
  readonly connectedAt: Instant[] = [];
  readonly lac: L2tpEndpoint;
  readonly lns: L2tpEndpoint;
  readonly #loss: number;
  readonly #dice = seededRandom(11);
  readonly #events = new Deadlines<number>();
  readonly #actions = new Map<number, () => void>();
  #nextAction = 1;
  readonly #tunnel: number;

  constructor(loss: number) {
    this.#loss = loss;
    const lns = { name: "lns", remote: LNS };
    this.lac = new L2tpEndpoint({ hostName: "lac", peers: [lns] }, seededRandom(1));
    this.lns = new L2tpEndpoint({ hostName: "lns", peers: [{ name: "lac", accept: true }] }, seededRandom(2));
    const { tunnel, outputs } = this.lac.openTunnel(0, "lns");
    this.#tunnel = tunnel!;
    this.#ofLac(outputs);
  }

  placeCall(): void {
    this.#ofLac(this.lac.placeCall(this.now, this.#tunnel, CALL).outputs);
  }

  /** So many calls a second, evenly, until `end`. */
  placeCalls(perSecond: number, end: Instant): void {
    if (this.now >= end) return;
    this.placeCall();
    this.#in(1000 / perSecond, () => this.placeCalls(perSecond, end));
  }

  runUntil(end: Instant): void {
    for (;;) {
      const next = Math.min(this.#events.next(), this.lac.deadline(), this.lns.deadline());
      if (next > end) break;
      this.now = next;
      const key = this.#events.popDue(next);
      if (key !== undefined) {
        const action = this.#actions.get(key)!;
        this.#actions.delete(key);
        action();
      }
      if (this.lac.deadline() <= next) this.#ofLac(this.lac.timeout(next));
      if (this.lns.deadline() <= next) this.#ofLns(this.lns.timeout(next));
    }
    this.now = end;
  }

  connectedBetween(from: Instant, to: Instant): number {
    return this.connectedAt.filter((at) => at >= from && at < to).length;
  }

  #in(ms: number, action: () => void): void {
    const key = this.#nextAction++;
    this.#actions.set(key, action);
    this.#events.set(key, this.now + ms);
  }

  #carry(output: L2tpOutput, arrive: (datagram: Uint8Array) => void): void {
    if (output.kind !== "send" || this.#dice.uint32() < this.#loss * 2 ** 32) return;
    this.#in(5, () => arrive(output.datagram));
  }

  #ofLac(outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) {
      this.#carry(output, (datagram) => this.#ofLns(this.lns.receive(this.now, LAC, datagram)));
      if (output.kind === "call-accepted")
        this.#ofLac(this.lac.connectCall(this.now, output.tunnel, output.session, CONNECTION));
    }
  }

  #ofLns(outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) {
      this.#carry(output, (datagram) => this.#ofLac(this.lac.receive(this.now, LNS, datagram)));
      if (output.kind === "call-offered")
        this.#ofLns(this.lns.acceptCall(this.now, output.tunnel, output.session));
      else if (output.kind === "call-connected") this.connectedAt.push(this.now);
    }
  }
}

describe("more calls than a lossy tunnel can take", () => {
  it("are connected at the tunnel's rate for as long as they keep coming", { timeout: 60_000 }, () => {
    const pair = new BusyPair(0.03);
    pair.placeCalls(333, 180_000);
    pair.runUntil(180_000);
    // the tunnel's own rate: what it did before anybody had waited for long
    const fresh = pair.connectedBetween(0, 20_000) / 20;
    const sustained = pair.connectedBetween(90_000, 180_000) / 90;
    expect(fresh).toBeLessThan(300);
    expect(sustained).toBeGreaterThan(0.8 * fresh);
  });

  it("leave the queue after 20 seconds without a word to the LNS, and their owner is told why", () => {
    const { played, tunnel } = callerUp({ helloIntervalMs: 1e6 }, 1);
    played.watch(played.endpoint.placeCall(0, tunnel, CALL).outputs);
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    played.silentUntil(19_999);
    const outputs = played.at(20_000);
    expect(trace(outputs)).toEqual(["session-down"]);
    const { session: ended, cause } = only(outputs, "session-down");
    expect(ended).toBe(session);
    expect(describeCause("CDN", cause)).toBe("no room in the tunnel, last heard 20.0 s ago");
  });

  it("have their full time from the ICRQ on, however long they waited for it", () => {
    const { played, tunnel } = callerUp({ helloIntervalMs: 1e6 }, 1);
    const first = played.watch(played.endpoint.placeCall(0, tunnel, CALL).outputs);
    const second = played.endpoint.placeCall(0, tunnel, CALL).session;
    played.silentUntil(15_000);
    expect(sent(played.acknowledge(), "ICRQ").message.assignedSessionId).toBe(second);
    played.acknowledge();
    expect(only(played.at(60_000), "session-down").session).toBe(
      sent(first, "ICRQ").message.assignedSessionId,
    );
    played.acknowledge();
    expect(played.silentUntil(74_999)).toEqual([]);
    expect(only(played.at(75_000), "session-down")).toMatchObject({
      session: second,
      cause: { by: "timeout", sent: "ICRQ", waitedFor: "ICRP" },
    });
  });

  it("wait no longer than that for a tunnel that does not come up", () => {
    const played = caller({}, { queueTimeoutMs: 9000 });
    const { tunnel } = played.open();
    const { session } = played.endpoint.placeCall(0, tunnel, CALL);
    played.acknowledge(1);
    expect(only(played.at(9000), "session-down")).toMatchObject({
      session,
      cause: { by: "timeout", sent: "nothing", waitedFor: "tunnel" },
    });
  });
});
