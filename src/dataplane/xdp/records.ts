/** What the xdp engine knows of ports, peers and channels: what the program is told is made from it. */

import type {
  AccessPortSpec,
  ChannelId,
  ChannelSpec,
  EthernetPeerSpec,
  L2tpChannelSpec,
  L2tpSequencing,
  TunnelPortSpec,
  UdpPeerSpec,
} from "../../channel/dataplane.ts";
import type { NextHop } from "../../io/next-hops.ts";
import type { InterfaceUse } from "./interfaces.ts";
import type { Ticket } from "./shared-grace.ts";

interface AccessPort {
  readonly kind: "ethernet";
  readonly spec: AccessPortSpec;
  /** In the program's table `access`; 0: the program does not know the port. */
  readonly number: number;
  readonly use: InterfaceUse | undefined;
}

interface TunnelPort {
  readonly kind: "udp";
  readonly spec: TunnelPortSpec;
}

export type Port = AccessPort | TunnelPort;

interface PeerState {
  /** Of L2TP peers. */
  readonly channels: L2tpChannel[];
  /** Frames that the program forwarded for channels that are closed. */
  framesOfClosed: number;
}

/** The program's tables have none of it but in the entries of its channels' bridges. */
interface EthernetPeer extends PeerState {
  readonly kind: "ethernet";
  readonly port: AccessPort;
  spec: EthernetPeerSpec;
}

export interface UdpPeer extends PeerState {
  readonly kind: "udp";
  /** In the program's tables; 0: it does not know the peer yet. */
  number: number;
  /** What describes it there now; 0: nothing. */
  slot: number;
  readonly port: TunnelPort;
  spec: UdpPeerSpec;
  watch: { close(): void } | undefined;
  hop: NextHop | undefined;
  /** Of the hop's device. */
  use: InterfaceUse | undefined;
}

export type Peer = EthernetPeer | UdpPeer;

/** What the program has forwarded, as far as it is not in its own counters any more. */
interface Totals {
  framesIn: number;
  octetsIn: number;
  controlFramesIn: number;
  framesOut: number;
  octetsOut: number;
}

interface ChannelState {
  readonly id: ChannelId;
  /** The other end of its bridge, once that stands. */
  to: Channel | undefined;
  /** Counts what ends or forestalls a bridge. */
  changes: number;
  /** Frames are copied by the loop: its bridge is that one's meanwhile. */
  tapped: boolean;
  /** Where it is in the program's tables; 0: the loop forwards. */
  slot: number;
  /** When no run of the program can stand on an entry of it that was taken back; 0: none was. */
  left: Ticket;
  closed: boolean;
  readonly totals: Totals;
}

export interface PppoeChannel extends ChannelState {
  readonly kind: "pppoe";
  readonly peer: EthernetPeer;
  readonly spec: Extract<ChannelSpec, { kind: "pppoe" }>;
}

export interface L2tpChannel extends ChannelState {
  readonly kind: "l2tp";
  readonly peer: UdpPeer;
  readonly spec: L2tpChannelSpec;
  sequencing: L2tpSequencing;
  /** In `channels` of its peer. */
  position: number;
}

export type Channel = PppoeChannel | L2tpChannel;
