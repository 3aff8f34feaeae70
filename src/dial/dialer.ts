import { Scheduler } from "../base/scheduler.ts";
import type { Instant } from "../base/time.ts";
import type { ChannelId, Dataplane, PortId, Punt, UnitId } from "../channel/dataplane.ts";
import { exactClock, systemRandom, timerAlarm } from "../io/system.ts";
import type { Ipv4Up } from "../ppp/link-types.ts";
import { DEFAULT_PPPOE_CLIENT_RETRY, type PppoeClientRetry } from "../pppoe/client-types.ts";
import type { DialOptions } from "./dial-options.ts";
import { macNumber } from "./mac-number.ts";
import type { DialReport } from "./report.ts";
import {
  type Line,
  type SessionDataplane,
  Subscriber,
  type SubscriberUnit,
  type SubscriberUnits,
} from "./subscriber.ts";

/** How long hanging up may take: Terminate-Acks come within a round trip, or not at all. */
const HANG_UP_MS = 2000;

/** What of a data plane a dialer needs. */
export type DialDataplane = SessionDataplane & Pick<Dataplane, "onPunt" | "createUnit" | "closeUnit">;

/** Of many who call at once, each is as patient as a home router, which calls for ever: some two minutes. */
const CROWD_RETRY: PppoeClientRetry = { ...DEFAULT_PPPOE_CLIENT_RETRY, rounds: 15 };

/** What the dialer calls on. */
export interface DialPort {
  readonly port: PortId;
  readonly mac: Uint8Array;
  readonly mruBytes: number;
  sendDiscovery(frame: Uint8Array): void;
}

/** Begins subscribers at their rate, hands them what comes in, and lets them hang up in the end. */
export class Dialer {
  readonly #options: DialOptions;
  readonly #dataplane: DialDataplane;
  readonly #report: DialReport;
  readonly #port: DialPort;
  readonly #byMac = new Map<number, Subscriber>();
  readonly #byChannel = new Map<ChannelId, Subscriber>();
  readonly #alarm = timerAlarm(exactClock, () => this.#scheduler.run(exactClock.now()));
  readonly #scheduler: Scheduler = new Scheduler(this.#alarm);
  readonly #line: Line;
  /** Who has begun and is not over, and who of them is online. */
  readonly #alive = new Set<Subscriber>();
  readonly #online = new Set<Subscriber>();
  #shared: Promise<UnitId> | undefined;
  #begun = 0;
  /** Never came up; and came up, and went before we hung up. */
  #failed = 0;
  #lost = 0;
  #startedAt: Instant = 0;
  #hangingUp = false;
  #summarised = false;
  #finished: () => void = () => {};

  constructor(options: DialOptions, dataplane: DialDataplane, report: DialReport, port: DialPort) {
    this.#options = options;
    this.#dataplane = dataplane;
    this.#report = report;
    this.#port = port;
    this.#line = this.#makeLine();
    dataplane.onPunt((punt) => this.#punted(punt));
  }

  /** Keeps nothing of the frame. */
  discoveryFrame(frame: Uint8Array): void {
    this.#byMac.get(macNumber(frame, 0))?.discoveryFrame(frame);
  }

  /** Resolves when everyone is gone: to whether all came up and stayed until `signal`. */
  async run(signal: AbortSignal): Promise<boolean> {
    this.#startedAt = exactClock.now();
    const finished = new Promise<void>((resolve) => {
      this.#finished = resolve;
    });
    const stop = (): void => this.#hangUp();
    signal.addEventListener("abort", stop, { once: true });
    this.#begin(this.#startedAt);
    if (signal.aborted) stop();
    await finished;
    signal.removeEventListener("abort", stop);
    this.#alarm.cancel();
    if (this.#shared !== undefined) await this.#dataplane.closeUnit(await this.#shared);
    return this.#failed === 0 && this.#lost === 0;
  }

  /** As many as are due by now; the rest when their time has come. */
  #begin(now: Instant): void {
    const { count, ratePerSecond } = this.#options;
    const due =
      ratePerSecond === undefined
        ? count
        : Math.min(count, 1 + Math.floor(((now - this.#startedAt) * ratePerSecond) / 1000));
    while (this.#begun < due && !this.#hangingUp && this.#hasRoom()) this.#beginOne();
    this.#scheduler.update(this.#pacer);
  }

  #hasRoom(): boolean {
    const { atOnce } = this.#options;
    return atOnce === undefined || this.#alive.size - this.#online.size < atOnce;
  }

  readonly #pacer = {
    deadline: (): Instant =>
      this.#begun >= this.#options.count || this.#hangingUp || !this.#hasRoom()
        ? Number.POSITIVE_INFINITY
        : this.#startedAt + (this.#begun * 1000) / (this.#options.ratePerSecond ?? 1),
    timeout: (now: Instant): void => this.#begin(now),
  };

  #beginOne(): void {
    this.#begun += 1;
    const number = this.#begun;
    const user = this.#options.user.replaceAll("%d", String(number));
    const subscriber = new Subscriber(number, user, this.#macOf(number), this.#line);
    this.#alive.add(subscriber);
    this.#byMac.set(macNumber(subscriber.mac, 0), subscriber);
    subscriber.start();
  }

  /** One subscriber has the interface's address; many have addresses of their own, locally administered. */
  #macOf(number: number): Uint8Array {
    if (this.#options.count === 1) return this.#port.mac;
    const { mac } = this.#port;
    return Uint8Array.of(0x02, mac[4]!, mac[5]!, number >>> 16, number >>> 8, number);
  }

  #punted(punt: Punt): void {
    if (punt.kind === "frame") this.#byChannel.get(punt.channel)?.pppFrame(punt.frame);
    else if (punt.kind === "port-down") this.#hangUp();
  }

  #hangUp(): void {
    if (this.#hangingUp) return;
    this.#hangingUp = true;
    const giveUpAt = exactClock.now() + HANG_UP_MS;
    const giveUp = {
      deadline: () => giveUpAt,
      timeout: () => {
        for (const subscriber of this.#alive) subscriber.giveUp();
      },
    };
    this.#scheduler.update(giveUp);
    for (const subscriber of this.#alive) subscriber.hangUp();
    this.#noticeEnd();
  }

  #noticeEnd(): void {
    if (this.#options.atOnce !== undefined) this.#begin(exactClock.now());
    const allBegun = this.#hangingUp || this.#begun >= this.#options.count;
    if (!allBegun) return;
    if (!this.#summarised && this.#online.size === this.#alive.size) {
      this.#summarised = true;
      this.#report.summary(this.#failed, exactClock.now() - this.#startedAt);
    }
    if (this.#alive.size === 0) this.#finished();
  }

  readonly #units: SubscriberUnits = {
    open: (subscriber, up) => this.#openUnit(subscriber, up),
    // the shared device stays until everyone is gone
    close: async (unit) => {
      if (this.#options.device === "each") await this.#dataplane.closeUnit(unit);
    },
  };

  async #openUnit(subscriber: Subscriber, up: Ipv4Up): Promise<SubscriberUnit> {
    const { device, netns } = this.#options;
    const common = { routes: [], end: "subscriber", ...(netns !== undefined && { netns }) } as const;
    if (device === "shared") {
      const spec = { ...common, name: "dial0", mtuBytes: up.mruBytes, addresses: [], shared: true };
      this.#shared ??= this.#dataplane.createUnit(spec);
      return { unit: await this.#shared, device: spec.name };
    }
    const name = `dial${subscriber.number - 1}`;
    const unit = await this.#dataplane.createUnit({
      ...common,
      name,
      mtuBytes: up.mruBytes,
      addresses: [`${up.localAddress}/32`],
      ...(up.remoteAddress !== undefined && { peerAddress: up.remoteAddress }),
      shared: false,
    });
    return { unit, device: name };
  }

  #makeLine(): Line {
    const { serviceName, password, device, count } = this.#options;
    return {
      port: this.#port.port,
      dataplane: this.#dataplane,
      random: systemRandom(),
      serviceName,
      password,
      mruBytes: this.#port.mruBytes,
      ...(count > 1 && { retry: CROWD_RETRY }),
      now: () => exactClock.now(),
      sendDiscovery: (frame) => this.#port.sendDiscovery(frame),
      listen: (channel, subscriber) => this.#byChannel.set(channel, subscriber),
      unlisten: (channel) => this.#byChannel.delete(channel),
      changed: (subscriber) => this.#scheduler.update(subscriber),
      ...(device !== "none" && { units: this.#units }),
      online: (subscriber, session) => {
        this.#online.add(subscriber);
        this.#report.up(subscriber, session);
        this.#noticeEnd();
      },
      offline: (subscriber, reason) => {
        this.#scheduler.remove(subscriber);
        this.#byMac.delete(macNumber(subscriber.mac, 0));
        const wasOnline = this.#online.delete(subscriber);
        this.#alive.delete(subscriber);
        if (!this.#hangingUp && wasOnline) this.#lost += 1;
        if (!wasOnline) this.#failed += 1;
        this.#report.down(subscriber, reason);
        this.#noticeEnd();
      },
    };
  }
}
