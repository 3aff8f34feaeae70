import type { PeerId, PortId, UdpPeerSpec } from "../channel/dataplane.ts";
import type { L2tpListenConfig, L2tpPeerConfig } from "../config/config.ts";
import { listenerIdentity } from "../config/difference.ts";
import type { ListenerView } from "./operations-views.ts";
import type { Surroundings } from "./surroundings.ts";

/** A local address that L2TP is spoken on; open while the device that it is bound to is there. */
interface Listener {
  readonly config: L2tpListenConfig;
  readonly key: number;
  port: PortId | undefined;
  /** Of the device that the open port is bound to; undefined when it is bound to none. */
  ifindex: number | undefined;
  /** The configured peers, as the data plane knows them on the open port. */
  known: readonly PeerId[];
  /** It is being opened or closed. */
  changing: boolean;
}

/**
 * The local addresses that L2TP is spoken on. The machines know each by its key, at first its place in the configuration:
 * the data plane's port comes and goes with the device. An address may be missing, too: the port is bound to it
 * all the same, and hears what comes once the address is there.
 */
export class L2tpPorts {
  readonly #around: Surroundings;
  /** In the order of the configuration. */
  #listeners: readonly Listener[] = [];
  /** No longer in the configuration, and not closed yet. */
  readonly #gone = new Set<Listener>();
  #nextKey = 0;

  constructor(around: Surroundings) {
    this.#around = around;
    this.read();
  }

  /**
   * Reads the configuration as it is now. What is new in it is opened by openWhatIsThere(); what is not in it any more
   * goes on until closeGone().
   */
  read(): void {
    const known = new Map(this.#listeners.map((listener) => [listenerIdentity(listener.config), listener]));
    const listeners = this.#around.config.l2tp.listen.map(
      (config) => known.get(listenerIdentity(config)) ?? this.#listener(config),
    );
    for (const listener of this.#listeners) if (!listeners.includes(listener)) this.#gone.add(listener);
    this.#listeners = listeners;
  }

  /** What the local address of that key is told apart by in a configuration. */
  identityOf(key: number): string | undefined {
    const listener = this.#find(key);
    return listener && listenerIdentity(listener.config);
  }

  /** Closes what is not in the configuration any more; the peers of all tunnels through it have been removed. */
  async closeGone(): Promise<void> {
    for (const listener of this.#gone) {
      await this.lose(listener.key)?.();
      this.#gone.delete(listener);
    }
  }

  /** The peers of the configuration have changed: the data plane knows those of now. */
  async introducePeers(): Promise<void> {
    for (const listener of this.#listeners) {
      const { port, known, config } = listener;
      if (port === undefined) continue;
      listener.known = this.#makeKnown(port, config.address);
      await Promise.all(known.map((peer) => this.#around.dataplane.removePeer(peer)));
    }
  }

  /** Opens what can be opened; rejects when the system refuses one for another reason than a missing device. */
  async openWhatIsThere(): Promise<void> {
    for (const listener of this.#listeners) await this.#open(listener);
  }

  /** A link has come or has another name now: opens what waits for it. */
  async linkChanged(name: string): Promise<void> {
    if (!this.#waitsFor(name)) return;
    try {
      await this.openWhatIsThere();
    } catch (error) {
      this.#around.logger.error(
        { interface: name, error: (error as Error).message },
        "L2TP port could not be opened; tried again when the interface changes",
      );
    }
  }

  /** Those of the configuration, as they are at this moment. */
  views(): readonly ListenerView[] {
    return this.#listeners.map(({ config, port }) => ({
      listener: listenerIdentity(config),
      address: config.address,
      state: port === undefined ? "no-device" : this.#isThere(config) ? "open" : "no-address",
    }));
  }

  portOf(key: number): PortId | undefined {
    return this.#find(key)?.port;
  }

  keyOf(port: PortId): number | undefined {
    return this.#all().find((listener) => listener.port === port)?.key;
  }

  addressOf(key: number): string {
    return this.#find(key)?.config.address ?? "";
  }

  /** The key of the first that speaks the address's family, and from `source` if that is given. */
  keyTowards(address: string, source?: string): number | undefined {
    const alike = this.#listeners.filter(({ config }) => isV6(config.address) === isV6(address));
    if (source === undefined) return alike[0]?.key;
    const bound = alike.find(({ config }) => config.address === source);
    return (bound ?? alike.find(({ config }) => isEveryAddress(config.address)))?.key;
  }

  /** Whether there is a port to call a peer from: its device may be away. */
  isOpenTowards({ address, sourceAddress }: Pick<L2tpPeerConfig, "address" | "sourceAddress">): boolean {
    const key = address === undefined ? undefined : this.keyTowards(address, sourceAddress);
    return key !== undefined && this.portOf(key) !== undefined;
  }

  /** The keys of those whose device this was. */
  keysOn(ifindex: number): readonly number[] {
    return this.#all()
      .filter((listener) => listener.ifindex === ifindex)
      .map(({ key }) => key);
  }

  /**
   * Nothing is sent or heard through a port from now on. What is returned closes it, once the peers of all tunnels through
   * it have been removed; undefined when it is not open.
   */
  lose(key: number): (() => Promise<void>) | undefined {
    const listener = this.#find(key);
    const port = listener?.port;
    if (listener === undefined || port === undefined) return undefined;
    const { known } = listener;
    listener.port = undefined;
    listener.ifindex = undefined;
    listener.known = [];
    listener.changing = true;
    return async () => {
      const { dataplane } = this.#around;
      try {
        await Promise.all(known.map((peer) => dataplane.removePeer(peer)));
        await dataplane.closePort(port);
      } finally {
        listener.changing = false;
      }
    };
  }

  /** Opens a port that was lost, if its device has come back meanwhile. */
  async openAgain(key: number): Promise<void> {
    const device = this.#find(key)?.config.interface;
    if (device !== undefined && this.#around.host.linkByName(device) !== undefined)
      await this.linkChanged(device);
  }

  async closeAll(): Promise<void> {
    for (const { key } of this.#all()) await this.lose(key)?.();
  }

  #listener(config: L2tpListenConfig): Listener {
    const key = this.#nextKey;
    this.#nextKey += 1;
    return { config, key, port: undefined, ifindex: undefined, known: [], changing: false };
  }

  #all(): readonly Listener[] {
    return this.#gone.size === 0 ? this.#listeners : [...this.#listeners, ...this.#gone];
  }

  #find(key: number): Listener | undefined {
    return this.#all().find((listener) => listener.key === key);
  }

  #waitsFor(device: string): boolean {
    return this.#listeners.some(
      ({ config, port, changing }) => port === undefined && !changing && config.interface === device,
    );
  }

  async #open(listener: Listener): Promise<void> {
    if (listener.port !== undefined || listener.changing) return;
    const { address, udpPort, interface: device } = listener.config;
    const { host, dataplane, logger } = this.#around;
    const link = device === undefined ? undefined : host.linkByName(device);
    const fields = { address, port: udpPort, interface: device };
    if (device !== undefined && link === undefined) {
      logger.warn(fields, "L2TP is to be spoken on a device that is not there; waiting for it");
      return;
    }
    listener.changing = true;
    try {
      const bound = link === undefined ? {} : { ifindex: link.ifindex };
      const port = await dataplane.openPort({ kind: "udp", address, udpPort, ...bound });
      if (!this.#listeners.includes(listener)) {
        await dataplane.closePort(port);
        return;
      }
      // nobody has told us that the device went away: the port was nobody's yet
      if (device !== undefined && host.linkByName(device)?.ifindex !== link?.ifindex) {
        await dataplane.closePort(port);
        listener.changing = false;
        return await this.#open(listener);
      }
      listener.port = port;
      listener.ifindex = link?.ifindex;
      listener.known = this.#makeKnown(port, address);
    } finally {
      listener.changing = false;
    }
    logger.info(fields, "L2TP port open");
    if (!this.#isThere(listener.config))
      logger.warn(fields, "the address that L2TP is spoken on is not there yet");
  }

  #isThere({ address, interface: device }: L2tpListenConfig): boolean {
    return isEveryAddress(address) || this.#around.host.hasAddress(address, device);
  }

  /**
   * Whoever the data plane does not know shares one small allowance with all strangers, and in a flood of theirs a
   * configured peer's first messages would be lost: no tunnel says yet who it is.
   */
  #makeKnown(port: PortId, local: string): readonly PeerId[] {
    const { config, dataplane } = this.#around;
    return config.l2tp.peers.flatMap((peer) =>
      peer.address === undefined || isV6(peer.address) !== isV6(local)
        ? []
        : dataplane.addPeer(peerWithoutTunnel(port, peer.address, peer.udpPort)),
    );
  }
}

function isV6(address: string): boolean {
  return address.includes(":");
}

function isEveryAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::";
}

/** Who may open a tunnel with us, or answer when we do; nothing is sent to it but control messages. */
function peerWithoutTunnel(port: PortId, address: string, udpPort: number): UdpPeerSpec {
  return {
    kind: "udp",
    port,
    address,
    udpPort,
    pathMtuBytes: 1500,
    addressControl: true,
    lengthBit: true,
    checksum: true,
    oversize: "drop",
  };
}
