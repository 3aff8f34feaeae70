import { isDeepStrictEqual } from "node:util";
import type { PeerId, PortId, Punt } from "../channel/dataplane.ts";
import type { AccessConfig } from "../config/config.ts";
import type { FramePort } from "../io/frame-port.ts";
import type { AuthenticationMethod } from "../ppp/lcp.ts";
import { AccessConcentrator } from "../pppoe/access-concentrator.ts";
import {
  type AccessConcentratorConfig,
  type AccessConcentratorCounters,
  type AccessConcentratorLoad,
  type AccessConcentratorOutput,
  DEFAULT_ACCESS_CONCENTRATOR_LIMITS,
} from "../pppoe/access-concentrator-types.ts";
import { formatMac, type VlanTag } from "../wire/ethernet.ts";
import { largestPppFrame } from "../wire/pppoe.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import { PppoeCarrier, type SessionRequest } from "./access-carrier.ts";
import { authenticationMethods } from "./authentication-methods.ts";
import type { Carrier } from "./carrier.ts";
import { endCause } from "./cause.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";

const PPP_PROTOCOL_BYTES = 2;
/** The largest PPP packet without PPP-Max-Payload (RFC 2516 §7). */
const PPPOE_MRU_BYTES = 1492;

/** A host that was silent may be answered as often at once as in so many seconds. */
const PADI_BURST_SECONDS = 5;

/** Who makes sessions of carriers. */
export interface SessionMaker {
  newSession(carrier: Carrier, authentication: readonly AuthenticationMethod[], maxMruBytes: number): Session;
}

/** What is there while the interface is. */
interface OpenLine {
  readonly link: LinkInfo;
  readonly frames: FramePort;
  readonly port: PortId;
  concentrator: AccessConcentrator;
  /** By the concentrator's number. */
  readonly sessions: Map<number, PppoeCarrier>;
}

/**
 * One interface on which subscribers call by PPPoE. It opens when its interface appears, by name; from then on
 * it is bound to the ifindex, so that a rename changes nothing; it ends its sessions when that is gone.
 */
export class AccessLine {
  #config: AccessConfig;
  readonly #around: Surroundings;
  readonly #maker: SessionMaker;
  #open: OpenLine | undefined;
  #linkSpeed: number | undefined;
  #opening = false;
  #draining: boolean;
  #stopped = false;

  constructor(config: AccessConfig, around: Surroundings, maker: SessionMaker) {
    this.#config = config;
    this.#draining = config.drain;
    this.#around = around;
    this.#maker = maker;
  }

  get config(): AccessConfig {
    return this.#config;
  }

  /** Goes on as `config` says, for the interface of the same name: with calls that come from now on. */
  reconfigure(config: AccessConfig): void {
    if (isDeepStrictEqual(config, this.#config)) return;
    const { drain } = this.#config;
    this.#config = config;
    const open = this.#open;
    if (open !== undefined) {
      open.concentrator = open.concentrator.reconfigured(
        this.#concentratorConfig(open.link),
        this.#around.random,
      );
      this.#around.scheduler.update(this);
    }
    // what an operator has said since holds, unless the file now says otherwise than it did
    if (config.drain !== drain) this.drain(config.drain);
  }

  get port(): PortId | undefined {
    return this.#open?.port;
  }

  /** What the interface runs at, bit/s. */
  get linkSpeed(): number | undefined {
    return this.#linkSpeed;
  }

  /**
   * For `show counters`: what discovery has counted, and under `now.` how much there is to set up at this moment. Empty
   * while the interface is away.
   */
  counters(): Readonly<Record<string, number>> {
    if (this.#open === undefined) return {};
    const { frames, concentrator } = this.#open;
    const { discarded, padsRefused, ...counts } = concentrator.counters();
    const { load, ...now } = concentrator.load();
    return {
      ...counts,
      ...prefixed("now", { ...now, loadPercent: Math.round(100 * load) }),
      receiveBufferDrops: frames.dropped(),
      ...prefixed("padsRefused", padsRefused),
      ...prefixed("discarded", discarded),
    };
  }

  /** What discovery has counted, and how much there is to do; undefined while the interface is away. */
  discovery():
    | { readonly counters: AccessConcentratorCounters; readonly load: AccessConcentratorLoad }
    | undefined {
    const concentrator = this.#open?.concentrator;
    return concentrator && { counters: concentrator.counters(), load: concentrator.load() };
  }

  /** Opens when the interface is there and up, and is not open yet. Called again whenever links change. */
  async openIfThere(): Promise<void> {
    // here, and not with every call: the system is asked through a file
    this.#linkSpeed = this.#around.host.speedOf(this.#open?.link.name ?? this.config.interface);
    while (this.#open === undefined && !this.#opening && !this.#stopped) {
      const link = this.#around.host.linkByName(this.config.interface);
      if (link === undefined || !link.up) return;
      this.#opening = true;
      try {
        this.#open = await this.#openOn(link);
      } catch (error) {
        this.#around.logger.error(
          { interface: link.name, error: (error as Error).message },
          "access interface could not be opened; tried again when it changes",
        );
        return;
      } finally {
        this.#opening = false;
      }
    }
  }

  /** Undefined when the interface went away, or we were told to stop, while the port was being opened. */
  async #openOn(link: LinkInfo): Promise<OpenLine | undefined> {
    const { dataplane, clock, host, logger } = this.#around;
    const { ifindex, name, mtuBytes } = link;
    const port = await dataplane.openPort({ kind: "ethernet", ifindex, name, mtuBytes });
    try {
      if (this.#stopped || host.linkByName(this.config.interface)?.ifindex !== ifindex) {
        await dataplane.closePort(port);
        return undefined;
      }
      const frames = this.#around.openFramePort(link);
      const concentrator = new AccessConcentrator(this.#concentratorConfig(link), this.#around.random);
      const open: OpenLine = { link, frames, port, concentrator, sessions: new Map() };
      frames.onFrame((frame) => {
        const outputs = open.concentrator.receive(clock.now(), frame);
        this.#around.journal.discovery(this.config.interface, false, frame, open.concentrator.discarded);
        this.#input(outputs);
      });
      logger.info(
        { interface: name, ifindex, mtu: mtuBytes },
        "access interface open: PPPoE calls are answered",
      );
      return open;
    } catch (error) {
      await dataplane.closePort(port);
      throw error;
    }
  }

  /** No new calls, and PADRs are refused; sessions go on until they are ended. */
  stopAnswering(): void {
    this.#stopped = true;
    this.#do((concentrator, now) => concentrator.drain(now, true));
  }

  /** No new calls, and whose PADI was answered may still come; sessions go on. Or calls again. */
  drain(draining: boolean): void {
    if (draining === this.#draining) return;
    this.#draining = draining;
    this.#do((concentrator, now) => concentrator.drain(now, draining));
    this.#around.logger.info(
      { interface: this.config.interface },
      draining ? "access interface drains: no new calls" : "access interface takes calls again",
    );
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** Its interface is gone, or its port failed: nobody on it can be told any more. */
  async lost(reason: string): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#around.scheduler.remove(this);
    const ends = [...open.sessions.values()].map((carrier) => {
      carrier.lost = true;
      carrier.session?.end(endCause("interface-gone", `${this.config.interface}: ${reason}`));
      return carrier.session?.ended;
    });
    this.#around.logger.warn(
      { interface: this.config.interface, sessions: open.sessions.size, reason },
      "access interface lost; waiting for it to come back",
    );
    open.frames.close();
    await Promise.all(ends);
    await this.#around.dataplane.closePort(open.port);
  }

  /** The last act of a gateway that stops: its sessions have been ended before. */
  async close(): Promise<void> {
    const open = this.#open;
    this.abandon();
    if (open !== undefined) await this.#around.dataplane.closePort(open.port);
  }

  /** As close(), of sessions that have not all ended: the data plane's port is left to the end of the data plane. */
  abandon(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#around.scheduler.remove(this);
    open.frames.close();
  }

  isBoundTo(ifindex: number): boolean {
    return this.#open?.link.ifindex === ifindex;
  }

  /** A session frame that no channel has. */
  strayFrame(punt: Extract<Punt, { kind: "unknown-session" }>): void {
    if (this.#open === undefined) return;
    this.#input(this.#open.concentrator.unknownSession(this.#around.clock.now(), punt));
  }

  deadline(): number {
    return this.#open?.concentrator.deadline() ?? Number.POSITIVE_INFINITY;
  }

  timeout(now: number): void {
    if (this.#open !== undefined) this.#input(this.#open.concentrator.timeout(now));
  }

  /** PPP has begun on a session, and all of it is set up. Sessions are the concentrator's numbers. */
  heard(session: number): void {
    this.#do((concentrator, now) => concentrator.heard(now, session));
  }

  established(session: number): void {
    this.#do((concentrator, now) => concentrator.established(now, session));
  }

  loginResult(session: number, succeeded: boolean): void {
    this.#do((concentrator, now) => concentrator.loginResult(now, session, succeeded));
  }

  /** PADT, unless the subscriber said so himself. */
  hangUp(session: number, text: string): void {
    this.#do((concentrator, now) => concentrator.close(now, session, text));
  }

  released(session: number): void {
    this.#open?.sessions.delete(session);
    this.#do((concentrator, now) => {
      concentrator.ended(now, session);
      return [];
    });
  }

  #concentratorConfig(link: LinkInfo): AccessConcentratorConfig {
    const { config } = this;
    const { padisPerSecond, padisPerSecondPerMac } = config;
    return {
      acName: config.acName ?? this.#around.config.name,
      localMac: link.mac,
      draining: this.#draining,
      services: {
        offered: config.serviceNames,
        acceptUnlisted: config.anyServiceName,
        acceptEmpty: config.anyServiceName || config.serviceNames.includes(""),
      },
      limits: {
        ...DEFAULT_ACCESS_CONCENTRATOR_LIMITS,
        maxSessions: config.maxSessions,
        maxSessionsPerMac: config.sessionsPerMac,
        atMacLimit: config.atMacLimit,
        padoDelayMs: config.padoDelayMs,
        padiPerMac: { perSecond: padisPerSecondPerMac, burst: PADI_BURST_SECONDS * padisPerSecondPerMac },
        padiPerPort: { perSecond: padisPerSecond, burst: padisPerSecond },
        maxPayloadBytes: config.mruBytes,
        portMtuBytes: link.mtuBytes,
      },
    };
  }

  #do(act: (concentrator: AccessConcentrator, now: number) => readonly AccessConcentratorOutput[]): void {
    if (this.#open !== undefined) this.#input(act(this.#open.concentrator, this.#around.clock.now()));
  }

  #input(outputs: readonly AccessConcentratorOutput[]): void {
    for (const output of outputs) this.#act(output);
    this.#around.scheduler.update(this);
  }

  #act(output: AccessConcentratorOutput): void {
    const open = this.#open;
    if (open === undefined) return;
    switch (output.kind) {
      case "send":
        this.#around.journal.discovery(this.config.interface, true, output.frame);
        open.frames.send(output.frame);
        return;
      case "session-requested":
        this.#admit(open, output);
        return;
      case "session-closed": {
        const carrier = open.sessions.get(output.session);
        if (carrier === undefined) return;
        carrier.toldByPeer = output.by === "peer";
        carrier.session?.end(
          output.by === "replaced"
            ? endCause("replaced", "a newer call from the same MAC address took its place")
            : endCause("hung-up", output.text === undefined ? "PADT" : `PADT: ${output.text}`),
        );
        return;
      }
    }
  }

  /** The channel comes first, PADS second: a CPE that has its PADS may send at once. */
  #admit(open: OpenLine, request: SessionRequest): void {
    const { dataplane, clock } = this.#around;
    if (this.#stopped) {
      this.#input(open.concentrator.refuse(clock.now(), request.session, "going down"));
      return;
    }
    let peer: PeerId | undefined;
    try {
      peer = dataplane.addPeer({
        kind: "ethernet",
        port: open.port,
        remoteMac: request.remoteMac,
        localMac: open.link.mac,
        tags: request.tags,
      });
      const channel = dataplane.addChannel({ kind: "pppoe", peer, sessionId: request.sessionId });
      const mruBytes = Math.min(
        request.maxPayloadBytes ?? PPPOE_MRU_BYTES,
        largestMru(open.link.mtuBytes, request.tags),
        this.config.mruBytes,
      );
      const carrier = new PppoeCarrier(this, this.#around, request, channel, peer, mruBytes);
      open.sessions.set(request.session, carrier);
      const session = this.#maker.newSession(
        carrier,
        authenticationMethods(this.config.authentication),
        carrier.mruBytes,
      );
      carrier.session = session;
      this.#input(open.concentrator.confirm(clock.now(), request.session));
      session.listen();
    } catch (error) {
      if (peer !== undefined) void dataplane.removePeer(peer);
      this.#around.logger.error(
        {
          interface: this.config.interface,
          mac: formatMac(request.remoteMac),
          error: (error as Error).message,
        },
        "PPPoE call refused: no room for its channel",
      );
      this.#input(open.concentrator.refuse(clock.now(), request.session, "no resources"));
    }
  }
}

/** The largest IP packet that goes to a subscriber under these tags. */
function largestMru(mtuBytes: number, tags: readonly VlanTag[]): number {
  return largestPppFrame(mtuBytes, tags) - PPP_PROTOCOL_BYTES;
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}.${name}`, count]));
}
