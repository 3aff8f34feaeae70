import { isDeepStrictEqual } from "node:util";
import { LacewingError } from "../base/errors.ts";
import type { ChannelId, PeerId, PortId, Punt, UdpPeerSpec } from "../channel/dataplane.ts";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import type { L2tpAddress } from "../l2tp/config.ts";
import type { L2tpOutput } from "../l2tp/outputs.ts";
import type { ActiveCall } from "./call.ts";
import type { Surroundings } from "./surroundings.ts";

/** What an outer packet has at the least: assumed of a path of which the routes say nothing. */
const ETHERNET_MTU_BYTES = 1500;
/** Less than any host must take in one piece (RFC 791 §3.1) is a forgery. */
const SMALLEST_PATH_MTU_BYTES = 576;
const LARGEST_PATH_MTU_BYTES = 0xffff;

/** Of a silent tunnel that are asked whether something leaves: all of many thousand would take too long. */
const SAMPLED_CHANNELS = 16;

/** A tunnel that is up: what the data plane must know of it, and what calls its channels are for. */
export interface TunnelRecord {
  peer: PeerConfig;
  readonly remoteTunnelId: number;
  readonly dataPeer: PeerId;
  readonly remote: L2tpAddress;
  /** The peer's Host Name AVP. */
  readonly hostName: string;
  readonly upSince: number;
  spec: UdpPeerSpec;
  /** Data messages that had come when we last looked. */
  framesSeen: number;
  /** What some of its channels had sent when it was first seen to be silent; null while data comes. */
  sentAtSilence: number | null;
  /** Calls whose channels point at the data-plane peer, also those that have ended and are being taken apart. */
  readonly channels: Map<ActiveCall, ChannelId>;
}

/** The tunnels that are up, as the data plane knows them: each is a peer of it that its calls' channels point at. */
export class TunnelTable {
  readonly #around: Surroundings;
  readonly #tunnels = new Map<number, TunnelRecord>();
  /** Of tunnels that are down: their data-plane peers, until they are removed. */
  readonly #releasing = new Set<Promise<void>>();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get(tunnel: number): TunnelRecord | undefined {
    return this.#tunnels.get(tunnel);
  }

  /** The tunnels through a port. */
  through(portKey: number): readonly number[] {
    return [...this.#tunnels].filter(([, { remote }]) => remote.portKey === portKey).map(([id]) => id);
  }

  /** A tunnel is up. Throws a DataplaneError when the data plane has no room for its peer. */
  add(up: Extract<L2tpOutput, { kind: "tunnel-up" }>, peer: PeerConfig, port: PortId): void {
    const spec = this.#dataPeer(peer, port, up.remote);
    this.#tunnels.set(up.tunnel, {
      peer,
      remoteTunnelId: up.remoteTunnelId,
      remote: up.remote,
      hostName: up.peerHostName,
      spec,
      framesSeen: 0,
      sentAtSilence: null,
      dataPeer: this.#around.dataplane.addPeer(spec),
      channels: new Map(),
      upSince: this.#around.clock.now(),
    });
  }

  /** Peers have other policies: what is sent in tunnels that are up goes by them from now on. */
  reconfigure(peerOf: (name: string) => PeerConfig | undefined): void {
    for (const tunnel of this.#tunnels.values()) {
      const peer = peerOf(tunnel.peer.name);
      if (peer === undefined || peer === tunnel.peer) continue;
      // what the network has said of the path still holds, unless somebody knows better
      const isLearnt = peer.pathMtuBytes === undefined && tunnel.peer.pathMtuBytes === undefined;
      const { pathMtuBytes, port } = tunnel.spec;
      const spec = { ...this.#dataPeer(peer, port, tunnel.remote), ...(isLearnt && { pathMtuBytes }) };
      tunnel.peer = peer;
      if (isDeepStrictEqual(spec, tunnel.spec)) continue;
      tunnel.spec = spec;
      this.#around.dataplane.updatePeer(tunnel.dataPeer, spec);
    }
  }

  /** A tunnel is down: its data-plane peer goes when the last channel that points at it is closed. */
  remove(id: number): void {
    const tunnel = this.#tunnels.get(id);
    if (tunnel === undefined) return;
    this.#tunnels.delete(id);
    // calls that ended just before are being taken apart, too: their channels still point at the peer
    const releasing = Promise.all([...tunnel.channels.keys()].map((call) => call.whenReleased()))
      .then(() => this.#around.dataplane.removePeer(tunnel.dataPeer))
      .catch((error: Error) => {
        this.#around.logger.error(
          { peer: tunnel.peer.name, tunnel: id, error: error.message },
          "an L2TP peer's entry could not be given back",
        );
      })
      .finally(() => this.#releasing.delete(releasing));
    this.#releasing.add(releasing);
  }

  /** The tunnels in which data has come since this was last asked, and those in which it has only left. */
  traffic(): { readonly heard: readonly number[]; readonly oneSided: readonly number[] } {
    const heard: number[] = [];
    const oneSided: number[] = [];
    for (const [id, tunnel] of this.#tunnels) {
      const frames = this.#around.dataplane.framesFrom(tunnel.dataPeer);
      if (frames !== tunnel.framesSeen) {
        tunnel.framesSeen = frames;
        tunnel.sentAtSilence = null;
        heard.push(id);
        continue;
      }
      const sent = this.#sentBySome(tunnel);
      tunnel.sentAtSilence ??= sent;
      if (sent !== tunnel.sentAtSilence) oneSided.push(id);
    }
    return { heard, oneSided };
  }

  /** Frames that have left on a few of its channels: where none of those has anything to say, hardly anybody has. */
  #sentBySome({ channels }: TunnelRecord): number {
    let sent = 0;
    let looked = 0;
    for (const [call, channel] of channels) {
      if (call.isEnding) continue;
      sent += this.#around.dataplane.counters(channel).framesOut;
      looked += 1;
      if (looked === SAMPLED_CHANNELS) break;
    }
    return sent;
  }

  get isEmpty(): boolean {
    return this.#tunnels.size === 0;
  }

  /** Resolves when nothing is left of the tunnels that are down. */
  async released(): Promise<void> {
    await Promise.all(this.#releasing);
  }

  /** Every call has been released before. */
  async close(): Promise<void> {
    for (const [id, tunnel] of this.#tunnels) {
      this.#tunnels.delete(id);
      await this.#around.dataplane.removePeer(tunnel.dataPeer);
    }
    await this.released();
  }

  /** Makes the channel of a call whose ids are known. Throws when its tunnel is not up, or there is no room. */
  addChannel(call: ActiveCall, remoteSessionId: number): ChannelId {
    const tunnel = this.#up(call.tunnel);
    const channel = this.#around.dataplane.addChannel({
      kind: "l2tp",
      peer: tunnel.dataPeer,
      localTunnelId: call.tunnel,
      localSessionId: call.session,
      remoteTunnelId: tunnel.remoteTunnelId,
      remoteSessionId,
      sequencing: sequencingOf(call),
    });
    tunnel.channels.set(call, channel);
    return channel;
  }

  /** The call's channel is closed. */
  closedChannel(call: ActiveCall): void {
    this.#tunnels.get(call.tunnel)?.channels.delete(call);
  }

  /** Octets of the largest subscriber's packet whose outer packet fits the path. Throws when the tunnel is not up. */
  innerMtuBytes(id: number, sequenced: boolean): number {
    const { address, pathMtuBytes, lengthBit, addressControl } = this.#up(id).spec;
    const ip = address.includes(":") ? 40 : 20;
    const udp = 8;
    const ppp = addressControl ? 4 : 2;
    return pathMtuBytes - ip - udp - (lengthBit ? 8 : 6) - (sequenced ? 4 : 0) - ppp;
  }

  /** Datagrams to a peer are too big for the path: its MTU is learnt. */
  unreachable({ remoteAddress, remotePort, errno, mtuBytes }: Extract<Punt, { kind: "unreachable" }>): void {
    this.#around.logger.debug(
      { address: remoteAddress, port: remotePort, error: errno, mtu: mtuBytes },
      "a datagram is too big for the path to an L2TP peer, says the network",
    );
    if (mtuBytes === undefined || mtuBytes < SMALLEST_PATH_MTU_BYTES) return;
    for (const tunnel of this.#tunnels.values()) {
      if (tunnel.remote.address !== remoteAddress || tunnel.peer.pathMtuBytes !== undefined) continue;
      if (mtuBytes >= this.#pathMtu(remoteAddress)) continue;
      tunnel.spec = { ...tunnel.spec, pathMtuBytes: mtuBytes };
      this.#around.dataplane.updatePeer(tunnel.dataPeer, tunnel.spec);
    }
  }

  #up(id: number): TunnelRecord {
    const tunnel = this.#tunnels.get(id);
    if (tunnel === undefined) throw new LacewingError("no-tunnel", `L2TP tunnel ${id} is not up`);
    return tunnel;
  }

  /** Of the route, within what IP can say: the loopback device's MTU is beyond that. */
  #pathMtu(address: string): number {
    const mtuBytes = this.#around.host.mtuTowards(address) ?? ETHERNET_MTU_BYTES;
    return Math.min(LARGEST_PATH_MTU_BYTES, Math.max(SMALLEST_PATH_MTU_BYTES, mtuBytes));
  }

  #dataPeer(peer: PeerConfig, port: PortId, remote: L2tpAddress): UdpPeerSpec {
    return {
      kind: "udp",
      port,
      address: remote.address,
      udpPort: remote.port,
      pathMtuBytes: peer.pathMtuBytes ?? this.#pathMtu(remote.address),
      addressControl: peer.addressControl,
      lengthBit: peer.lengthBit,
      checksum: peer.udpChecksum,
      oversize: peer.oversize,
      dscp: peer.dscp,
      ...(remote.localAddress !== undefined && { localAddress: remote.localAddress }),
    };
  }
}

/** Whether the data messages that we send in a call have sequence numbers (RFC 2661 §5.4). */
function sequencingOf({ peer, numbered }: ActiveCall): "never" | "follow" | "always" {
  if (peer.sequencing === "never") return "never";
  return numbered ? "always" : "follow";
}
