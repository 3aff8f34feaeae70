import type { Dataplane, EthernetPeerSpec, PortId, Punt, UdpPeerSpec } from "../../src/channel/dataplane.ts";

/** A datagram that left the gateway, and for which of the remote L2TP peers. */
interface SentDatagram {
  readonly address: string;
  readonly datagram: Uint8Array;
}

/**
 * A data plane with the world around it, as the contract suite needs it: one access port with a wire to the
 * subscribers, one L2TP port, two remote L2TP peers, and a host whose IP packets go in and out of units.
 */
export interface Rig {
  readonly dataplane: Dataplane;
  readonly access: PortId;
  readonly tunnel: PortId;
  /** The gateway's MAC address on the access port. */
  readonly gatewayMac: Uint8Array;
  /** L2TP peers: addresses of which fromRemote() can send. They use `remotePort`. */
  readonly remotes: readonly [string, string];
  readonly remotePort: number;
  /** Addresses of units' devices and of subscribers behind them. */
  readonly unitAddress: string;
  readonly subscriberAddresses: readonly [string, string, string];
  /** Of this run alone. */
  readonly unitName: string;
  /** Also hears of every punt, as it comes. */
  onPunt(hook: (punt: Punt) => void): void;
  /** Everything so far, in the order in which it came. */
  readonly punts: Punt[];
  readonly frames: Uint8Array[];
  readonly datagrams: SentDatagram[];
  /** UDP payloads that the host got out of units, and who sent them. */
  readonly hostReceived: { readonly from: string; readonly payload: Uint8Array }[];
  /** The port on `unitAddress` that hostReceived is about; available once a unit is there. */
  openHost(): Promise<number>;
  hostSend(to: string, payload: Uint8Array): void;
  fromSubscriber(frame: Uint8Array): void;
  fromRemote(address: string, datagram: Uint8Array): void;
  /** Lets so much time pass at least, unless it passes by itself while until() waits. */
  passTime(ms: number): void;
  /** Resolves when the condition holds; rejects when it does not within a few seconds. */
  until(what: string, condition: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** A subscriber of a rig, without tags. */
export function subscriberPeer(
  { access, gatewayMac }: Pick<Rig, "access" | "gatewayMac">,
  remoteMac: Uint8Array,
): EthernetPeerSpec {
  return { kind: "ethernet", port: access, remoteMac, localMac: gatewayMac, tags: [] };
}

/** One of a rig's remote L2TP peers, with everything as an LNS usually has it. */
export function lnsPeer(
  { tunnel, remotes, remotePort }: Pick<Rig, "tunnel" | "remotes" | "remotePort">,
  which: 0 | 1 = 0,
): UdpPeerSpec {
  return {
    kind: "udp",
    port: tunnel,
    address: remotes[which],
    udpPort: remotePort,
    pathMtuBytes: 1500,
    addressControl: true,
    lengthBit: true,
    checksum: true,
    oversize: "fragment",
  };
}
