import type { PeerId, PortId, UdpPeerSpec } from "../channel/dataplane.ts";
import type { L2tpListenConfig } from "../config/config.ts";
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
  opening: boolean;
}

/**
 * The local addresses that L2TP is spoken on. The machines know each by its key, its place in the configuration:
 * the data plane's port comes and goes with the device. An address may be missing, too: the port is bound to it
 * all the same, and hears what comes once the address is there.
 */
export class L2tpPorts {
  readonly #around: Surroundings;
  readonly #listeners: readonly Listener[];

  constructor(around: Surroundings) {
    this.#around = around;
    this.#listeners = around.config.l2tp.listen.map((config, key) => ({
      config,
      key,
      port: undefined,
      ifindex: undefined,
      known: [],
      opening: false,
    }));
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

  portOf(key: number): PortId | undefined {
    return this.#listeners[key]?.port;
  }

  keyOf(port: PortId): number | undefined {
    return this.#listeners.find((listener) => listener.port === port)?.key;
  }

  addressOf(key: number): string {
    return this.#listeners[key]?.config.address ?? "";
  }

  /** The key of the first that speaks the address's family, and from `source` if that is given. */
  keyTowards(address: string, source?: string): number | undefined {
    const alike = this.#listeners.filter(({ config }) => isV6(config.address) === isV6(address));
    if (source === undefined) return alike[0]?.key;
    const bound = alike.find(({ config }) => config.address === source);
    return (bound ?? alike.find(({ config }) => isEveryAddress(config.address)))?.key;
  }

  /** The keys of those whose device this was. */
  keysOn(ifindex: number): readonly number[] {
    return this.#listeners.filter((listener) => listener.ifindex === ifindex).map(({ key }) => key);
  }

  /** The peers of all tunnels through its port must have been removed. */
  async close(key: number): Promise<void> {
    const listener = this.#listeners[key];
    const port = listener?.port;
    if (listener === undefined || port === undefined) return;
    const { known } = listener;
    listener.port = undefined;
    listener.ifindex = undefined;
    listener.known = [];
    const { dataplane } = this.#around;
    await Promise.all(known.map((peer) => dataplane.removePeer(peer)));
    await dataplane.closePort(port);
  }

  async closeAll(): Promise<void> {
    for (const { key } of this.#listeners) await this.close(key);
  }

  #waitsFor(device: string): boolean {
    return this.#listeners.some(
      ({ config, port, opening }) => port === undefined && !opening && config.interface === device,
    );
  }

  async #open(listener: Listener): Promise<void> {
    if (listener.port !== undefined || listener.opening) return;
    const { address, udpPort, interface: device } = listener.config;
    const { host, dataplane, logger } = this.#around;
    const link = device === undefined ? undefined : host.linkByName(device);
    const fields = { address, port: udpPort, interface: device };
    if (device !== undefined && link === undefined) {
      logger.warn(fields, "L2TP is to be spoken on a device that is not there; waiting for it");
      return;
    }
    listener.opening = true;
    try {
      const bound = link === undefined ? {} : { ifindex: link.ifindex };
      const port = await dataplane.openPort({ kind: "udp", address, udpPort, ...bound });
      listener.port = port;
      listener.ifindex = link?.ifindex;
      listener.known = this.#makeKnown(port, address);
    } finally {
      listener.opening = false;
    }
    logger.info(fields, "L2TP port open");
    if (!isEveryAddress(address) && !host.hasAddress(address))
      logger.warn(fields, "the address that L2TP is spoken on is not there yet");
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
