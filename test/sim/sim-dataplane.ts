import type {
  AttachSpec,
  ChannelId,
  ChannelSpec,
  PeerId,
  PeerSpec,
  PortId,
  PortSpec,
  UnitId,
} from "../../src/channel/dataplane.ts";
import { MemoryDataplane } from "../../src/dataplane/memory/engine.ts";
import type { Referee } from "./invariants.ts";

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
  readonly #channels = new Map<ChannelId, string>();
  readonly #peers = new Map<PeerId, PeerSpec["kind"]>();
  readonly #units = new Set<UnitId>();
  readonly #addresses = new Map<ChannelId, readonly string[]>();

  /** `moment` resolves when a change is complete. */
  constructor(name: string, referee: Referee, moment: () => Promise<void>) {
    super();
    this.#referee = referee;
    this.#name = name;
    this.#moment = moment;
  }

  holdings(): Holdings {
    const kinds = [...this.#peers.values()];
    return {
      channels: this.#channels.size,
      ethernetPeers: kinds.filter((kind) => kind === "ethernet").length,
      udpPeers: kinds.filter((kind) => kind === "udp").length,
      units: this.#units.size,
    };
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
    this.#peers.set(peer, spec.kind);
    return peer;
  }

  override async removePeer(peer: PeerId): Promise<void> {
    await super.removePeer(peer);
    this.#peers.delete(peer);
  }

  override addChannel(spec: ChannelSpec): ChannelId {
    const key =
      spec.kind === "pppoe" ? `PPPoE ${spec.sessionId}` : `L2TP ${spec.localTunnelId}/${spec.localSessionId}`;
    for (const taken of this.#channels.values())
      if (taken === key) this.#referee.report("no two sessions share an id", `${this.#name}: ${key}`);
    const channel = super.addChannel(spec);
    this.#channels.set(channel, key);
    return channel;
  }

  override async closeChannel(channel: ChannelId): Promise<void> {
    const done = super.closeChannel(channel);
    this.#channels.delete(channel);
    this.#addresses.delete(channel);
    await this.#moment();
    return done;
  }

  override async bridge(...args: Parameters<MemoryDataplane["bridge"]>): Promise<void> {
    const done = super.bridge(...args);
    await this.#moment();
    return done;
  }

  override async attach(channel: ChannelId, spec: AttachSpec): Promise<void> {
    for (const [other, addresses] of this.#addresses)
      if (other !== channel && addresses.some((address) => spec.addresses.includes(address)))
        this.#referee.report(
          "no two sessions share an id",
          `${this.#name}: address ${spec.addresses.join()}`,
        );
    await super.attach(channel, spec);
    this.#addresses.set(channel, spec.addresses);
    await this.#moment();
  }

  override async detach(channel: ChannelId): Promise<void> {
    await super.detach(channel);
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
