import { performance } from "node:perf_hooks";
import { type Counter, type Gauge, Registry } from "prom-client";
import type { EndedBy, GatewayEvent } from "../gateway/events.ts";
import type { Operations } from "../gateway/operations.ts";
import type { Flow } from "../gateway/operations-traffic.ts";
import type { TunnelView } from "../gateway/views.ts";
import { type MetricSet, makeMetrics } from "./metric-set.ts";

/** Result Codes of StopCCN and CDN that RFC 2661 knows; what else a peer may say is one of the others. */
const LAST_RESULT = 11;

/**
 * Who scrapes seldom misses no tunnel: one that has ended stays among them for longer than this, until its peer cannot repeat
 * anything any more.
 */
const COUNT_TUNNELS_MS = 10_000;

/**
 * How tunnels and calls mostly end, by who says so and the Result Code: these are there from the start for each configured
 * peer, at 0, since rate() does not see a series begin with 1. What is rare appears when it comes.
 */
const USUAL_TUNNEL_ENDS = endLabels({ peer: [1, 6], us: [1, 6], nobody: [null] });
const USUAL_CALL_ENDS = endLabels({ peer: [1, 2, 3, 4], us: [1, 2, 3], nobody: [null] });
/** With more peers, who scrapes would get thousands of zeros. */
const MOST_PEERS_WITH_ZEROS = 100;

/** What is told beside Operations. */
interface Scrape {
  readonly type: string;
  readonly text: string;
}

/** Counters and gauges for Prometheus, read when they are asked for; durations are noted as they happen. */
export class Metrics {
  readonly #operations: Operations;
  readonly #version: string;
  readonly #registry = new Registry();
  readonly #metrics: MetricSet;
  readonly #listeners: () => number;
  readonly #leave: () => void;
  readonly #timer: NodeJS.Timeout;
  /** The tunnels when they were last looked at: their counters go with them, those of their peers stay. */
  #seen: ReadonlyMap<number, TunnelView> = new Map();
  #scrape: Promise<Scrape> | undefined;

  /** `listeners`: how many listen to events. */
  constructor(operations: Operations, version: string, listeners: () => number) {
    this.#operations = operations;
    this.#version = version;
    this.#listeners = listeners;
    this.#metrics = makeMetrics(this.#registry);
    this.#leave = operations.events.subscribe(({ event }) => this.#happened(event));
    this.#timer = setInterval(() => this.#countTunnels(operations.tunnels({})), COUNT_TUNNELS_MS).unref();
  }

  /** In Prometheus' text format. With many sessions it takes a while, and lets others work; who asks meanwhile shares it. */
  scrape(): Promise<Scrape> {
    this.#scrape ??= this.#read().finally(() => {
      this.#scrape = undefined;
    });
    return this.#scrape;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#leave();
  }

  async #read(): Promise<Scrape> {
    this.#ofProcess();
    await this.#ofTraffic();
    this.#ofSessions();
    this.#ofInterfaces();
    this.#ofPools();
    this.#ofJournal();
    await this.#ofWorkers();
    this.#ofListeners();
    this.#ofTunnels();
    this.#ofPeers();
    this.#ofLnses();
    this.#ofCounters();
    return { type: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #happened(event: GatewayEvent): void {
    const { sessionSetup, tunnelSetup, tunnelsEnded, callsEnded } = this.#metrics;
    switch (event.kind) {
      case "session-up":
        sessionSetup.observe({ role: event.role ?? "none", lns: event.lns ?? "" }, event.setupMs / 1000);
        return;
      case "tunnel-up":
        if (event.setupMs !== null) tunnelSetup.observe({ peer: event.peer }, event.setupMs / 1000);
        return;
      case "tunnel-down":
        tunnelsEnded.inc({ peer: event.peer, by: event.by, result: resultLabel(event.result) });
        return;
      case "call-down":
        callsEnded.inc({ peer: event.peer, by: event.by, result: resultLabel(event.result) });
        return;
    }
  }

  #ofProcess(): void {
    const { info, startTime, busy, cpu, memory, heap, streams } = this.#metrics;
    const { name, engine, startedAt } = this.#operations.identity();
    info.reset();
    info.set({ version: this.#version, name, engine }, 1);
    startTime.set(Date.parse(startedAt) / 1000);
    put(busy, performance.eventLoopUtilization().active / 1000);
    const { user, system } = process.cpuUsage();
    put(cpu, (user + system) / 1e6);
    const { rss, heapUsed } = process.memoryUsage();
    memory.set(rss);
    heap.set(heapUsed);
    streams.set(this.#listeners());
  }

  async #ofTraffic(): Promise<void> {
    const { total, ports, lnses } = await this.#operations.flows();
    const { frames, octets, portFrames, portOctets, lnsFrames, lnsOctets, drops } = this.#metrics;
    const { engine } = this.#operations.identity();
    const all = new Map([[engine, total]]);
    putFlows(frames, octets, "engine", all);
    putFlows(portFrames, portOctets, "port", ports);
    putFlows(lnsFrames, lnsOctets, "lns", lnses);
    for (const { reason, frames: dropped } of this.#operations.drops()) put(drops, dropped, { reason });
  }

  async #ofWorkers(): Promise<void> {
    const { workerFrames, workerPunts, workerDrops, workerDeaths, workerUp } = this.#metrics;
    for (const { engine, worker, ...figures } of await this.#operations.workers()) {
      const labels = { engine, worker };
      workerUp.set(labels, figures.running ? 1 : 0);
      put(workerFrames, figures.frames, labels);
      put(workerPunts, figures.punts, labels);
      put(workerDeaths, figures.deaths, labels);
      for (const [reason, frames] of Object.entries(figures.drops))
        put(workerDrops, frames, { ...labels, reason });
    }
  }

  #ofPools(): void {
    const { poolSize, poolUsed } = this.#metrics;
    for (const gauge of [poolSize, poolUsed]) gauge.reset();
    for (const { pool, size, used } of this.#operations.pools()) {
      poolSize.set({ pool }, size);
      poolUsed.set({ pool }, used);
    }
  }

  #ofJournal(): void {
    const { journalSize, journalUsed, journalRecords, journalPassedOver } = this.#metrics;
    const { sizeBytes, usedBytes, records, passedOver } = this.#operations.journal();
    journalSize.set(sizeBytes);
    journalUsed.set(usedBytes);
    journalRecords.set(records);
    put(journalPassedOver, passedOver);
  }

  #ofSessions(): void {
    const { sessions } = this.#metrics;
    sessions.reset();
    for (const { state, role, count } of this.#operations.census())
      sessions.set({ state, role: role ?? "none" }, count);
  }

  #ofInterfaces(): void {
    const metrics = this.#metrics;
    for (const each of this.#operations.interfaces()) {
      const labels = { interface: each.interface };
      metrics.interfaceUp.set(labels, each.state === "waiting" ? 0 : 1);
      metrics.interfaceDraining.set(labels, each.state === "draining" ? 1 : 0);
      metrics.interfaceLoad.set(labels, each.load);
      metrics.pppoeSessions.set(labels, each.sessions);
      metrics.pppoeSettingUp.set(labels, each.settingUp);
      metrics.pppoeWaiting.set(labels, each.waiting);
    }
  }

  #ofListeners(): void {
    const { listenerUp } = this.#metrics;
    listenerUp.reset();
    for (const { listener, state } of this.#operations.listeners())
      listenerUp.set({ listener }, state === "open" ? 1 : 0);
  }

  #ofTunnels(): void {
    const { tunnels, tunnelSessions, tunnelsNotAnswering, roundTrip } = this.#metrics;
    for (const gauge of [tunnels, tunnelSessions, tunnelsNotAnswering, roundTrip] as Gauge[]) gauge.reset();
    this.#metrics.l2tpDraining.set(this.#operations.l2tpDraining() ? 1 : 0);
    const all = this.#operations.tunnels({});
    const slowest = new Map<string, number>();
    for (const tunnel of all) {
      const peer = peerOf(tunnel);
      const { roundTripMs } = tunnel;
      tunnels.inc({ peer, state: tunnel.state });
      tunnelSessions.inc({ peer }, tunnel.sessions);
      tunnelsNotAnswering.inc({ peer }, tunnel.notAnsweringForSeconds === null ? 0 : 1);
      if (roundTripMs !== null) slowest.set(peer, Math.max(slowest.get(peer) ?? 0, roundTripMs));
    }
    for (const [peer, ms] of slowest) roundTrip.set({ peer }, ms / 1000);
    this.#countTunnels(all);
  }

  #countTunnels(all: readonly TunnelView[]): void {
    const { peerRetransmissions, windowStalls } = this.#metrics;
    const seen = new Map<number, TunnelView>();
    for (const tunnel of all) {
      const peer = peerOf(tunnel);
      const before = this.#seen.get(tunnel.localTunnelId);
      peerRetransmissions.inc({ peer }, grown(before?.retransmitted, tunnel.retransmitted));
      windowStalls.inc({ peer }, grown(before?.windowStalls, tunnel.windowStalls));
      seen.set(tunnel.localTunnelId, tunnel);
    }
    this.#seen = seen;
  }

  #ofPeers(): void {
    const peers = this.#operations.peers();
    if (peers.length > MOST_PEERS_WITH_ZEROS) return;
    const { tunnelsEnded, callsEnded } = this.#metrics;
    for (const peer of peers) {
      for (const labels of USUAL_TUNNEL_ENDS) tunnelsEnded.inc({ peer, ...labels }, 0);
      for (const labels of USUAL_CALL_ENDS) callsEnded.inc({ peer, ...labels }, 0);
    }
  }

  #ofLnses(): void {
    const { lnsUp, lnsLockout, lnsSessions, lnsTunnels } = this.#metrics;
    for (const gauge of [lnsUp, lnsLockout, lnsSessions, lnsTunnels] as Gauge[]) gauge.reset();
    for (const { peer, state, lockedForSeconds, sessions, tunnels } of this.#operations.lns()) {
      const labels = { lns: peer };
      lnsUp.set(labels, state === "locked-out" ? 0 : 1);
      lnsLockout.set(labels, lockedForSeconds ?? 0);
      lnsSessions.set(labels, sessions);
      lnsTunnels.set(labels, tunnels);
    }
  }

  /** What is counted by name, and who it is about is in the name. */
  #ofCounters(): void {
    const counters = this.#operations.counters();
    const interfaces = this.#operations.interfaces().map((each) => each.interface);
    const lnses = new Set(this.#operations.lns().map(({ peer }) => peer));
    const metrics = this.#metrics;
    put(metrics.sessionsStarted, counters["sessions.opened"] ?? 0);
    putAll(metrics.sessionsEnded, "cause", counters, "sessions.ended.");
    put(metrics.retransmissions, counters["l2tp.retransmitted"] ?? 0);
    put(metrics.fastRetransmissions, counters["l2tp.fast-retransmissions"] ?? 0);
    put(metrics.duplicates, counters["l2tp.duplicates"] ?? 0);
    putAll(metrics.callsRefused, "reason", counters, "l2tp.refused.");
    putAll(metrics.controlDiscarded, "reason", counters, "l2tp.discarded.");
    for (const name of interfaces) this.#ofDiscovery(name, counters);
    for (const lns of lnses) {
      const of = (what: string): number => counters[`lns.${lns}.${what}`] ?? 0;
      for (const outcome of ["calls", "connected", "refused", "unanswered"])
        put(metrics.lnsCalls, of(outcome), { lns, outcome: outcome === "calls" ? "placed" : outcome });
      put(metrics.lnsLockouts, of("lockouts"), { lns });
    }
  }

  #ofDiscovery(name: string, counters: Readonly<Record<string, number>>): void {
    const { padi, pado, padr, pads, padtReceived, padtSent, padsRefused, pppoeDiscarded } = this.#metrics;
    const labels = { interface: name };
    const prefix = `pppoe.${name}.`;
    const simple = {
      padiReceived: padi,
      padoSent: pado,
      padrReceived: padr,
      padsSent: pads,
      padtReceived,
      padtSent,
    };
    for (const [counted, counter] of Object.entries(simple))
      put(counter, counters[prefix + counted] ?? 0, labels);
    for (const [key, value] of Object.entries(counters)) {
      const [kind, reason] = key.startsWith(prefix) ? key.slice(prefix.length).split(".") : [];
      if (reason === undefined) continue;
      if (kind === "padsRefused") put(padsRefused, value, { ...labels, reason });
      if (kind === "discarded") put(pppoeDiscarded, value, { ...labels, reason });
    }
  }
}

/** A counter of somebody else's is shown as it is; it begins anew with what it is about. */
function put(counter: Counter, value: number, labels: Readonly<Record<string, string>> = {}): void {
  if (Object.keys(labels).length === 0) counter.reset();
  else counter.remove(labels);
  counter.inc(labels, value);
}

/** Those whose name begins so; what follows is the value of a label. */
function putAll(
  counter: Counter,
  label: string,
  counters: Readonly<Record<string, number>>,
  prefix: string,
): void {
  for (const [name, value] of Object.entries(counters))
    if (name.startsWith(prefix)) put(counter, value, { [label]: name.slice(prefix.length) });
}

function putFlows(frames: Counter, octets: Counter, label: string, flows: ReadonlyMap<string, Flow>): void {
  for (const [name, flow] of flows) {
    put(frames, flow.framesIn, { [label]: name, direction: "in" });
    put(frames, flow.framesOut, { [label]: name, direction: "out" });
    put(octets, flow.octetsIn, { [label]: name, direction: "in" });
    put(octets, flow.octetsOut, { [label]: name, direction: "out" });
  }
}

function peerOf({ peer }: TunnelView): string {
  return peer ?? "unknown";
}

/** How much a counter has grown; one that is less than before has begun anew. */
function grown(before = 0, now: number): number {
  return now >= before ? now - before : now;
}

function endLabels(ends: Readonly<Record<EndedBy, readonly (number | null)[]>>) {
  return Object.entries(ends).flatMap(([by, results]) =>
    results.map((result) => ({ by, result: resultLabel(result) })),
  );
}

function resultLabel(result: number | null): string {
  if (result === null) return "none";
  return result <= LAST_RESULT ? String(result) : "other";
}
