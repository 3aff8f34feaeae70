import type { Instant } from "../../src/base/time.ts";
import type {
  AttachSpec,
  ChannelId,
  ChannelSpec,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  Punt,
  UnitId,
} from "../../src/channel/dataplane.ts";
import {
  type DatagramSource,
  MemoryDataplane,
  type Transmission,
} from "../../src/dataplane/memory/engine.ts";
import { Deliveries } from "./deliveries.ts";
import type { FirstIds } from "./first-ids.ts";
import type { Referee } from "./invariants.ts";

/** More than any world needs, and little to allocate for each. */
const LIMITS = { channels: 1024, peers: 1024 };

/** What a data plane holds; all zero when nobody is there, but for ports and the peers of standing tunnels. */
export interface Holdings {
  readonly channels: number;
  readonly ethernetPeers: number;
  readonly udpPeers: number;
  readonly units: number;
}

/**
 * The memory engine with changes that take their time, as those of an engine with workers do, and with books of
 * its own about what there is: the control plane's view must agree with them.
 */
export class SimDataplane extends MemoryDataplane {
  readonly ports = new Map<PortSpec["kind"], PortId>();
  readonly #name: string;
  readonly #referee: Referee;
  readonly #moment: () => Promise<void>;
  readonly #firstIds: FirstIds;
  readonly #deliveries: Deliveries;
  readonly #channels = new Map<ChannelId, string>();
  readonly #peers = new Map<PeerId, PeerSpec>();
  readonly #units = new Set<UnitId>();
  #now: Instant = 0;
  readonly #addresses = new Map<ChannelId, readonly string[]>();

  /** `moment` resolves when a change is complete. */
  constructor(
    name: string,
    { referee, firstIds }: { readonly referee: Referee; readonly firstIds: FirstIds },
    moment: () => Promise<void>,
  ) {
    super(LIMITS);
    this.#referee = referee;
    this.#name = name;
    this.#moment = moment;
    this.#firstIds = firstIds;
    this.#deliveries = new Deliveries(name, referee);
  }

  holdings(): Holdings {
    const kinds = [...this.#peers.values()].map(({ kind }) => kind);
    return {
      channels: this.#channels.size,
      ethernetPeers: kinds.filter((kind) => kind === "ethernet").length,
      udpPeers: kinds.filter((kind) => kind === "udp").length,
      units: this.#units.size,
    };
  }

  /** Tells it the time, for sequenced messages that wait. */
  timeIs(now: Instant): void {
    if (now > this.#now) this.passTime(now - this.#now);
    this.#now = now;
  }

  override receiveFrame(port: PortId, frame: Uint8Array): void {
    this.#deliveries.frame(frame, () => super.receiveFrame(port, frame));
  }

  override receiveDatagram(port: PortId, source: DatagramSource, datagram: Uint8Array): void {
    this.#deliveries.datagram(source.address, datagram, () => super.receiveDatagram(port, source, datagram));
  }

  override onPunt(handler: (punt: Punt) => void): void {
    super.onPunt((punt) => this.#deliveries.punted(punt, () => handler(punt)));
  }

  override onTransmit(handler: (transmission: Transmission) => void): void {
    super.onTransmit((transmission) => {
      this.#deliveries.transmitted(transmission);
      handler(transmission);
    });
  }

  override async openPort(spec: PortSpec): Promise<PortId> {
    const port = await super.openPort(spec);
    this.ports.set(spec.kind, port);
    return port;
  }

  override async closePort(port: PortId): Promise<void> {
    for (const [kind, known] of this.ports) if (known === port) this.ports.delete(kind);
    await super.closePort(port);
  }

  override addPeer(spec: PeerSpec): PeerId {
    const peer = super.addPeer(spec);
    this.#peers.set(peer, spec);
    return peer;
  }

  override async removePeer(peer: PeerId): Promise<void> {
    await super.removePeer(peer);
    this.#peers.delete(peer);
  }

  override addChannel(spec: ChannelSpec): ChannelId {
    const key = this.#idOf(spec);
    for (const taken of this.#channels.values())
      if (taken === key) this.#referee.report("no two sessions share an id", `${this.#name}: ${key}`);
    const channel = super.addChannel(spec);
    this.#channels.set(channel, key);
    this.#deliveries.added(channel, spec, this.#peers.get(spec.peer)!);
    this.#firstIds.note(this.#name, this, spec);
    return channel;
  }

  /** What nobody else may have: a PPPoE session id is one VLAN's. */
  #idOf(spec: ChannelSpec): string {
    if (spec.kind === "l2tp") return `L2TP ${spec.localTunnelId}/${spec.localSessionId}`;
    const peer = this.#peers.get(spec.peer);
    const vlans = peer?.kind === "ethernet" ? peer.tags.map(({ tci }) => tci & 0x0fff) : [];
    return `PPPoE ${[...vlans, spec.sessionId].join("/")}`;
  }

  override async closeChannel(channel: ChannelId): Promise<void> {
    const done = super.closeChannel(channel);
    this.#channels.delete(channel);
    this.#deliveries.closed(channel);
    this.#addresses.delete(channel);
    await this.#moment();
    return done;
  }

  override async bridge(...args: Parameters<MemoryDataplane["bridge"]>): Promise<void> {
    const done = super.bridge(...args);
    this.#deliveries.bridged(args[0], args[1]);
    await this.#moment();
    return done;
  }

  override async unbridge(channel: ChannelId): Promise<void> {
    const done = super.unbridge(channel);
    this.#deliveries.parted(channel);
    return done;
  }

  override async attach(channel: ChannelId, spec: AttachSpec): Promise<void> {
    for (const [other, addresses] of this.#addresses)
      if (other !== channel && addresses.some((address) => spec.addresses.includes(address)))
        this.#referee.report(
          "no two sessions share an id",
          `${this.#name}: address ${spec.addresses.join()}`,
        );
    const done = super.attach(channel, spec);
    this.#deliveries.attached(channel, spec.unit);
    await done;
    this.#addresses.set(channel, spec.addresses);
    await this.#moment();
  }

  override async detach(channel: ChannelId): Promise<void> {
    const done = super.detach(channel);
    this.#deliveries.parted(channel);
    await done;
    this.#addresses.delete(channel);
    await this.#moment();
  }

  override async createUnit(...args: Parameters<MemoryDataplane["createUnit"]>): Promise<UnitId> {
    await this.#moment();
    const unit = await super.createUnit(...args);
    this.#units.add(unit);
    return unit;
  }

  override async closeUnit(unit: UnitId): Promise<void> {
    await this.#moment();
    await super.closeUnit(unit);
    this.#units.delete(unit);
  }
}
