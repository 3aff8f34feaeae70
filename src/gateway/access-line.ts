import type { LogFields } from "../base/logger.ts";
import type { ChannelId, PeerId, PortId, Punt } from "../channel/dataplane.ts";
import type { AccessConfig } from "../config/config.ts";
import { largestPppFrame } from "../dataplane/pppoe-frame.ts";
import type { FramePort } from "../io/frame-port.ts";
import type { AuthenticationMethod } from "../ppp/lcp.ts";
import { AccessConcentrator } from "../pppoe/access-concentrator.ts";
import {
  type AccessConcentratorOutput,
  DEFAULT_ACCESS_CONCENTRATOR_LIMITS,
} from "../pppoe/access-concentrator-types.ts";
import { formatMac, type VlanTag, vlanId } from "../wire/ethernet.ts";
import type { AccessLine as WireAccessLine } from "../wire/pppoe-tags.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import { authenticationMethods } from "./authentication-methods.ts";
import type { Carrier } from "./carrier.ts";
import { type EndCause, endCause, publicText } from "./cause.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { PppoeOriginView } from "./views.ts";

const PPP_PROTOCOL_BYTES = 2;
/** The largest PPP packet without PPP-Max-Payload (RFC 2516 §7). */
const PPPOE_MRU_BYTES = 1492;

type SessionRequest = Extract<AccessConcentratorOutput, { kind: "session-requested" }>;

/** Who makes sessions of carriers. */
export interface SessionMaker {
  newSession(carrier: Carrier, authentication: readonly AuthenticationMethod[], maxMruBytes: number): Session;
}

/** What is there while the interface is. */
interface OpenLine {
  readonly link: LinkInfo;
  readonly frames: FramePort;
  readonly port: PortId;
  readonly concentrator: AccessConcentrator;
  /** By PPPoE session id. */
  readonly sessions: Map<number, PppoeCarrier>;
}

/**
 * One interface on which subscribers call by PPPoE. It opens when its interface appears, by name; from then on
 * it is bound to the ifindex, so that a rename changes nothing; it ends its sessions when that is gone.
 */
export class AccessLine {
  readonly config: AccessConfig;
  readonly #around: Surroundings;
  readonly #maker: SessionMaker;
  #open: OpenLine | undefined;
  #linkSpeed: number | undefined;
  #opening = false;
  #stopped = false;

  constructor(config: AccessConfig, around: Surroundings, maker: SessionMaker) {
    this.config = config;
    this.#around = around;
    this.#maker = maker;
  }

  get port(): PortId | undefined {
    return this.#open?.port;
  }

  /** What the interface runs at, bit/s. */
  get linkSpeed(): number | undefined {
    return this.#linkSpeed;
  }

  /** The discovery counters, for `show counters`; empty while the interface is away. */
  counters(): Readonly<Record<string, number>> {
    if (this.#open === undefined) return {};
    const { discarded, ...counts } = this.#open.concentrator.counters();
    return { ...counts, ...prefixed("discarded", discarded) };
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
      const concentrator = this.#concentrator(link);
      frames.onFrame((frame) => this.#input(concentrator.receive(clock.now(), frame)));
      logger.info(
        { interface: name, ifindex, mtu: mtuBytes },
        "access interface open: PPPoE calls are answered",
      );
      return { link, frames, port, concentrator, sessions: new Map() };
    } catch (error) {
      await dataplane.closePort(port);
      throw error;
    }
  }

  /** No new calls; sessions go on until they are ended. */
  stopAnswering(): void {
    this.#stopped = true;
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
    await Promise.all(ends);
    open.frames.close();
    await this.#around.dataplane.closePort(open.port);
  }

  /** The last act of a gateway that stops: its sessions have been ended before. */
  async close(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#around.scheduler.remove(this);
    open.frames.close();
    await this.#around.dataplane.closePort(open.port);
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

  heard(_sessionId: number): void {}

  established(_sessionId: number): void {}

  /** PADT, unless the subscriber said so himself. */
  hangUp(sessionId: number, text: string): void {
    if (this.#open === undefined) return;
    this.#input(this.#open.concentrator.close(this.#around.clock.now(), sessionId, text));
  }

  released(sessionId: number): void {
    if (this.#open === undefined) return;
    this.#open.sessions.delete(sessionId);
    this.#open.concentrator.ended(this.#around.clock.now(), sessionId);
  }

  #concentrator(link: LinkInfo): AccessConcentrator {
    const { config, around } = { config: this.config, around: this.#around };
    return new AccessConcentrator(
      {
        acName: config.acName ?? around.config.name,
        localMac: link.mac,
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
          // under tags less may fit: LCP then says so
          maxPayloadBytes: Math.min(largestMru(link.mtuBytes, []), config.mruBytes),
        },
      },
      around.random,
    );
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
        open.frames.send(output.frame);
        return;
      case "session-requested":
        this.#admit(open, output);
        return;
      case "session-closed": {
        const carrier = open.sessions.get(output.sessionId);
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
      this.#input(open.concentrator.refuse(clock.now(), request.sessionId, "going down"));
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
      open.sessions.set(request.sessionId, carrier);
      const session = this.#maker.newSession(
        carrier,
        authenticationMethods(this.config.authentication),
        carrier.mruBytes,
      );
      carrier.session = session;
      this.#input(open.concentrator.confirm(clock.now(), request.sessionId));
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
      this.#input(open.concentrator.refuse(clock.now(), request.sessionId, "no resources"));
    }
  }
}

/** A PPPoE session of an access line. */
class PppoeCarrier implements Carrier {
  readonly kind = "pppoe";
  readonly channel: ChannelId;
  readonly serviceName: string;
  readonly accessLine: WireAccessLine | undefined;
  readonly portName: string;
  readonly vlanIds: readonly number[];
  readonly mac: string;
  readonly linkSpeed: number | undefined;
  readonly callingNumber: string;
  readonly mruBytes: number;
  readonly logFields: LogFields;
  session: Session | undefined;
  /** The subscriber ended it himself: he is told nothing. */
  toldByPeer = false;
  /** The interface is gone: nobody can be told. */
  lost = false;
  readonly #line: AccessLine;
  readonly #around: Surroundings;
  readonly #peer: PeerId;
  readonly #view: PppoeOriginView;

  constructor(
    line: AccessLine,
    around: Surroundings,
    request: SessionRequest,
    channel: ChannelId,
    peer: PeerId,
    mruBytes: number,
  ) {
    const mac = formatMac(request.remoteMac);
    const vlans = request.tags.map(vlanId);
    this.#line = line;
    this.#around = around;
    this.#peer = peer;
    this.channel = channel;
    this.serviceName = request.serviceName;
    this.accessLine = request.line;
    this.portName = line.config.interface;
    this.vlanIds = vlans;
    this.mac = mac;
    this.linkSpeed = line.linkSpeed;
    this.callingNumber = request.line?.circuitId ?? mac;
    this.mruBytes = mruBytes;
    this.logFields = {
      interface: line.config.interface,
      mac,
      ...(vlans.length > 0 && { vlans: vlans.join(".") }),
      ...(request.line?.circuitId !== undefined && { line: request.line.circuitId }),
      pppoeSession: request.sessionId,
    };
    this.#view = {
      kind: "pppoe",
      interface: line.config.interface,
      mac,
      vlans,
      pppoeSessionId: request.sessionId,
      serviceName: request.serviceName,
    };
  }

  heard(): void {
    this.#line.heard(this.#view.pppoeSessionId);
  }

  opened(): void {
    this.#line.established(this.#view.pppoeSessionId);
  }

  view(): PppoeOriginView {
    return this.#view;
  }

  hangUp(cause: EndCause): void {
    if (!this.toldByPeer && !this.lost) this.#line.hangUp(this.#view.pppoeSessionId, publicText(cause));
  }

  async released(): Promise<void> {
    await this.#around.dataplane.removePeer(this.#peer);
    if (!this.lost) this.#line.released(this.#view.pppoeSessionId);
  }
}

/** The largest IP packet that goes to a subscriber under these tags. */
function largestMru(mtuBytes: number, tags: readonly VlanTag[]): number {
  return largestPppFrame(mtuBytes, tags) - PPP_PROTOCOL_BYTES;
}

function prefixed(prefix: string, counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [`${prefix}.${name}`, count]));
}
