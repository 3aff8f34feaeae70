/**
 * A LAC and an LNS, both of them endpoints, on a link that loses, repeats, delays and reorders, in virtual
 * time. What owners do and what the link does comes from one seed, so that a seed replays exactly.
 */

import { deserialize, serialize } from "node:v8";
import { Deadlines } from "../../src/base/deadlines.ts";
import type { RandomSource } from "../../src/base/random.ts";
import type { Instant } from "../../src/base/time.ts";
import type { L2tpAddress, L2tpEndpointConfig } from "../../src/l2tp/config.ts";
import { L2tpEndpoint } from "../../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../../src/l2tp/outputs.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { CONNECTION } from "./scripted-peer.ts";

interface Weather {
  /** Of each datagram, 0 to 1. */
  readonly loss: number;
  readonly duplication: number;
  readonly delayMs: number;
  readonly jitterMs: number;
}

const FINE: Weather = { loss: 0, duplication: 0, delayMs: 5, jitterMs: 0 };

const ADDRESSES = {
  lac: { address: "192.0.2.1", port: 1701, portKey: 1 },
  lns: { address: "192.0.2.2", port: 1701, portKey: 1 },
} as const;

/** Thousands of these are made in each run: expect() is too slow for them. */
function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

type Side = keyof typeof ADDRESSES;
type Event = Exclude<L2tpOutput, { kind: "send" }>;

/** One end: its endpoint, and what its owner has been told about each session: "up", or how it ended. */
class End {
  readonly side: Side;
  readonly sessions = new Map<string, "open" | "up" | "down">();
  readonly tunnels = new Map<number, "open" | "up" | "down">();
  /** Tunnels of which we were told that what is sent in them is not acknowledged. */
  readonly unanswered = new Set<number>();
  readonly log: string[] = [];
  endpoint: L2tpEndpoint;
  readonly #config: L2tpEndpointConfig;
  readonly #random: RandomSource;
  readonly #restores: boolean;

  constructor(side: Side, config: L2tpEndpointConfig, random: RandomSource, restores: boolean) {
    this.side = side;
    this.#config = config;
    this.#random = random;
    this.#restores = restores;
    this.endpoint = new L2tpEndpoint(config, random);
  }

  /** After every input: goes on from a snapshot that has been octets meanwhile, if the test wants that. */
  afterInput(): void {
    if (!this.#restores) return;
    const state = deserialize(serialize(this.endpoint.snapshot()));
    this.endpoint = new L2tpEndpoint(this.#config, this.#random, state);
  }

  opened(tunnel: number, session: number): void {
    check((this.sessions.get(`${tunnel}/${session}`) ?? "down") === "down", "an id that is in use");
    this.sessions.set(`${tunnel}/${session}`, "open");
  }

  isUp(tunnel: number, session: number): boolean {
    return this.sessions.get(`${tunnel}/${session}`) === "up";
  }

  /** Keeps the books; an end that is told twice, or of something that never was, fails. */
  note(event: Event, now: Instant): void {
    this.log.push(`${now.toFixed(3)} ${JSON.stringify(event)}`);
    switch (event.kind) {
      case "tunnel-up":
        check(this.tunnels.get(event.tunnel) !== "up", "a tunnel that is up comes up");
        this.tunnels.set(event.tunnel, "up");
        break;
      case "tunnel-down":
        check((this.tunnels.get(event.tunnel) === "up") === event.wasUp, "an end of another tunnel");
        this.tunnels.set(event.tunnel, "down");
        this.unanswered.delete(event.tunnel);
        for (const { session, stage } of event.sessions) this.#ended(event.tunnel, session, stage);
        break;
      case "tunnel-unanswered":
        check(this.tunnels.get(event.tunnel) === "up", "what is not up is not answered");
        check(!this.unanswered.has(event.tunnel), "told twice that nobody answers");
        this.unanswered.add(event.tunnel);
        break;
      case "tunnel-answered":
        check(this.unanswered.delete(event.tunnel), "an answer that nobody missed");
        break;
      case "call-offered":
        this.opened(event.tunnel, event.session);
        break;
      case "call-connected":
        check(this.sessions.get(`${event.tunnel}/${event.session}`) === "open", "no call to connect");
        this.sessions.set(`${event.tunnel}/${event.session}`, "up");
        break;
      case "session-down":
        this.#ended(event.tunnel, event.session, event.stage);
        break;
      case "speeds-updated":
        for (const { session } of event.speeds)
          check(this.isUp(event.tunnel, session), "speeds of a session that is not up");
        break;
      case "call-accepted":
      case "tunnel-refused":
      case "speeds-requested":
      case "link-info":
      case "wan-error":
        break;
    }
  }

  #ended(tunnel: number, session: number, stage: "set-up" | "connected"): void {
    const before = this.sessions.get(`${tunnel}/${session}`);
    check(
      before === (stage === "connected" ? "up" : "open"),
      `an end in stage ${stage} of what is ${before}`,
    );
    this.sessions.set(`${tunnel}/${session}`, "down");
  }
}

class LossyPair {
  readonly lac: End;
  readonly lns: End;
  now: Instant = 0;
  weather: Weather;
  readonly #random: RandomSource;
  readonly #events = new Deadlines<number>();
  readonly #actions = new Map<number, () => void>();
  #nextAction = 1;
  #calls = 0;

  constructor(seed: number, weather: Weather, restores = false) {
    this.#random = seededRandom(seed);
    this.weather = weather;
    const secret = this.chance(0.5) ? { secret: "sesame", hideAvps: this.chance(0.5) } : {};
    const window = { receiveWindow: 1 + this.below(20) };
    const lns = { name: "lns", remote: ADDRESSES.lns, sccrqRetransmissions: 5, ...secret, ...window };
    const lac = { name: "lac", accept: true, hostName: "lac.example", ...secret, ...window };
    this.lac = new End("lac", { hostName: "lac.example", peers: [lns] }, seededRandom(seed + 1), restores);
    this.lns = new End("lns", { hostName: "lns.example", peers: [lac] }, seededRandom(seed + 2), restores);
  }

  chance(p: number): boolean {
    return this.#random.uint32() < p * 2 ** 32;
  }

  below(n: number): number {
    return this.#random.uint32() % n;
  }

  in(ms: number, action: () => void): void {
    const key = this.#nextAction++;
    this.#actions.set(key, action);
    this.#events.set(key, this.now + ms);
  }

  openTunnel(): number {
    const { tunnel, outputs } = this.lac.endpoint.openTunnel(this.now, "lns");
    if (tunnel === undefined) throw new Error("no tunnel");
    this.lac.tunnels.set(tunnel, "open");
    this.#handle(this.lac, outputs);
    return tunnel;
  }

  placeCall(tunnel: number): void {
    const call = {
      callSerialNumber: this.#calls++,
      callingNumber: "5551234",
      accessLine: { agentCircuitId: "line", actualDataRateDownstream: 1e9 },
      connectSpeedUpdate: true,
    };
    const { session, outputs } = this.lac.endpoint.placeCall(this.now, tunnel, call);
    if (session !== undefined) this.lac.opened(tunnel, session);
    this.#handle(this.lac, outputs);
  }

  /** The LAC tells new speeds, which nobody may be told of a session that is not up. */
  updateSpeeds(): void {
    for (const { tunnel } of this.lac.endpoint.tunnels()) {
      const speeds = this.lac.endpoint
        .sessions(tunnel)
        .map(({ session }) => ({ session, txConnectSpeed: this.now, rxConnectSpeed: 1 }));
      this.#handle(this.lac, this.lac.endpoint.updateSpeeds(this.now, tunnel, speeds));
    }
  }

  closeSession(end: End, tunnel: number, session: number): void {
    this.#handle(end, end.endpoint.closeSession(this.now, tunnel, session, { result: 3 }));
  }

  closeTunnel(end: End, tunnel: number): void {
    this.#handle(end, end.endpoint.closeTunnel(this.now, tunnel, { result: 1 }));
  }

  /** Lets everything happen that is due until then. */
  runUntil(end: Instant): void {
    for (;;) {
      const next = Math.min(this.#events.next(), this.lac.endpoint.deadline(), this.lns.endpoint.deadline());
      if (next > end) break;
      check(next >= this.now, "a deadline in the past");
      this.now = next;
      const key = this.#events.popDue(next);
      if (key !== undefined) {
        const action = this.#actions.get(key)!;
        this.#actions.delete(key);
        action();
        continue;
      }
      for (const side of [this.lac, this.lns]) {
        if (side.endpoint.deadline() > next) continue;
        this.#handle(side, side.endpoint.timeout(next));
        check(side.endpoint.deadline() > next, "a deadline that is not met");
      }
    }
    this.now = end;
  }

  clearUp(): void {
    this.weather = FINE;
  }

  #handle(end: End, outputs: readonly L2tpOutput[]): void {
    end.afterInput();
    for (const output of outputs) {
      if (output.kind === "send") {
        this.#send(end, output.datagram);
        continue;
      }
      end.note(output, this.now);
      this.#own(end, output);
    }
  }

  /** What the owner does about an event, sooner or later. */
  #own(end: End, event: Event): void {
    if (event.kind === "call-offered") {
      const { tunnel, session } = event;
      const refuses = this.chance(0.1);
      this.in(this.below(300), () => {
        if (refuses) this.closeSession(end, tunnel, session);
        else this.#handle(end, end.endpoint.acceptCall(this.now, tunnel, session));
      });
    } else if (event.kind === "call-accepted") {
      const { tunnel, session } = event;
      this.in(this.below(100), () => {
        const open = end.sessions.get(`${tunnel}/${session}`) === "open";
        const outputs = end.endpoint.connectCall(this.now, tunnel, session, CONNECTION);
        if (open) end.sessions.set(`${tunnel}/${session}`, "up");
        this.#handle(end, outputs);
      });
    }
  }

  #send(from: End, datagram: Uint8Array): void {
    const to = from === this.lac ? this.lns : this.lac;
    const source: L2tpAddress = ADDRESSES[from.side];
    const copies = this.chance(this.weather.duplication) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      if (this.chance(this.weather.loss)) continue;
      const delay =
        this.weather.delayMs + (this.weather.jitterMs > 0 ? this.below(this.weather.jitterMs) : 0);
      this.in(delay, () => this.#handle(to, to.endpoint.receive(this.now, source, datagram)));
    }
  }
}

/** Calls, hang-ups and closed tunnels in bad weather; afterwards both ends must agree, and nothing may be left over. */
export function live(seed: number, restores = false): LossyPair {
  const dice = seededRandom(seed ^ 0x5eed);
  const weather: Weather = {
    loss: (dice.uint32() % 31) / 100,
    duplication: (dice.uint32() % 20) / 100,
    delayMs: 1 + (dice.uint32() % 50),
    jitterMs: dice.uint32() % 400,
  };
  const pair = new LossyPair(seed, weather, restores);
  for (let tunnels = 1 + pair.below(2); tunnels > 0; tunnels--) {
    const tunnel = pair.openTunnel();
    for (let calls = pair.below(12); calls > 0; calls--)
      pair.in(pair.below(5000), () => pair.placeCall(tunnel));
    if (pair.chance(0.2)) pair.in(pair.below(20_000), () => pair.closeTunnel(pair.lac, tunnel));
  }
  for (let hangUps = pair.below(6); hangUps > 0; hangUps--) {
    const end = pair.chance(0.5) ? pair.lac : pair.lns;
    pair.in(pair.below(20_000), () => {
      const open = [...end.sessions].filter(([, state]) => state !== "down");
      const [key] = open[pair.below(Math.max(1, open.length))] ?? [];
      if (key === undefined) return;
      const [tunnel, session] = key.split("/").map(Number);
      pair.closeSession(end, tunnel!, session!);
    });
  }
  for (let updates = pair.below(4); updates > 0; updates--)
    pair.in(pair.below(20_000), () => pair.updateSpeeds());
  if (pair.chance(0.1))
    pair.in(pair.below(20_000), () => {
      const [tunnel] = pair.lns.endpoint.tunnels();
      if (tunnel !== undefined) pair.closeTunnel(pair.lns, tunnel.tunnel);
    });
  pair.runUntil(60_000);
  pair.clearUp();
  // a tunnel that only one end has given up is missed by the other within a HELLO and its retransmissions
  pair.runUntil(250_000);
  return pair;
}

/** What is up at one end, as ids of both, LAC's first. */
export function standing(end: End): readonly string[] {
  const lines: string[] = [];
  for (const { tunnel, remoteTunnelId, phase } of end.endpoint.tunnels()) {
    if (phase === "closing") continue;
    for (const { session, remoteSessionId, stage } of end.endpoint.sessions(tunnel)) {
      const own = `${tunnel}/${session}`;
      const theirs = `${remoteTunnelId}/${remoteSessionId}`;
      lines.push(`${end.side === "lac" ? `${own} ${theirs}` : `${theirs} ${own}`} ${stage}`);
    }
  }
  return lines.sort();
}
