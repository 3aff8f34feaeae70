/** A server and a client in virtual time on a line that loses, duplicates and reorders. */

import { deserialize, serialize } from "node:v8";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import type { RandomSource } from "../../src/base/random.ts";
import { Secret } from "../../src/base/secret.ts";
import { verifyChapMd5 } from "../../src/ppp/chap.ts";
import { PppClient, type PppClientConfig } from "../../src/ppp/client.ts";
import type { DownCause, LinkOutput } from "../../src/ppp/link-types.ts";
import { verifyMsChapV2 } from "../../src/ppp/ms-chap-v2.ts";
import { type Grant, PppServer, type PppServerConfig, type PppServerOutput } from "../../src/ppp/server.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { seededRandom } from "../support/seeded-random.ts";

export const SERVER: PppServerConfig = {
  link: "pppoe",
  mruBytes: 1492,
  maxMruBytes: 1492,
  authentication: ["chap-md5", "pap"],
  name: "lns",
  timers: DEFAULT_TIMERS,
};

export const CLIENT: PppClientConfig = {
  link: "pppoe",
  mruBytes: 1492,
  maxMruBytes: 1492,
  user: "alice@isp",
  password: new Secret("wonderland"),
  accept: ["chap-md5", "ms-chap-v2", "pap"],
  ipv4: true,
  ipv6: false,
  timers: DEFAULT_TIMERS,
};

export const GRANT: Grant = {
  ipv4: { local: "10.0.0.1", remote: "10.0.0.2", dns: ["192.0.2.53", "192.0.2.54"] },
};

export interface PairOptions {
  readonly seed: number;
  readonly server?: Partial<PppServerConfig>;
  readonly client?: Partial<PppClientConfig>;
  readonly grant?: Grant;
  /** Shares of frames, 0 to 1, while the line is bad. */
  readonly loss?: number;
  readonly duplicate?: number;
  /** Each frame takes from 5 to this many milliseconds, so that later ones overtake. */
  readonly maxDelayMs?: number;
  /** From then on the line is perfect. */
  readonly healedAtMs?: number;
  /** How long the owner takes for a verdict. */
  readonly verdictMs?: number;
  /** Replace both machines by restored copies after every single input. */
  readonly restore?: boolean;
}

export interface End {
  readonly up: Set<string>;
  downs: DownCause[];
}

type Event =
  | { at: number; kind: "frame"; to: "server" | "client"; frame: Uint8Array }
  | { at: number; kind: "verdict"; output: Extract<PppServerOutput, { kind: "authenticate" }> };

export class Pair {
  now = 0;
  server: PppServer;
  client: PppClient;
  readonly serverEnd: End = { up: new Set(), downs: [] };
  readonly clientEnd: End = { up: new Set(), downs: [] };
  readonly #log: { at: number; side: string; output: PppServerOutput }[] = [];
  readonly #options: PairOptions;
  readonly #line: RandomSource;
  readonly #serverRandom: RandomSource;
  readonly #clientRandom: RandomSource;
  #events: Event[] = [];

  constructor(options: PairOptions) {
    this.#options = options;
    this.#line = seededRandom(options.seed);
    this.#serverRandom = seededRandom(options.seed + 0x10000);
    this.#clientRandom = seededRandom(options.seed + 0x20000);
    this.server = new PppServer({ ...SERVER, ...options.server }, this.#serverRandom);
    this.client = new PppClient({ ...CLIENT, ...options.client }, this.#clientRandom);
  }

  start(): void {
    this.#fromServer(this.server.start(0));
    this.#fromClient(this.client.start(0));
  }

  /** Goes on until nothing more happens before `until`. */
  run(until: number): void {
    for (;;) {
      const event = this.#events.reduce<Event | undefined>(
        (first, other) => (first === undefined || other.at < first.at ? other : first),
        undefined,
      );
      const at = Math.min(event?.at ?? Infinity, this.server.deadline(), this.client.deadline());
      if (at > until) break;
      if (at < this.now) throw new Error(`a deadline in the past: ${at} < ${this.now}`);
      this.now = at;
      if (event?.at === at) {
        this.#events = this.#events.filter((other) => other !== event);
        if (event.kind === "verdict") this.#fromServer(this.#verdict(event.output));
        else if (event.to === "server") this.#fromServer(this.server.receive(at, event.frame));
        else this.#fromClient(this.client.receive(at, event.frame));
      } else if (this.server.deadline() === at) this.#fromServer(this.server.timeout(at));
      else this.#fromClient(this.client.timeout(at));
    }
    this.now = until;
  }

  #verdict(output: Extract<PppServerOutput, { kind: "authenticate" }>): readonly PppServerOutput[] {
    const { attempt, credentials } = output;
    const password = utf8("wonderland");
    const { now, server } = this;
    const grant = this.#options.grant ?? GRANT;
    switch (credentials.method) {
      case "none":
        return server.accept(now, attempt, grant);
      case "ms-chap-v2": {
        const proof = verifyMsChapV2(credentials, password);
        if (proof !== undefined) return server.accept(now, attempt, grant, proof);
        break;
      }
      case "pap":
        if (toHex(credentials.password) === toHex(password)) return server.accept(now, attempt, grant);
        break;
      case "chap-md5": {
        const { identifier, challenge, response } = credentials;
        if (verifyChapMd5(identifier, password, challenge, response))
          return server.accept(now, attempt, grant);
      }
    }
    return server.reject(now, attempt, "wrong password");
  }

  #fromServer(outputs: readonly PppServerOutput[]): void {
    for (const output of outputs) {
      this.#note("server", output);
      if (output.kind === "send") this.#transmit("client", output.frame);
      else if (output.kind === "authenticate")
        this.#events.push({ at: this.now + (this.#options.verdictMs ?? 0), kind: "verdict", output });
      else if (output.kind !== "authenticate-void") track(this.serverEnd, output);
    }
    this.#restore();
  }

  #fromClient(outputs: readonly LinkOutput[]): void {
    for (const output of outputs) {
      this.#note("client", output);
      if (output.kind === "send") this.#transmit("server", output.frame);
      else track(this.clientEnd, output);
    }
    this.#restore();
  }

  #transmit(to: "server" | "client", frame: Uint8Array): void {
    const { loss = 0, duplicate = 0, maxDelayMs = 5, healedAtMs = 0 } = this.#options;
    if (this.now >= healedAtMs) {
      this.#events.push({ at: this.now + 5, kind: "frame", to, frame });
      return;
    }
    const chance = (): number => this.#line.uint32() / 2 ** 32;
    if (chance() < loss) return;
    for (let copies = chance() < duplicate ? 2 : 1; copies > 0; copies--)
      this.#events.push({ at: this.now + 5 + chance() * (maxDelayMs - 5), kind: "frame", to, frame });
  }

  #restore(): void {
    if (this.#options.restore !== true) return;
    const server = deserialize(serialize(this.server.snapshot()));
    const client = deserialize(serialize(this.client.snapshot()));
    this.server = new PppServer({ ...SERVER, ...this.#options.server }, this.#serverRandom, server);
    this.client = new PppClient({ ...CLIENT, ...this.#options.client }, this.#clientRandom, client);
  }

  /** Everything that either side put out, with its time. */
  transcript(): string[] {
    return this.#log.map(({ at, side, output }) => {
      const shown = JSON.stringify(output, (_key, value) =>
        value instanceof Uint8Array ? toHex(value) : value,
      );
      return `${at.toFixed(3)} ${side} ${shown}`;
    });
  }

  #note(side: string, output: PppServerOutput): void {
    this.#log.push({ at: this.now, side, output });
  }
}

function track(end: End, output: Exclude<LinkOutput, { kind: "send" }>): void {
  if (output.kind === "network-up") {
    if (end.up.has(output.protocol)) throw new Error(`${output.protocol} came up twice`);
    end.up.add(output.protocol);
  } else if (output.kind === "network-down") {
    if (!end.up.delete(output.protocol)) throw new Error(`${output.protocol} went down without being up`);
  } else {
    if (end.up.size > 0) throw new Error("the link went down with a network protocol up");
    end.downs.push(output.cause);
  }
}
