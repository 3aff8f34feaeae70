import { availableParallelism } from "node:os";
import { type Logger, silentLogger } from "../../base/logger.ts";
import type {
  AttachSpec,
  ChannelCounters,
  ChannelId,
  ChannelSpec,
  DropReason,
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
import { DataplaneError } from "../../channel/errors.ts";
import type { Addon } from "../../io/addon.ts";
import { addon } from "../../io/native.ts";
import { Registry } from "../registry.ts";
import { checkDscp } from "../specs.ts";
import type { TapSink } from "../taps.ts";
import { PEER_MAX } from "./channel-link.ts";
import { INDEX_MAX } from "./channel-word.ts";
import { ControlSender } from "./control-sender.ts";
import { Crew, type Opened, type Opening } from "./crew.ts";
import { openAccessPort, openTunnelPort } from "./descriptors.ts";
import { Grace } from "./grace.ts";
import { type Failing, LaneFailures } from "./lane-failures.ts";
import { LoopTaps } from "./loop-taps.ts";
import { preallocatedMemory } from "./memory.ts";
import { DEFAULT_LOOP_OPTIONS, type LoopOptions, tableSizesOf, workersOf } from "./options.ts";
import { PuntDelivery } from "./punt-delivery.ts";
import { PuntReader } from "./punt-reader.ts";
import { Readings } from "./readings.ts";
import { TableWriter } from "./table-writer.ts";
import { type TableSizes, Tables } from "./tables.ts";
import type { ThreadedLoop } from "./threaded-loop.ts";
import { DeviceSetup, type UnitDevice } from "./unit-device.ts";
import { loopFigures } from "./worker-figures.ts";
import { XskSenders } from "./xsk-senders.ts";

/** What a port or unit has open. */
interface Descriptors extends Failing {
  readonly opened: Opened;
  /** None once the engine has closed them. */
  fds: readonly number[];
}

interface UnitDescriptors extends Descriptors {
  readonly queues: UnitQueues;
}

/** The forwarding loop: the control plane's side of it. Make one with startLoopDataplane(). */
class LoopDataplane implements ThreadedLoop {
  readonly engine = "loop";
  readonly preallocated: PreallocatedMemory;
  readonly #addon: Addon;
  readonly #options: LoopOptions;
  readonly #xskSenders: XskSenders;
  readonly #tables: Tables;
  readonly #readings: Readings;
  readonly #registry: Registry;
  readonly #grace: Grace;
  readonly #writer: TableWriter;
  readonly #sender: ControlSender;
  readonly #devices: DeviceSetup;
  readonly #punts: PuntDelivery;
  readonly #taps: LoopTaps;
  readonly #failures: LaneFailures;
  readonly #crew: Crew;
  readonly #ports = new Map<PortId, Descriptors>();
  readonly #units = new Map<UnitId, UnitDescriptors>();
  readonly #doorbell: number;
  readonly #closers: (() => void)[] = [];
  #closed = false;
  #closing: Promise<void> | undefined;

  constructor(
    addon: Addon,
    options: LoopOptions,
    sizes: TableSizes,
    tables: SharedArrayBuffer,
    logger: Logger,
  ) {
    this.#addon = addon;
    this.#options = options;
    this.#xskSenders = new XskSenders(addon, options, logger);
    this.preallocated = preallocatedMemory(options, sizes);
    this.#tables = Tables.view(sizes, tables);
    this.#readings = new Readings(this.#tables, () => this.#crew.everRan);
    this.#registry = new Registry(sizes);
    this.#grace = new Grace(this.#tables, () => this.#punts.drainAll());
    this.#writer = new TableWriter(this.#tables, this.#grace);
    this.#taps = new LoopTaps(this.#registry, this.#writer, this.#grace, sizes.workers);
    this.#sender = new ControlSender(addon, this.#tables, this.#registry, this.#taps);
    this.#devices = new DeviceSetup(addon, sizes.workers);
    this.#punts = new PuntDelivery(new PuntReader(this.#tables, this.#registry), this.#sender);
    this.#doorbell = addon.openEvent();
    const watcher = addon.watch(this.#doorbell, () => this.#ring());
    this.#closers.push(
      () => watcher.close(),
      () => addon.close(this.#doorbell),
    );
    this.#failures = new LaneFailures(this.#ports, this.#units, this.#registry, this.#devices, this.#punts);
    this.#crew = new Crew(
      addon,
      this.#tables,
      this.#grace,
      this.#punts,
      this.#taps,
      { sizes, tables, doorbell: this.#doorbell, options },
      {
        laneFailed: (source, errno) => this.#failures.report(source, errno),
        restarted: (reason) => this.#report({ kind: "worker-restarted", reason }),
        down: (reason) => this.#report({ kind: "engine-down", reason }),
      },
      () => performance.now(),
    );
  }

  get workers(): number {
    return this.#crew.size;
  }

  get mostWorkers(): number {
    return this.#tables.sizes.workers;
  }

  async setWorkers(workers: number | "auto"): Promise<void> {
    const wanted = workersOf(workers);
    // "auto" is what suits, and that includes what there is room for
    await this.#crew.resize(workers === "auto" ? Math.min(wanted, this.mostWorkers) : wanted);
    this.reconsider();
  }

  reconsider(): void {
    if (!this.#closed) this.#xskSenders.resize(this.#crew.size);
  }

  onPunt(handler: (punt: Punt) => void): void {
    this.#punts.onPunt(handler);
  }

  async openPort(spec: PortSpec): Promise<PortId> {
    this.#checkOpen();
    const port = this.#registry.addPort(spec);
    const fds: number[] = [];
    let opened: Opened | undefined;
    try {
      const opening = this.#crew.open(this.#openPort(port, spec, fds));
      opened = await this.#failures.whileOpening({ port }, opening);
      this.#checkOpen();
    } catch (error) {
      this.#registry.removePort(port);
      await this.#abandonPort(port, opened, fds);
      throw error;
    }
    this.#ports.set(port, { opened, fds, failed: false });
    this.#sender.openPort(
      port,
      opened.outlets.map(({ fds }) => fds[0]!),
    );
    if (spec.kind === "ethernet") this.#xskSenders.open(port, spec, opened.outlets[0]!.fds, this.#crew.size);
    return port;
  }

  async closePort(port: PortId): Promise<void> {
    this.#registry.removePort(port);
    const { opened, fds } = this.#ports.get(port)!;
    this.#ports.delete(port);
    this.#sender.closePort(port);
    this.#xskSenders.close(port);
    await this.#abandonPort(port, opened, fds);
  }

  addPeer(spec: PeerSpec): PeerId {
    this.#checkOpen();
    const peer = this.#registry.addPeer(spec);
    orUndo(
      () => this.#writer.addPeer(peer, spec, this.#registry.port(spec.port).spec),
      () => {
        this.#registry.removePeer(peer);
        this.#registry.release("peers", peer);
      },
    );
    return peer;
  }

  updatePeer(peer: PeerId, spec: PeerSpec): void {
    this.#checkOpen();
    const { spec: before } = this.#registry.peer(peer);
    this.#registry.updatePeer(peer, spec);
    orUndo(
      () => this.#writer.setPeer(peer, spec, this.#registry.port(spec.port).spec),
      () => this.#registry.updatePeer(peer, before),
    );
  }

  async removePeer(peer: PeerId): Promise<void> {
    this.#registry.removePeer(peer);
    this.#writer.removePeer(peer);
    await this.#settled();
    this.#registry.release("peers", peer);
  }

  addChannel(spec: ChannelSpec): ChannelId {
    this.#checkOpen();
    const channel = this.#registry.addChannel(spec);
    orUndo(
      () => this.#writer.addChannel(channel, spec, this.#registry.peer(spec.peer).spec.port),
      () => {
        this.#registry.removeChannel(channel);
        this.#registry.release("channels", channel);
      },
    );
    return channel;
  }

  setSequencing(channel: ChannelId, sequencing: L2tpSequencing): void {
    this.#checkOpen();
    this.#registry.checkL2tp(channel);
    this.#writer.setSequencing(channel, sequencing);
  }

  numbersSent(channel: ChannelId): boolean {
    this.#registry.checkL2tp(channel);
    return this.#readings.numbersSent(channel);
  }

  async closeChannel(channel: ChannelId): Promise<void> {
    const { spec, state } = this.#registry.removeChannel(channel);
    if (state.kind === "attached") this.#writer.detach(channel);
    this.#taps.closing(channel);
    this.#writer.closeChannel(channel, spec, this.#registry.peer(spec.peer).spec.port);
    if (state.kind === "bridged") this.#writer.unbridge(state.to);
    await this.#settled();
    this.#registry.release("channels", channel);
  }

  async bridge(a: ChannelId, b: ChannelId, held: readonly HeldFrame[] = []): Promise<void> {
    this.#checkOpen();
    this.#registry.bridge(a, b, held);
    for (const { channel, frame } of held) this.#sender.frame(channel, frame);
    this.#sender.flush();
    this.#writer.bridge(a, b);
    await this.#settled();
  }

  async unbridge(channel: ChannelId): Promise<void> {
    const other = this.#registry.unbridge(channel);
    this.#writer.unbridge(channel);
    this.#writer.unbridge(other);
    await this.#settled();
  }

  async createUnit(spec: UnitSpec): Promise<UnitId> {
    this.#checkOpen();
    const unit = this.#registry.addUnit(spec);
    let device: UnitDevice | undefined;
    let opened: Opened | undefined;
    try {
      device = await this.#devices.open(spec);
      this.#checkOpen();
      this.#writer.addUnit(unit, spec);
      const opening = this.#crew.open(unitOpening(unit, device));
      opened = await this.#failures.whileOpening({ unit }, opening);
      this.#checkOpen();
    } catch (error) {
      this.#registry.removeUnit(unit);
      await this.#abandonUnit(unit, opened, device?.fds ?? []);
      throw error;
    }
    const { fds, refusal } = device;
    const queues = { count: fds.length, ...(refusal !== undefined && { refusal }) };
    this.#units.set(unit, { opened, fds, queues, failed: false });
    this.#sender.openUnit(unit, fds[0]!);
    return unit;
  }

  unitQueues(unit: UnitId): UnitQueues {
    this.#registry.unit(unit);
    return this.#units.get(unit)!.queues;
  }

  async closeUnit(unit: UnitId): Promise<void> {
    this.#registry.removeUnit(unit);
    const { opened, fds } = this.#units.get(unit)!;
    this.#units.delete(unit);
    this.#sender.closeUnit(unit);
    await this.#abandonUnit(unit, opened, fds);
  }

  async attach(channel: ChannelId, spec: AttachSpec): Promise<void> {
    this.#checkOpen();
    this.#registry.attach(channel, spec);
    this.#sender.flush();
    orUndo(
      () => this.#writer.attach(channel, spec, this.#registry.unit(spec.unit).spec),
      () => this.#registry.detach(channel),
    );
    await this.#settled();
  }

  async detach(channel: ChannelId): Promise<void> {
    this.#registry.detach(channel);
    this.#writer.detach(channel);
    await this.#settled();
  }

  inject(channel: ChannelId, frame: Uint8Array): void {
    this.#checkOpen();
    this.#registry.channel(channel);
    this.#sender.frame(channel, frame);
  }

  sendControl(
    port: PortId,
    remoteAddress: string,
    remotePort: number,
    datagram: Uint8Array,
    localAddress?: string,
    dscp?: number,
  ): void {
    this.#checkOpen();
    this.#registry.port(port);
    checkDscp(dscp);
    this.#sender.control(port, remoteAddress, remotePort, datagram, localAddress, dscp);
  }

  injectPacket(unit: UnitId, packet: Uint8Array): void {
    this.#checkOpen();
    this.#registry.unit(unit);
    this.#sender.packet(unit, packet);
  }

  tap(channel: ChannelId, spec: TapSpec, sink: TapSink): void {
    this.#checkOpen();
    this.#taps.tap(channel, spec, sink);
  }

  untap(channel: ChannelId): Promise<TapTotals> {
    return this.#taps.untap(channel);
  }

  tapTotals(channel: ChannelId): TapTotals | undefined {
    return this.#taps.totals(channel);
  }

  counters(channel: ChannelId): ChannelCounters {
    this.#registry.channel(channel);
    return this.#readings.counters(channel);
  }

  framesIn(channel: ChannelId): number {
    this.#registry.channel(channel);
    return this.#readings.framesIn(channel);
  }

  userFrames(channel: ChannelId): number {
    const { state } = this.#registry.channel(channel);
    const received = this.#readings.userFramesIn(channel);
    return state.kind === "bridged"
      ? received + this.#readings.userFramesIn(state.to)
      : received + this.#readings.forwardedOut(channel);
  }

  framesFrom(peer: PeerId): number {
    this.#registry.peer(peer);
    return this.#readings.framesFrom(peer);
  }

  drops(): Readonly<Record<DropReason, number>> {
    return this.#readings.drops();
  }

  async workerFigures(): Promise<readonly WorkerFigures[]> {
    return loopFigures({ crew: this.#crew, readings: this.#readings, punts: this.#punts }, !this.#closed);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#closed = true;
    this.#failures.close();
    this.#punts.close();
    // who still waits for a change need not wait for any of them
    await this.#crew.end();
    for (const fd of takeDescriptors(this.#ports)) this.#addon.close(fd);
    await this.#devices.remove(takeDescriptors(this.#units));
    await this.#devices.close();
    for (const close of this.#closers) close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new DataplaneError("closed", "the data plane is closed");
  }

  /** Opens what a port needs, into `fds`. */
  #openPort(port: PortId, spec: PortSpec, fds: number[]): Opening {
    const lanes = this.#tables.sizes.workers;
    if (spec.kind === "udp")
      return openTunnelPort(this.#addon, port, spec, lanes, this.#options, this.#tables.sizes, fds);
    return openAccessPort(this.#addon, port, spec, lanes, this.#options, fds);
  }

  async #abandonPort(port: PortId, opened: Opened | undefined, fds: readonly number[]): Promise<void> {
    if (opened !== undefined) await this.#crew.close(opened);
    for (const fd of fds) this.#addon.close(fd);
    this.#registry.release("ports", port);
  }

  async #abandonUnit(unit: UnitId, opened: Opened | undefined, fds: readonly number[]): Promise<void> {
    if (opened !== undefined) await this.#crew.close(opened);
    await this.#devices.remove(fds);
    this.#registry.release("units", unit);
  }

  /**
   * Resolves when every change so far holds in every worker, and what was punted before has been delivered,
   * forwarded or counted.
   */
  #settled(): Promise<void> {
    return this.#grace.settled();
  }

  #ring(): void {
    this.#addon.drain(this.#doorbell);
    this.#grace.check();
    this.#punts.drain();
    this.#taps.drain();
  }

  #report(punt: Punt): void {
    if (!this.#closed) this.#punts.deliver(punt);
  }
}

function unitOpening(unit: UnitId, { fds, segmentsUdp }: UnitDevice): Opening {
  return {
    outlets: [{ key: { kind: "unit", unit, segmentsUdp }, fds }],
    lanes: fds.map((fd, i) => ({ source: { medium: "unit", unit }, fd, share: unit + i })),
  };
}

/** Does what the registry has agreed to; when there is no room for it, the registry is as it was before. */
function orUndo(change: () => void, undo: () => void): void {
  try {
    change();
  } catch (error) {
    undo();
    throw error;
  }
}

/** What is open; who closes a port or unit later finds nothing to close. */
function takeDescriptors(of: ReadonlyMap<number, Descriptors>): number[] {
  return [...of.values()].flatMap((descriptors) => {
    const { fds } = descriptors;
    descriptors.fds = [];
    return fds;
  });
}

/**
 * Starts the loop engine. `options` replaces single defaults; `logger` is told what a port does without. Rejects, with nothing left open, when a thread cannot
 * start: the addon or the compiled worker is missing, or there is no memory.
 */
export async function startLoopDataplane(
  options: Partial<LoopOptions> = {},
  logger: Logger = silentLogger,
): Promise<ThreadedLoop> {
  const all = { ...DEFAULT_LOOP_OPTIONS, ...options };
  if (all.maxChannels > INDEX_MAX / 2)
    throw new DataplaneError("bad-spec", `${all.maxChannels} channels are more than ${INDEX_MAX >>> 1}`);
  if (all.maxPeers > PEER_MAX)
    throw new DataplaneError("bad-spec", `${all.maxPeers} peers are more than ${PEER_MAX}`);
  const sizes = tableSizesOf(all, availableParallelism());
  const tables = Tables.allocate(sizes);
  const dataplane = new LoopDataplane(addon, all, sizes, tables, logger);
  try {
    await dataplane.setWorkers(all.workers);
  } catch (error) {
    await dataplane.close();
    throw error;
  }
  return dataplane;
}
