import type { RandomSource } from "../src/base/random.ts";
import type { Scheduler, Timed } from "../src/base/scheduler.ts";
import type { Instant } from "../src/base/time.ts";
import { proxiedSession } from "../src/gateway/proxied-session.ts";
import { L2tpEndpoint } from "../src/l2tp/endpoint.ts";
import type { CallConnection, L2tpOutput } from "../src/l2tp/outputs.ts";
import { type Grant, PppServer, type PppServerConfig, type PppServerOutput } from "../src/ppp/server.ts";
import { DEFAULT_TIMERS } from "../src/ppp/timers.ts";
import { formatIpAddress } from "../src/wire/ip-address.ts";
import { isL2tpControl } from "../src/wire/l2tp.ts";
import { dataMessage, keyOf, readData } from "./data-messages.ts";
import type { RemoteEnd } from "./datagrams.ts";
import { TUNNEL_SECRET } from "./namespaces.ts";

interface LnsCall {
  readonly tunnel: number;
  readonly session: number;
  readonly remoteTunnelId: number;
  readonly remoteSessionId: number;
  /** Absent until ICCN. */
  ppp?: PppServer;
  /** Whoever has logged in. */
  user: string;
  readonly timed: Timed;
}

const PPP: PppServerConfig = {
  link: "l2tp",
  mruBytes: 1460,
  maxMruBytes: 1500,
  authentication: ["chap-md5", "pap"],
  name: "bench-lns",
  // nobody answers for the subscribers while traffic runs
  timers: { ...DEFAULT_TIMERS, echoIntervalMs: 0 },
};

const IDLE_HOUR_MS = 3_600_000;
/** As every provider gives his subscribers: who asks for them and gets none must ask once more for an address. */
const RESOLVERS = ["100.127.255.253", "100.127.255.254"];

/** A call, by what both ends have named it. */
export interface CallNames {
  readonly user: string;
  readonly localTunnelId: number;
  readonly localSessionId: number;
  readonly remoteTunnelId: number;
  readonly remoteSessionId: number;
}

/** Every call is taken and every user let in; addresses are never given back. */
export class LnsCalls {
  readonly #random: RandomSource;
  readonly #scheduler: Scheduler;
  readonly #send: (to: RemoteEnd, datagram: Uint8Array) => void;
  readonly #endpoint: L2tpEndpoint;
  readonly #calls = new Map<number, LnsCall>();
  readonly #remotes = new Map<number, RemoteEnd>();
  readonly #timed = {
    deadline: (): Instant => this.#endpoint.deadline(),
    timeout: (now: Instant): void => this.#handle(now, this.#endpoint.timeout(now)),
  };
  #granted = 0;

  constructor(
    random: RandomSource,
    scheduler: Scheduler,
    send: (to: RemoteEnd, datagram: Uint8Array) => void,
  ) {
    this.#random = random;
    this.#scheduler = scheduler;
    this.#send = send;
    this.#endpoint = new L2tpEndpoint(
      {
        hostName: "bench-lns",
        peers: [{ name: "lac", accept: true, secret: TUNNEL_SECRET, helloIntervalMs: IDLE_HOUR_MS }],
      },
      random,
    );
  }

  /** Those that there are. */
  names(): readonly CallNames[] {
    return [...this.#calls.values()].map(({ user, tunnel, session, remoteTunnelId, remoteSessionId }) => ({
      user,
      localTunnelId: tunnel,
      localSessionId: session,
      remoteTunnelId,
      remoteSessionId,
    }));
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

  #receiveData(now: Instant, datagram: Uint8Array): void {
    const data = readData(datagram);
    if (data === undefined) return;
    const call = this.#calls.get(data.call);
    if (call?.ppp === undefined) return;
    this.#handlePpp(now, call, call.ppp.receive(now, data.frame));
  }

  #handle(now: Instant, outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) {
      switch (output.kind) {
        case "send":
          this.#send(output.to, output.datagram);
          break;
        case "tunnel-up":
          this.#remotes.set(output.tunnel, output.remote);
          break;
        case "tunnel-down":
          for (const { session } of output.sessions) this.#forget(output.tunnel, session);
          this.#remotes.delete(output.tunnel);
          break;
        case "call-offered":
          this.#offered(now, output);
          break;
        case "call-connected":
          this.#connected(now, this.#calls.get(keyOf(output.tunnel, output.session)), output.connection);
          break;
        case "session-down":
          this.#forget(output.tunnel, output.session);
      }
    }
  }

  #offered(now: Instant, offer: Extract<L2tpOutput, { kind: "call-offered" }>): void {
    const { tunnel, session, remoteTunnelId, remoteSessionId } = offer;
    const call: LnsCall = {
      tunnel,
      session,
      remoteTunnelId,
      remoteSessionId,
      user: "",
      timed: {
        deadline: () => call.ppp?.deadline() ?? Number.POSITIVE_INFINITY,
        timeout: (at) => {
          if (call.ppp !== undefined) this.#handlePpp(at, call, call.ppp.timeout(at));
        },
      },
    };
    this.#calls.set(keyOf(tunnel, session), call);
    this.#handle(now, this.#endpoint.acceptCall(now, tunnel, session));
  }

  #connected(now: Instant, call: LnsCall | undefined, connection: CallConnection): void {
    if (call === undefined) return;
    const proxied = proxiedSession(connection);
    const { server, outputs } = PppServer.adopt(PPP, this.#random, now, proxied, "adopt");
    call.ppp = server;
    this.#handlePpp(now, call, outputs);
  }

  #handlePpp(now: Instant, call: LnsCall, outputs: readonly PppServerOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") this.#sendData(call, output.frame);
      else if (output.kind === "authenticate") {
        const { credentials } = output;
        call.user = credentials.method === "none" ? "" : credentials.name;
        this.#handlePpp(now, call, call.ppp?.accept(now, output.attempt, this.#grant()) ?? []);
      }
    }
    this.#scheduler.update(call.timed);
  }

  #grant(): Grant {
    const number = this.#granted++ % 0x3ffffe;
    const octets = Uint8Array.of(100, 64 + (number >>> 16), number >>> 8, number);
    return { ipv4: { local: "100.127.255.255", remote: formatIpAddress(octets), dns: RESOLVERS } };
  }

  #sendData(call: LnsCall, frame: Uint8Array): void {
    const remote = this.#remotes.get(call.tunnel);
    if (remote !== undefined)
      this.#send(remote, dataMessage(call.remoteTunnelId, call.remoteSessionId, frame));
  }

  #forget(tunnel: number, session: number): void {
    const key = keyOf(tunnel, session);
    const call = this.#calls.get(key);
    if (call !== undefined) this.#scheduler.remove(call.timed);
    this.#calls.delete(key);
  }
}
