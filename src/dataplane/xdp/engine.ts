import type {
  AttachSpec,
  ChannelCounters,
  ChannelId,
  ChannelSpec,
  Dataplane,
  DropReason,
  EngineInterface,
  HeldFrame,
  L2tpSequencing,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  PreallocatedMemory,
  Punt,
  TapSpec,
  TapTotals,
  UnitId,
  UnitQueues,
  UnitSpec,
  WorkerFigures,
} from "../../channel/dataplane.ts";
import { DROP_REASONS } from "../../channel/dataplane.ts";
import type { LoopEngine } from "../loop/threaded-loop.ts";
import type { TapSink } from "../taps.ts";
import { Mirror, type ProgramParts } from "./mirror.ts";
import type { Channel } from "./records.ts";
import { programMemory } from "./sizes.ts";

/** Of the program: what it does not take, the loop judges. */
const NO_DROPS = Object.fromEntries(DROP_REASONS.map((reason) => [reason, 0])) as Record<DropReason, number>;

/**
 * The program in the kernel above the engine beneath, which runs as ever: each call is its first, and whatever the
 * program does not take it gets. A bridge is carried by the program once the one beneath stands, so that held frames
 * leave first; it is taken from the program in the same turn as beneath, and the call completes when both have.
 */
export class XdpDataplane implements Dataplane {
  readonly engine = "xdp";
  readonly preallocated: PreallocatedMemory;
  readonly #beneath: LoopEngine;
  readonly #mirror: Mirror;

  constructor(beneath: LoopEngine, parts: ProgramParts) {
    const program = programMemory(parts.sizes, parts.program.cpus);
    const { bytes, bytesPerChannel } = beneath.preallocated;
    this.preallocated = {
      bytes: bytes + program.bytes,
      bytesPerChannel: bytesPerChannel + program.bytesPerChannel,
    };
    this.#beneath = beneath;
    this.#mirror = new Mirror(parts, (channel) => beneath.numbersSent(channel));
  }

  interfaces(): readonly EngineInterface[] {
    return this.#mirror.interfaces();
  }

  /** Of the loop beneath; the kernel runs the program wherever frames come in. */
  async setWorkers(workers: number | "auto"): Promise<void> {
    await this.#beneath.setWorkers?.(workers);
  }

  get mostWorkers(): number {
    return this.#beneath.mostWorkers ?? 1;
  }

  reconsider(): void {
    this.#beneath.reconsider?.();
    this.#mirror.reconsider();
  }

  onPunt(handler: (punt: Punt) => void): void {
    this.#beneath.onPunt(handler);
  }

  async openPort(spec: PortSpec): Promise<PortId> {
    const port = await this.#beneath.openPort(spec);
    this.#mirror.openPort(port, spec);
    return port;
  }

  async closePort(port: PortId): Promise<void> {
    const closed = this.#mirror.port(port);
    await this.#beneath.closePort(port);
    // by now somebody else may have the id
    if (closed !== undefined) this.#mirror.closePort(port, closed);
  }

  addPeer(spec: PeerSpec): PeerId {
    const peer = this.#beneath.addPeer(spec);
    this.#mirror.addPeer(peer, spec);
    return peer;
  }

  updatePeer(peer: PeerId, spec: PeerSpec): void {
    this.#beneath.updatePeer(peer, spec);
    this.#mirror.updatePeer(peer, spec);
  }

  async removePeer(peer: PeerId): Promise<void> {
    const removed = this.#mirror.peer(peer);
    await this.#beneath.removePeer(peer);
    // by now somebody else may have the id
    if (removed !== undefined) this.#mirror.removePeer(peer, removed);
  }

  addChannel(spec: ChannelSpec): ChannelId {
    const channel = this.#beneath.addChannel(spec);
    this.#mirror.addChannel(channel, spec);
    return channel;
  }

  async closeChannel(channel: ChannelId): Promise<void> {
    const closed = this.#mirror.channel(channel);
    const passed = closed === undefined ? undefined : this.#mirror.closeChannel(closed);
    await Promise.all([this.#beneath.closeChannel(channel), passed]);
  }

  setSequencing(channel: ChannelId, sequencing: L2tpSequencing): void {
    this.#beneath.setSequencing(channel, sequencing);
    this.#mirror.setSequencing(channel, sequencing);
  }

  async bridge(a: ChannelId, b: ChannelId, held: readonly HeldFrame[] = []): Promise<void> {
    const [first, second] = [this.#mirror.channel(a), this.#mirror.channel(b)];
    const changes = changesOf(first) + changesOf(second);
    await this.#beneath.bridge(a, b, held);
    if (first === undefined || second === undefined) return;
    // either has been unbridged or closed meanwhile
    if (changesOf(first) + changesOf(second) !== changes) return;
    this.#mirror.join(first, second);
  }

  async unbridge(channel: ChannelId): Promise<void> {
    const parted = this.#mirror.channel(channel);
    const passed = parted === undefined ? undefined : this.#mirror.part(parted);
    await Promise.all([this.#beneath.unbridge(channel), passed]);
  }

  createUnit(spec: UnitSpec): Promise<UnitId> {
    return this.#beneath.createUnit(spec);
  }

  unitQueues(unit: UnitId): UnitQueues | undefined {
    return this.#beneath.unitQueues?.(unit);
  }

  closeUnit(unit: UnitId): Promise<void> {
    return this.#beneath.closeUnit(unit);
  }

  async attach(channel: ChannelId, spec: AttachSpec): Promise<void> {
    const attached = this.#mirror.channel(channel);
    const left = attached === undefined ? undefined : this.#mirror.hasLeft(attached);
    await Promise.all([this.#beneath.attach(channel, spec), left]);
  }

  detach(channel: ChannelId): Promise<void> {
    return this.#beneath.detach(channel);
  }

  inject(channel: ChannelId, frame: Uint8Array): void {
    this.#beneath.inject(channel, frame);
  }

  sendControl(...message: Parameters<Dataplane["sendControl"]>): void {
    this.#beneath.sendControl(...message);
  }

  injectPacket(unit: UnitId, packet: Uint8Array): void {
    this.#beneath.injectPacket(unit, packet);
  }

  tap(channel: ChannelId, spec: TapSpec, sink: TapSink): void {
    this.#beneath.tap(channel, spec, sink);
    this.#setTapped(channel, true);
  }

  untap(channel: ChannelId): Promise<TapTotals> {
    const tapped = this.#beneath.tapTotals(channel) !== undefined;
    const ended = this.#beneath.untap(channel);
    if (tapped) this.#setTapped(channel, false);
    return ended;
  }

  tapTotals(channel: ChannelId): TapTotals | undefined {
    return this.#beneath.tapTotals(channel);
  }

  counters(channel: ChannelId): ChannelCounters {
    const beneath = this.#beneath.counters(channel);
    const record = this.#mirror.channel(channel);
    if (record === undefined) return beneath;
    const { counters } = this.#mirror;
    const { totals, slot, to } = record;
    // what the other end has received was sent here
    const other = to?.slot ?? 0;
    return {
      framesIn: beneath.framesIn + totals.framesIn + counters.frames(slot),
      octetsIn: beneath.octetsIn + totals.octetsIn + counters.octets(slot),
      framesOut: beneath.framesOut + totals.framesOut + counters.frames(other),
      octetsOut: beneath.octetsOut + totals.octetsOut + counters.octets(other),
    };
  }

  framesIn(channel: ChannelId): number {
    return this.#beneath.framesIn(channel) + this.#mirror.framesIn(this.#mirror.channel(channel));
  }

  userFrames(channel: ChannelId): number {
    const record = this.#mirror.channel(channel);
    return (
      this.#beneath.userFrames(channel) +
      this.#mirror.userFramesIn(record) +
      this.#mirror.userFramesIn(record?.to)
    );
  }

  framesFrom(peer: PeerId): number {
    return this.#beneath.framesFrom(peer) + this.#mirror.framesFrom(peer);
  }

  /** The program drops nothing. */
  drops(): Readonly<Record<DropReason, number>> {
    return this.#beneath.drops();
  }

  async workerFigures(): Promise<readonly WorkerFigures[]> {
    const threads = (await this.#beneath.workerFigures?.()) ?? [];
    const program: WorkerFigures = {
      engine: this.engine,
      worker: "program",
      running: this.interfaces().some(({ mode }) => mode !== undefined),
      deaths: 0,
      frames: await this.#mirror.framesForwarded(),
      punts: 0,
      drops: NO_DROPS,
    };
    return [...threads, program];
  }

  async close(): Promise<void> {
    this.#mirror.close();
    await this.#beneath.close();
  }

  #setTapped(channel: ChannelId, tapped: boolean): void {
    const record = this.#mirror.channel(channel);
    if (record !== undefined) this.#mirror.setTapped(record, tapped);
  }
}

function changesOf(channel: Channel | undefined): number {
  return channel?.changes ?? 0;
}
