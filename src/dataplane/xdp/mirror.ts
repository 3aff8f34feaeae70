import { setImmediate as otherWork } from "node:timers/promises";
import type { IdPool } from "../../base/ids.ts";
import type { Logger } from "../../base/logger.ts";
import type {
  ChannelId,
  ChannelSpec,
  EngineInterface,
  L2tpSequencing,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
} from "../../channel/dataplane.ts";
import type { UdpNextHops } from "../../io/clear-next-hops.ts";
import type { LinkFeatures } from "../../io/link-features.ts";
import type { XdpProgram, XdpSizes } from "../../io/xdp.ts";
import { numbers } from "../numbers.ts";
import { Bridges } from "./bridges.ts";
import { Interfaces, type ModePolicy } from "./interfaces.ts";
import { Peers } from "./peers.ts";
import { ProgramCounters } from "./program-counters.ts";
import type { Channel, Peer, Port } from "./records.ts";
import { SharedGrace } from "./shared-grace.ts";

/** Channels that are read before others get their turn: well below a millisecond's worth. */
const SLICE = 1000;

/** What the program lives on. */
export interface ProgramParts {
  readonly program: XdpProgram;
  readonly sizes: XdpSizes;
  readonly hops: UdpNextHops;
  readonly features: LinkFeatures;
  readonly mode: ModePolicy;
  readonly logger: Logger;
}

/**
 * Ports, peers, channels and bridges of the engine beneath, and of them in the program's tables what it can forward.
 * Every method takes what the engine beneath has agreed to; none of them waits.
 */
export class Mirror {
  readonly counters: ProgramCounters;
  readonly #parts: ProgramParts;
  readonly #numbersSent: (channel: ChannelId) => boolean;
  readonly #grace: SharedGrace;
  readonly #interfaces: Interfaces;
  readonly #peers: Peers;
  readonly #bridges: Bridges;
  readonly #portNumbers: IdPool;
  readonly #ports = new Map<PortId, Port>();
  readonly #peerRecords: (Peer | undefined)[] = [];
  readonly #channels: (Channel | undefined)[] = [];
  #ended = false;

  /** `numbersSent`: whether the engine beneath numbers at the moment what it sends on an L2TP channel. */
  constructor(parts: ProgramParts, numbersSent: (channel: ChannelId) => boolean) {
    const { program, sizes, hops, features, mode, logger } = parts;
    this.#parts = parts;
    this.#numbersSent = numbersSent;
    this.counters = new ProgramCounters(program, sizes.channels);
    this.#grace = new SharedGrace(
      () => program.synchronize(),
      (error) => this.#failed(error),
    );
    this.#interfaces = new Interfaces(program, features, mode, logger, () => this.#reached());
    this.#peers = new Peers(program.tables, this.#grace, this.#interfaces, hops, logger);
    this.#bridges = new Bridges(program.tables, this.counters, this.#grace, this.#peers, logger);
    this.#portNumbers = numbers(sizes.ports);
  }

  interfaces(): readonly EngineInterface[] {
    return this.#interfaces.list();
  }

  /** Interfaces on which the program could not be native are tried again. */
  reconsider(): void {
    if (!this.#ended) this.#interfaces.askAgain();
  }

  openPort(id: PortId, spec: PortSpec): void {
    if (spec.kind === "udp") {
      this.#ports.set(id, { kind: "udp", spec });
      return;
    }
    const number = this.#portNumbers.take() ?? 0;
    const use =
      number === 0
        ? undefined
        : this.#interfaces.use(spec.ifindex, spec.name, { kind: "access", port: number });
    this.#ports.set(id, { kind: "ethernet", spec, number, use });
  }

  port(id: PortId): Port | undefined {
    return this.#ports.get(id);
  }

  closePort(id: PortId, port: Port): void {
    if (this.#ports.get(id) === port) this.#ports.delete(id);
    if (port.kind === "udp" || port.use === undefined) return;
    port.use.close();
    this.#grace.after(this.#grace.ticket(), () => this.#portNumbers.release(port.number));
  }

  addPeer(id: PeerId, spec: PeerSpec): void {
    const port = this.#ports.get(spec.port)!;
    const state = { channels: [], framesOfClosed: 0 };
    if (spec.kind === "ethernet" && port.kind === "ethernet")
      this.#peerRecords[id] = { ...state, kind: "ethernet", port, spec };
    else if (spec.kind === "udp" && port.kind === "udp") {
      const unknown = { number: 0, slot: 0, watch: undefined, hop: undefined, use: undefined };
      this.#peerRecords[id] = { ...state, ...unknown, kind: "udp", port, spec };
    }
  }

  updatePeer(id: PeerId, spec: PeerSpec): void {
    const peer = this.peer(id)!;
    if (peer.kind === "ethernet" && spec.kind === "ethernet") {
      peer.spec = spec;
      this.#reinstall(peer);
    } else if (peer.kind === "udp" && spec.kind === "udp") this.#peers.update(peer, spec);
  }

  removePeer(id: PeerId, peer: Peer): void {
    if (peer.kind === "udp") this.#peers.remove(peer);
    if (this.#peerRecords[id] === peer) this.#peerRecords[id] = undefined;
  }

  peer(id: PeerId): Peer | undefined {
    return this.#peerRecords[id];
  }

  addChannel(id: ChannelId, spec: ChannelSpec): void {
    const peer = this.peer(spec.peer)!;
    const totals = { framesIn: 0, octetsIn: 0, controlFramesIn: 0, framesOut: 0, octetsOut: 0 };
    const state = { id, to: undefined, changes: 0, tapped: false, slot: 0, left: 0, closed: false, totals };
    if (spec.kind === "pppoe" && peer.kind === "ethernet")
      this.#channels[id] = { ...state, kind: "pppoe", peer, spec };
    else if (spec.kind === "l2tp" && peer.kind === "udp") {
      const sequencing = spec.sequencing ?? "follow";
      const position = peer.channels.length;
      const channel = { ...state, kind: "l2tp", peer, spec, sequencing, position } as const;
      peer.channels.push(channel);
      this.#channels[id] = channel;
    }
  }

  channel(id: ChannelId): Channel | undefined {
    return this.#channels[id];
  }

  /** As part(), and the channel's id may be another one's from now on. */
  closeChannel(channel: Channel): Promise<void> | undefined {
    const passed = this.part(channel);
    channel.closed = true;
    this.#channels[channel.id] = undefined;
    this.counters.framesOfClosed += channel.totals.framesIn;
    if (channel.kind === "l2tp") {
      const { channels } = channel.peer;
      channel.peer.framesOfClosed += channel.totals.framesIn;
      const last = channels.pop()!;
      if (last !== channel) {
        channels[channel.position] = last;
        last.position = channel.position;
      }
    }
    return passed;
  }

  /** A bridge stands in the engine beneath: from now on the program carries what it can. */
  join(a: Channel, b: Channel): void {
    a.to = b;
    b.to = a;
    this.#installIfPlain(a, b);
  }

  /**
   * The bridge of a channel, if it has one or is about to get one, ends. Resolves when the program does not carry it any
   * more; undefined when it does not anyway.
   */
  part(channel: Channel): Promise<void> | undefined {
    channel.changes += 1;
    const { to } = channel;
    if (to !== undefined) {
      this.#withdraw(channel, to);
      channel.to = undefined;
      to.to = undefined;
    }
    return this.hasLeft(channel);
  }

  /**
   * Resolves when the program works by no bridge any more that a channel had; undefined when that is so. Neither closing
   * nor attaching the channel is complete before, whether somebody waits for the bridge's end or not.
   */
  hasLeft({ left }: Channel): Promise<void> | undefined {
    return this.#grace.isOver(left) ? undefined : this.#grace.passed(left);
  }

  setSequencing(id: ChannelId, sequencing: L2tpSequencing): void {
    const channel = this.channel(id)!;
    if (channel.kind !== "l2tp") return;
    channel.sequencing = sequencing;
    this.#judgeAgain(channel);
  }

  /** The program copies nothing: while either end of a bridge is tapped the loop carries it. */
  setTapped(channel: Channel, tapped: boolean): void {
    channel.tapped = tapped;
    this.#judgeAgain(channel);
  }

  /** Whether the channel's bridge, if it has one, is the program's. */
  #judgeAgain(channel: Channel): void {
    const { to } = channel;
    if (to === undefined) return;
    this.#withdraw(channel, to);
    this.#installIfPlain(channel, to);
  }

  /** Of what the program forwarded. */
  framesIn(channel: Channel | undefined): number {
    return channel === undefined ? 0 : channel.totals.framesIn + this.counters.frames(channel.slot);
  }

  /** Those that are not of PPP control. */
  userFramesIn(channel: Channel | undefined): number {
    if (channel === undefined) return 0;
    const { totals, slot } = channel;
    const control = totals.controlFramesIn + this.counters.controlFrames(slot);
    return totals.framesIn + this.counters.frames(slot) - control;
  }

  /** Since the peer was added. */
  framesFrom(id: PeerId): number {
    const peer = this.peer(id);
    if (peer === undefined) return 0;
    let frames = peer.framesOfClosed;
    for (let i = 0; i < peer.channels.length; i++) frames += this.framesIn(peer.channels[i]);
    return frames;
  }

  /** All frames that the program has forwarded. With many channels it takes a while, and lets others work. */
  async framesForwarded(): Promise<number> {
    let frames = this.counters.framesOfClosed;
    // one that is closed meanwhile still has what it had
    const channels = this.#channels.filter((channel) => channel !== undefined);
    for (const [i, channel] of channels.entries()) {
      if (i % SLICE === SLICE - 1) await otherWork();
      frames += this.framesIn(channel);
    }
    return frames;
  }

  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    const { program, hops, features } = this.#parts;
    hops.close();
    this.#interfaces.end();
    program.close();
    features.close();
    this.#grace.end();
  }

  /**
   * What we send with sequence numbers (RFC 2661 §5.4) must all be numbered by one, and that is the loop: a message that the
   * program sent between two of them would have none, and the peer would take the next for late. The other direction
   * could stay; but who requires our numbers sends his own.
   */
  #installIfPlain(a: Channel, b: Channel): void {
    if (this.#ended || this.#isNumbered(a) || this.#isNumbered(b)) return;
    if (a.tapped || b.tapped || !isReachable(a) || !isReachable(b)) return;
    // an entry says what is sent to a subscriber, or what comes from one
    if (a.kind === "pppoe" && b.kind === "pppoe") return;
    this.#bridges.install(a, b);
    // the peer's first number may have come meanwhile: what comes now the program sees itself
    if (this.#isNumbered(a) || this.#isNumbered(b)) this.#withdraw(a, b);
  }

  /** By what was asked for, or because the peer numbered what came before the program could see it. */
  #isNumbered(channel: Channel): boolean {
    return channel.kind === "l2tp" && (channel.sequencing === "always" || this.#numbersSent(channel.id));
  }

  /** The program is on one more interface: what was left to the loop for that is not any more. */
  #reached(): void {
    for (const peer of this.#peerRecords) if (peer?.kind === "udp") this.#peers.refresh(peer);
    for (const channel of this.#channels)
      if (channel?.to !== undefined && channel.slot === 0) this.#installIfPlain(channel, channel.to);
  }

  /** What a subscriber's frames must look like, both ways, stands in the entries of its channels' bridges. */
  #reinstall(peer: Peer): void {
    for (const channel of this.#channels) {
      if (channel?.peer === peer) this.#judgeAgain(channel);
    }
  }

  #withdraw(a: Channel, b: Channel): void {
    if (a.slot === 0) return;
    const ticket = this.#bridges.withdraw(a, b);
    a.left = ticket;
    b.left = ticket;
  }

  /** Without grace periods nothing can be changed safely: the program goes. */
  #failed(error: unknown): void {
    if (this.#ended) return;
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.logger.error({ reason }, "the program was taken away: the loop forwards everything");
    this.close();
  }
}

/** Frames neither come from nor go to an access port that the program is not on. */
function isReachable({ peer }: Channel): boolean {
  return peer.kind === "udp" || peer.port.use?.attached === true;
}
