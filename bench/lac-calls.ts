import type { RandomSource } from "../src/base/random.ts";
import type { Scheduler, Timed } from "../src/base/scheduler.ts";
import { Secret } from "../src/base/secret.ts";
import { type Instant, NEVER } from "../src/base/time.ts";
import { L2tpEndpoint } from "../src/l2tp/endpoint.ts";
import type { L2tpOutput } from "../src/l2tp/outputs.ts";
import { PppClient, type PppClientConfig } from "../src/ppp/client.ts";
import type { LinkOutput } from "../src/ppp/link-types.ts";
import { DEFAULT_TIMERS } from "../src/ppp/timers.ts";
import { isL2tpControl } from "../src/wire/l2tp.ts";
import { dataMessage, keyOf, readData } from "./data-messages.ts";
import type { RemoteEnd } from "./datagrams.ts";
import { TUNNEL_SECRET } from "./namespaces.ts";

/** One emulated call: a subscriber behind the emulated LAC. */
interface Call {
  readonly startedAt: Instant;
  readonly ppp: PppClient;
  up: boolean;
  /** What the LNS gives the subscriber. */
  address: string;
  readonly tunnel: number;
  readonly session: number;
  remoteTunnelId: number;
  remoteSessionId: number;
  readonly timed: Timed;
}

/** What calls are placed with. */
export interface LacCallsConfig {
  readonly lns: RemoteEnd;
  /** Calls are spread over so many. */
  readonly tunnels: number;
  /** Calls that may be coming up at one time. */
  readonly atOnce: number;
  /** Every subscriber's. */
  readonly user: string;
  readonly password: string;
}

/** A call that is up, by what both ends have named it. */
export interface LacCallNames {
  readonly localTunnelId: number;
  readonly localSessionId: number;
  readonly remoteTunnelId: number;
  readonly remoteSessionId: number;
  /** The subscriber's. */
  readonly address: string;
}

/** The LAC's and its subscribers' end of many calls to an LNS, which negotiates everything itself: no proxy AVPs. */
export class LacCalls {
  readonly #config: LacCallsConfig;
  readonly #random: RandomSource;
  readonly #scheduler: Scheduler;
  readonly #send: (to: RemoteEnd, datagram: Uint8Array) => void;
  readonly #endpoint: L2tpEndpoint;
  readonly #ppp: PppClientConfig;
  readonly #calls = new Map<number, Call>();
  readonly #tunnels: number[] = [];
  readonly #setupTimesMs: number[] = [];
  readonly #timed: Timed = {
    deadline: () => this.#endpoint.deadline(),
    timeout: (now) => this.#handle(now, this.#endpoint.timeout(now)),
  };
  #placed = 0;
  #wanted = 0;
  #comingUp = 0;
  #failed = 0;
  #done: () => void = () => {};

  constructor(
    config: LacCallsConfig,
    random: RandomSource,
    scheduler: Scheduler,
    send: (to: RemoteEnd, datagram: Uint8Array) => void,
  ) {
    this.#config = config;
    this.#random = random;
    this.#scheduler = scheduler;
    this.#send = send;
    this.#endpoint = new L2tpEndpoint(
      {
        hostName: "bench-lac",
        peers: [
          { name: "lns", remote: { ...config.lns, portKey: 0 }, receiveWindow: 1024, secret: TUNNEL_SECRET },
        ],
      },
      random,
    );
    this.#ppp = {
      link: "l2tp",
      mruBytes: 1460,
      maxMruBytes: 1500,
      user: config.user,
      password: new Secret(config.password),
      accept: ["chap-md5", "pap"],
      ipv4: true,
      ipv6: false,
      // the LNS looks whether subscribers are there, not they whether it is
      timers: { ...DEFAULT_TIMERS, echoIntervalMs: 0 },
    };
  }

  get setupTimesMs(): readonly number[] {
    return this.#setupTimesMs;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Those that are up. */
  names(): readonly LacCallNames[] {
    return [...this.#calls.values()]
      .filter(({ up }) => up)
      .map(({ tunnel, session, remoteTunnelId, remoteSessionId, address }) => ({
        localTunnelId: tunnel,
        localSessionId: session,
        remoteTunnelId,
        remoteSessionId,
        address,
      }));
  }

  /** Places `count` more calls; resolves when they are all up, or have failed. */
  call(now: Instant, count: number): Promise<void> {
    this.#wanted += count;
    this.#setupTimesMs.length = 0;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    while (this.#tunnels.length < this.#config.tunnels) this.#openTunnel(now);
    this.#placeMore(now);
    return done;
  }

  /** Ends all tunnels, and with them all calls. */
  hangUp(now: Instant): void {
    for (const tunnel of this.#tunnels.splice(0))
      this.#handle(now, this.#endpoint.closeTunnel(now, tunnel, { result: 1 }));
    for (const call of this.#calls.values()) this.#scheduler.remove(call.timed);
    this.#calls.clear();
    this.#scheduler.update(this.#timed);
  }

  /** Takes one datagram, which it keeps. */
  receive(now: Instant, from: RemoteEnd, datagram: Uint8Array): void {
    if (datagram.length === 0) return;
    if (isL2tpControl(datagram, 0)) {
      this.#handle(now, this.#endpoint.receive(now, { ...from, portKey: 0 }, datagram));
      this.#scheduler.update(this.#timed);
    } else {
      this.#receiveData(now, datagram);
    }
  }

  #openTunnel(now: Instant): void {
    const { tunnel, outputs } = this.#endpoint.openTunnel(now, "lns");
    if (tunnel === undefined) throw new Error("the emulated LAC has no tunnel id left");
    this.#tunnels.push(tunnel);
    this.#handle(now, outputs);
  }

  #placeMore(now: Instant): void {
    while (this.#placed < this.#wanted && this.#comingUp < this.#config.atOnce) this.#place(now);
    this.#scheduler.update(this.#timed);
    if (this.#placed === this.#wanted && this.#comingUp === 0) this.#done();
  }

  #place(now: Instant): void {
    const tunnel = this.#tunnels[this.#placed % this.#tunnels.length]!;
    this.#placed += 1;
    const placed = this.#endpoint.placeCall(now, tunnel, { callSerialNumber: this.#placed });
    if (placed.session === undefined) {
      this.#failed += 1;
    } else {
      const ppp = new PppClient(this.#ppp, this.#random);
      const call: Call = {
        startedAt: now,
        ppp,
        up: false,
        address: "",
        tunnel,
        session: placed.session,
        remoteTunnelId: 0,
        remoteSessionId: 0,
        timed: {
          deadline: () => (call.remoteSessionId === 0 ? NEVER : call.ppp.deadline()),
          timeout: (at) => this.#handlePpp(at, call, call.ppp.timeout(at)),
        },
      };
      this.#comingUp += 1;
      this.#calls.set(keyOf(tunnel, placed.session), call);
    }
    this.#handle(now, placed.outputs);
  }

  #receiveData(now: Instant, datagram: Uint8Array): void {
    const data = readData(datagram);
    if (data === undefined) return;
    const call = this.#calls.get(data.call);
    if (call === undefined || call.remoteSessionId === 0) return;
    this.#handlePpp(now, call, call.ppp.receive(now, data.frame));
  }

  #handle(now: Instant, outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          this.#send(output.to, output.datagram);
          break;
        case "call-accepted": {
          const call = this.#calls.get(keyOf(output.tunnel, output.session));
          if (call === undefined) break;
          call.remoteTunnelId = output.remoteTunnelId;
          call.remoteSessionId = output.remoteSessionId;
          const connection = { txConnectSpeed: 1e9, framingType: 1 };
          this.#handle(now, this.#endpoint.connectCall(now, output.tunnel, output.session, connection));
          this.#handlePpp(now, call, call.ppp.start(now));
          break;
        }
        case "session-down":
          this.#lost(now, output.tunnel, output.session);
          break;
        case "tunnel-down":
          for (const { session } of output.sessions) this.#lost(now, output.tunnel, session);
      }
    }
  }

  #handlePpp(now: Instant, call: Call, outputs: readonly LinkOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") this.#sendData(call, output.frame);
      else if (output.kind === "network-up" && output.protocol === "ipv4")
        this.#up(now, call, output.localAddress);
    }
    this.#scheduler.update(call.timed);
  }

  #up(now: Instant, call: Call, address: string): void {
    call.address = address;
    if (call.up) return;
    call.up = true;
    this.#setupTimesMs.push(now - call.startedAt);
    this.#comingUp -= 1;
    this.#placeMore(now);
  }

  #lost(now: Instant, tunnel: number, session: number): void {
    const key = keyOf(tunnel, session);
    const call = this.#calls.get(key);
    if (call === undefined) return;
    this.#calls.delete(key);
    this.#scheduler.remove(call.timed);
    this.#failed += 1;
    if (!call.up) this.#comingUp -= 1;
    this.#placeMore(now);
  }

  #sendData(call: Call, frame: Uint8Array): void {
    this.#send(this.#config.lns, dataMessage(call.remoteTunnelId, call.remoteSessionId, frame));
  }
}
