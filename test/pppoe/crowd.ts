import { Deadlines } from "../../src/base/deadlines.ts";
import { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import type {
  AccessConcentratorConfig,
  AccessConcentratorOutput,
} from "../../src/pppoe/access-concentrator-types.ts";
import { PppoeClient } from "../../src/pppoe/client.ts";
import type { PppoeClientOutput } from "../../src/pppoe/client-types.ts";
import { macNumber } from "../../src/wire/ethernet.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { hostMac } from "./support.ts";

/** RFC 2516 §8: 5 s, doubling. */
const RETRY = { firstWaitMs: 5_000, maxWaitMs: 40_000, padiAttempts: 6, padrAttempts: 4, rounds: 3 };
/** pppd: a message of PPP is repeated every 3 s, and the whole of it may take so long until the host calls anew. */
const PPP_REPEAT_MS = 3_000;
const PPP_PATIENCE_MS = 10_000;
/** Exchanges of PPP until a session is complete: LCP, authentication, the call to the LNS, IPCP. */
const PPP_STEPS = 4;
const LINK_MS = 1;
/** What the concentrator's sockets and its punt queue hold. */
const DISCOVERY_BUFFER = 14_000;
const PPP_BUFFER = 4_096;

/** What any discovery frame costs, whatever a set-up does. */
const DISCOVERY_MS = 0.02;
/** Parts of the time that a set-up costs: making the session, and each message of PPP. */
const COST = { session: 0.36, ppp: 0.64 / PPP_STEPS };

interface Message {
  readonly at: number;
  readonly host: Host;
  /** A discovery frame, or a step of PPP in a session. */
  readonly frame?: Uint8Array;
  readonly step?: number;
  readonly session: number;
}

class Fifo {
  readonly #items: Message[] = [];
  #head = 0;

  first(): Message | undefined {
    return this.#items[this.#head];
  }

  shift(): void {
    this.#head += 1;
    if (this.#head > 4096) this.#items.splice(0, this.#head);
    if (this.#head > 4096) this.#head = 0;
  }

  push(item: Message): void {
    this.#items.push(item);
  }
}

/** One who calls until he is online. */
class Host {
  readonly number: number;
  readonly mac: Uint8Array;
  client: PppoeClient;
  session = 0;
  step = 0;
  padsAt = 0;
  repeatAt = Number.POSITIVE_INFINITY;
  giveUpAt = Number.POSITIVE_INFINITY;
  calls = 0;

  constructor(number: number) {
    this.number = number;
    this.mac = hostMac(number);
    this.client = this.newClient();
  }

  newClient(): PppoeClient {
    this.calls += 1;
    const config = { localMac: this.mac, tags: [], serviceName: "", retry: RETRY };
    return new PppoeClient(config, seededRandom(this.number * 16 + this.calls));
  }

  deadline(): number {
    return Math.min(this.client.deadline(), this.repeatAt, this.giveUpAt);
  }
}

/**
 * Hosts that call a concentrator which can set up so many sessions in a second: what it gets waits in one queue, in which
 * every message costs its part of a set-up.
 */
export class Crowd {
  now = 0;
  readonly ac: AccessConcentrator;
  /** When each host came online; and the longest time from a PADS to the first PPP message that was read. */
  readonly onlineAt: number[] = [];
  longestStartMs = 0;
  callsGivenUp = 0;
  readonly #setUpMs: number;
  readonly #hosts: Host[];
  readonly #byMac = new Map<number, Host>();
  readonly #timers = new Deadlines<Host>();
  readonly #toConcentrator = new Fifo();
  readonly #toHosts = new Fifo();
  /** What the concentrator knows of its sessions: when PADS went out, and the steps that are done. */
  readonly #sessions = new Map<number, { padsAt: number; steps: number }>();
  #discoveryQueued = 0;
  #pppQueued = 0;
  #busyUntil = 0;

  constructor(config: AccessConcentratorConfig, hosts: number, setUpsPerSecond: number) {
    this.ac = new AccessConcentrator(config, seededRandom(1));
    this.#setUpMs = 1000 / setUpsPerSecond;
    this.#hosts = Array.from({ length: hosts }, (_, i) => new Host(i + 1));
    for (const host of this.#hosts) this.#byMac.set(macNumber(host.mac), host);
  }

  /** All call in the same moment; until all are online, or `limitMs` have passed. */
  run(limitMs: number): void {
    for (const host of this.#hosts) this.#fromClient(host, host.client.start(this.now));
    while (this.onlineAt.length < this.#hosts.length) {
      const next = this.#next();
      if (next > limitMs) return;
      this.now = next;
      this.#happen();
    }
  }

  #next(): number {
    const work = Math.min(this.#toConcentrator.first()?.at ?? Number.POSITIVE_INFINITY, this.ac.deadline());
    return Math.max(
      this.now,
      Math.min(
        Math.max(work, this.#busyUntil),
        this.#toHosts.first()?.at ?? Number.POSITIVE_INFINITY,
        this.#timers.next(),
      ),
    );
  }

  #happen(): void {
    const arrived = this.#toHosts.first();
    if (arrived !== undefined && arrived.at <= this.now) {
      this.#toHosts.shift();
      this.#atHost(arrived);
      return;
    }
    const host = this.#timers.popDue(this.now);
    if (host !== undefined) {
      this.#hostTimeout(host);
      return;
    }
    if (this.ac.deadline() <= this.now) this.#fromConcentrator(this.ac.timeout(this.now));
    const message = this.#toConcentrator.first();
    if (message === undefined || message.at > this.now) return;
    this.#toConcentrator.shift();
    this.#atConcentrator(message);
  }

  #spend(ms: number): void {
    this.#busyUntil = Math.max(this.#busyUntil, this.now) + ms;
  }

  #atConcentrator(message: Message): void {
    if (message.frame !== undefined) {
      this.#discoveryQueued -= 1;
      this.#spend(DISCOVERY_MS);
      this.#fromConcentrator(this.ac.receive(this.now, message.frame));
      return;
    }
    this.#pppQueued -= 1;
    this.#spend(COST.ppp * this.#setUpMs);
    const session = this.#sessions.get(message.session);
    if (session === undefined || message.step === undefined) return;
    if (session.steps === 0) {
      this.longestStartMs = Math.max(this.longestStartMs, this.now - session.padsAt);
      this.#fromConcentrator(this.ac.heard(this.now, message.session));
    }
    session.steps = Math.max(session.steps, message.step + 1);
    if (session.steps === PPP_STEPS) this.#fromConcentrator(this.ac.established(this.now, message.session));
    this.#toHosts.push({ ...message, at: this.#busyUntil + LINK_MS });
  }

  #fromConcentrator(outputs: readonly AccessConcentratorOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") {
        const host = this.#byMac.get(macNumber(output.frame.subarray(0, 6)))!;
        this.#toHosts.push({ at: this.#later(), host, frame: output.frame, session: 0 });
      } else if (output.kind === "session-requested") {
        this.#spend(COST.session * this.#setUpMs);
        this.#sessions.set(output.session, { padsAt: this.now, steps: 0 });
        this.#fromConcentrator(this.ac.confirm(this.now, output.session));
      } else {
        this.#sessions.delete(output.session);
        this.ac.ended(this.now, output.session);
      }
    }
  }

  #later(): number {
    return Math.max(this.#busyUntil, this.now) + LINK_MS;
  }

  #atHost({ host, frame, step, session }: Message): void {
    if (frame !== undefined) this.#fromClient(host, host.client.receive(this.now, frame));
    else if (session === host.session && step === host.step) this.#nextStep(host);
  }

  #nextStep(host: Host): void {
    host.step += 1;
    if (host.step < PPP_STEPS) {
      this.#sendPpp(host);
      return;
    }
    host.repeatAt = Number.POSITIVE_INFINITY;
    host.giveUpAt = Number.POSITIVE_INFINITY;
    this.#timers.clear(host);
    this.onlineAt.push(this.now);
  }

  #sendPpp(host: Host): void {
    host.repeatAt = this.now + PPP_REPEAT_MS;
    this.#timers.set(host, host.deadline());
    if (this.#pppQueued >= PPP_BUFFER) return;
    this.#pppQueued += 1;
    const { session, step } = host;
    this.#toConcentrator.push({ at: this.now + LINK_MS, host, session, step });
  }

  #hostTimeout(host: Host): void {
    if (host.giveUpAt <= this.now) {
      this.callsGivenUp += 1;
      this.#fromClient(host, host.client.close(this.now, "no answer"));
    } else if (host.repeatAt <= this.now) {
      this.#sendPpp(host);
    } else {
      this.#fromClient(host, host.client.timeout(this.now));
    }
    this.#timers.set(host, host.deadline());
  }

  #fromClient(host: Host, outputs: readonly PppoeClientOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") {
        this.#sendDiscovery(host, output.frame);
      } else if (output.kind === "up") {
        host.session = output.sessionId;
        host.step = 0;
        host.giveUpAt = this.now + PPP_PATIENCE_MS;
        this.#sendPpp(host);
      } else {
        host.session = 0;
        host.repeatAt = Number.POSITIVE_INFINITY;
        host.giveUpAt = Number.POSITIVE_INFINITY;
        host.client = host.newClient();
        this.#fromClient(host, host.client.start(this.now));
      }
    }
    this.#timers.set(host, host.deadline());
  }

  #sendDiscovery(host: Host, frame: Uint8Array): void {
    if (this.#discoveryQueued >= DISCOVERY_BUFFER) return;
    this.#discoveryQueued += 1;
    this.#toConcentrator.push({ at: this.now + LINK_MS, host, frame, session: 0 });
  }
}
