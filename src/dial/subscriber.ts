import type { RandomSource } from "../base/random.ts";
import type { Secret } from "../base/secret.ts";
import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelId, Dataplane, PeerId, PortId, UnitId } from "../channel/dataplane.ts";
import { PppClient } from "../ppp/client.ts";
import type { Ipv4Up, LinkOutput } from "../ppp/link-types.ts";
import { DEFAULT_TIMERS } from "../ppp/timers.ts";
import { PppoeClient } from "../pppoe/client.ts";
import {
  DEFAULT_PPPOE_CLIENT_RETRY,
  type PppoeClientOutput,
  type PppoeClientRetry,
} from "../pppoe/client-types.ts";
import { formatMac } from "../wire/ethernet.ts";

/** What of a data plane a subscriber's session needs. */
export type SessionDataplane = Pick<
  Dataplane,
  "addPeer" | "removePeer" | "addChannel" | "closeChannel" | "inject" | "attach" | "detach"
>;

/** What every subscriber of a dial has in common. */
export interface Line {
  readonly port: PortId;
  readonly dataplane: SessionDataplane;
  readonly random: RandomSource;
  readonly serviceName: string;
  readonly password: Secret;
  /** RFC 2516 §8's when absent: one that gives up and says why. */
  readonly retry?: PppoeClientRetry;
  /** PPP payload that the line carries without PPP-Max-Payload. */
  readonly mruBytes: number;
  now(): Instant;
  sendDiscovery(frame: Uint8Array): void;
  /** The channel's PPP frames come to `subscriber` from now on. */
  listen(channel: ChannelId, subscriber: Subscriber): void;
  unlisten(channel: ChannelId): void;
  /** Its deadline may have changed. */
  changed(subscriber: Subscriber): void;
  /** Absent when sessions carry no IP. */
  readonly units?: SubscriberUnits;
  online(subscriber: Subscriber, session: OnlineSession): void;
  offline(subscriber: Subscriber, reason: string): void;
}

/** The device that a subscriber's packets go through. */
export interface SubscriberUnit {
  readonly unit: UnitId;
  readonly device: string;
}

/** Where devices come from. */
export interface SubscriberUnits {
  /** A device for an address. */
  open(subscriber: Subscriber, up: Ipv4Up): Promise<SubscriberUnit>;
  close(unit: UnitId): Promise<void>;
}

/** What is known of a session that is up. */
export interface OnlineSession {
  readonly address: string;
  readonly peerAddress: string | undefined;
  readonly dns: readonly string[];
  readonly device: string | undefined;
  readonly mtuBytes: number;
  readonly setupMs: number;
  readonly mac: string;
  readonly acMac: string;
  readonly acName: string;
  readonly pppoeSessionId: number;
}

/** From PADS on. */
interface LinkedStage {
  readonly kind: "linked";
  readonly ppp: PppClient;
  readonly channel: ChannelId;
  readonly peer: PeerId;
  readonly acMac: Uint8Array;
  readonly acName: string;
  readonly sessionId: number;
}

type Stage = { readonly kind: "discovering" } | LinkedStage | { readonly kind: "over" };

const ACCEPTED_METHODS = ["chap-md5", "ms-chap-v2", "pap"] as const;

/** One emulated subscriber: PPPoE and PPP in the client's role, and the device that its packets go through. */
export class Subscriber {
  readonly number: number;
  readonly user: string;
  readonly mac: Uint8Array;
  readonly #line: Line;
  readonly #pppoe: PppoeClient;
  #stage: Stage = { kind: "discovering" };
  #startedAt: Instant = 0;
  #unit: UnitId | undefined;
  #attached = false;
  /** Attachments and their undoing, one after the other. */
  #work: Promise<void> = Promise.resolve();

  constructor(number: number, user: string, mac: Uint8Array, line: Line) {
    this.number = number;
    this.user = user;
    this.mac = mac;
    this.#line = line;
    this.#pppoe = new PppoeClient(
      {
        localMac: mac,
        tags: [],
        serviceName: line.serviceName,
        retry: line.retry ?? DEFAULT_PPPOE_CLIENT_RETRY,
      },
      line.random,
    );
  }

  start(): void {
    this.#startedAt = this.#line.now();
    this.#discovery(this.#pppoe.start(this.#startedAt));
  }

  /** A discovery frame to our MAC. Nothing of it is kept. */
  discoveryFrame(frame: Uint8Array): void {
    this.#discovery(this.#pppoe.receive(this.#line.now(), frame));
  }

  /** A PPP frame of our channel. Nothing of it is kept. */
  pppFrame(frame: Uint8Array): void {
    if (this.#stage.kind === "linked") this.#ppp(this.#stage.ppp.receive(this.#line.now(), frame));
  }

  deadline(): Instant {
    if (this.#stage.kind === "over") return NEVER;
    const ppp = this.#stage.kind === "discovering" ? NEVER : this.#stage.ppp.deadline();
    return Math.min(ppp, this.#pppoe.deadline());
  }

  timeout(now: Instant): void {
    this.#discovery(this.#pppoe.timeout(now));
    if (this.#stage.kind === "linked") this.#ppp(this.#stage.ppp.timeout(now));
  }

  /** LCP Terminate-Request, and PADT once it is answered. */
  hangUp(): void {
    if (this.#stage.kind === "over") return;
    if (this.#stage.kind === "discovering") this.#end("hung up");
    else this.#ppp(this.#stage.ppp.terminate(this.#line.now(), "hung up"));
  }

  /** PADT and the end, without waiting for an answer that does not come. */
  giveUp(): void {
    this.#end("hung up without an answer");
  }

  #discovery(outputs: readonly PppoeClientOutput[]): void {
    for (const output of outputs) {
      if (output.kind === "send") this.#line.sendDiscovery(output.frame);
      else if (output.kind === "up") this.#begin(output);
      else this.#end(output.cause.text);
    }
    this.#line.changed(this);
  }

  /** PADS came: the channel, and LCP on it. */
  #begin(up: Extract<PppoeClientOutput, { kind: "up" }>): void {
    const { dataplane, port, mruBytes, random, password } = this.#line;
    const { sessionId, acMac, acName } = up;
    const peer = dataplane.addPeer({
      kind: "ethernet",
      port,
      remoteMac: acMac,
      localMac: this.mac,
      tags: [],
    });
    const channel = dataplane.addChannel({ kind: "pppoe", peer, sessionId });
    const ppp = new PppClient(
      {
        link: "pppoe",
        mruBytes,
        maxMruBytes: mruBytes,
        user: this.user,
        password,
        accept: ACCEPTED_METHODS,
        ipv4: true,
        ipv6: false,
        timers: DEFAULT_TIMERS,
      },
      random,
    );
    this.#stage = { kind: "linked", ppp, channel, peer, acMac, acName, sessionId };
    this.#line.listen(channel, this);
    this.#ppp(ppp.start(this.#line.now()));
  }

  #ppp(outputs: readonly LinkOutput[]): void {
    for (const output of outputs) {
      const stage = this.#stage;
      if (stage.kind !== "linked") return;
      if (output.kind === "send") this.#line.dataplane.inject(stage.channel, output.frame);
      else if (output.kind === "down") this.#end(output.cause.text);
      else if (output.kind === "network-up" && output.protocol === "ipv4") this.#networkUp(stage, output);
      else if (output.kind === "network-down") this.#networkDown(stage.channel);
    }
    this.#line.changed(this);
  }

  #networkUp(stage: LinkedStage, up: Ipv4Up): void {
    const setupMs = this.#line.now() - this.#startedAt;
    const { units } = this.#line;
    if (units === undefined) {
      this.#online(stage, up, setupMs, undefined);
      return;
    }
    this.#next(async () => {
      if (this.#stage !== stage) return;
      await this.#detach(stage.channel);
      const opened = await units.open(this, up);
      this.#unit = opened.unit;
      // the end that came meanwhile takes the unit down: it is the next step
      if (this.#stage !== stage) return;
      await this.#line.dataplane.attach(stage.channel, {
        unit: opened.unit,
        addresses: [up.localAddress],
        mruBytes: up.mruBytes,
        clampMss: true,
        ipv6: false,
      });
      this.#attached = true;
      if (this.#stage === stage) this.#online(stage, up, setupMs, opened.device);
    });
  }

  #online(stage: LinkedStage, up: Ipv4Up, setupMs: number, device: string | undefined): void {
    this.#line.online(this, {
      address: up.localAddress,
      peerAddress: up.remoteAddress,
      dns: up.dns,
      device,
      mtuBytes: up.mruBytes,
      setupMs,
      mac: formatMac(this.mac),
      acMac: formatMac(stage.acMac),
      acName: stage.acName,
      pppoeSessionId: stage.sessionId,
    });
  }

  #networkDown(channel: ChannelId): void {
    if (this.#line.units !== undefined) this.#next(() => this.#detach(channel));
  }

  #end(reason: string): void {
    const stage = this.#stage;
    if (stage.kind === "over") return;
    this.#stage = { kind: "over" };
    this.#discovery(this.#pppoe.close(this.#line.now(), reason));
    this.#next(async () => {
      if (stage.kind === "linked") {
        await this.#detach(stage.channel);
        this.#line.unlisten(stage.channel);
        await this.#line.dataplane.closeChannel(stage.channel);
        await this.#line.dataplane.removePeer(stage.peer);
      }
      this.#line.offline(this, reason);
    });
  }

  async #detach(channel: ChannelId): Promise<void> {
    if (this.#attached) await this.#line.dataplane.detach(channel);
    this.#attached = false;
    if (this.#unit !== undefined) await this.#line.units?.close(this.#unit);
    this.#unit = undefined;
  }

  #next(step: () => Promise<void>): void {
    this.#work = this.#work.then(step).catch((error: Error) => {
      this.#end(error.message);
    });
  }
}
