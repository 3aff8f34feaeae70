/**
 * The data plane in terms of three nouns: a Channel carries PPP frames, a Unit is a network device of ours,
 * a Bridge joins two channels. The control plane drives every engine through this interface and cannot tell
 * which one it has.
 *
 * PPP frames at this interface start with the PPP protocol field; address and control (FF03) are the engine's
 * business. Addresses are canonical text (RFC 5952 for IPv6).
 */

import type { VlanTag } from "../wire/ethernet.ts";
import type { UnreachableReason } from "../wire/icmp.ts";

export type PortId = number;
export type PeerId = number;
export type ChannelId = number;
export type UnitId = number;

/** An Ethernet interface on which subscribers call. Bound by ifindex: a rename does not matter. */
export interface AccessPortSpec {
  readonly kind: "ethernet";
  readonly ifindex: number;
  /** For messages only. */
  readonly name: string;
  /** Octets of Ethernet payload that the interface can send (its MTU). */
  readonly mtuBytes: number;
}

/** A local UDP address that L2TP is spoken on. */
export interface TunnelPortSpec {
  readonly kind: "udp";
  readonly address: string;
  readonly udpPort: number;
  /** Bind to this device (a VRF) by index. */
  readonly ifindex?: number;
}

export type PortSpec = AccessPortSpec | TunnelPortSpec;

/** The other end of PPPoE sessions: where frames come from and go to. */
export interface EthernetPeerSpec {
  readonly kind: "ethernet";
  readonly port: PortId;
  /** Six octets each. Frames of this peer must come from `remoteMac` to `localMac`, under exactly `tags`. */
  readonly remoteMac: Uint8Array;
  readonly localMac: Uint8Array;
  /** Outermost first; at most two. */
  readonly tags: readonly VlanTag[];
}

/** The other end of L2TP tunnels. Many channels point at one peer. */
export interface UdpPeerSpec {
  readonly kind: "udp";
  readonly port: PortId;
  readonly address: string;
  readonly udpPort: number;
  /** Largest outer IP packet, in octets, that the path takes. */
  readonly pathMtuBytes: number;
  /** Send FF03 before the PPP protocol field. Received frames are taken with and without it. */
  readonly addressControl: boolean;
  /** Send the L2TP length field (L bit). */
  readonly lengthBit: boolean;
  /** Send UDP checksums on data (IPv4 only: IPv6 always has them). */
  readonly checksum: boolean;
  /** What happens to a frame whose outer packet exceeds the path MTU: outer fragments (DF clear), or a drop. */
  readonly oversize: "fragment" | "drop";
  /** DSCP of the data messages that we send, 0 to 63; 0 when absent. Control messages have theirs in sendControl(). */
  readonly dscp?: number;
  /** Our address that data messages come from, on a port that is bound to any; the system chooses when absent. */
  readonly localAddress?: string;
}

export type PeerSpec = EthernetPeerSpec | UdpPeerSpec;

interface PppoeChannelSpec {
  readonly kind: "pppoe";
  readonly peer: PeerId;
  readonly sessionId: number;
}

/**
 * Bounds on what received messages with sequence numbers wait for the ones that are missing before them. When either
 * is reached, what is missing is given up, and counted as "out-of-order-late" should it still come.
 */
export interface ReorderSpec {
  /** How far ahead of the first missing message one may be and wait, in messages, 0 to 1024. 0: nothing ever waits. */
  readonly frames: number;
  /** How long one waits, in milliseconds, 1 to 10,000. */
  readonly timeMs: number;
}

export const DEFAULT_REORDER: ReorderSpec = { frames: 32, timeMs: 100 };

/** Whether the data messages that we send on an L2TP channel have sequence numbers (RFC 2661 §5.4). */
export type L2tpSequencing = "never" | "follow" | "always";

export interface L2tpChannelSpec {
  readonly kind: "l2tp";
  readonly peer: PeerId;
  /** Ours: what the peer puts into the messages that it sends us. */
  readonly localTunnelId: number;
  readonly localSessionId: number;
  /** The peer's: what we put into ours. */
  readonly remoteTunnelId: number;
  readonly remoteSessionId: number;
  /**
   * Whether the data messages that we send have sequence numbers (RFC 2661 §5.4). "follow", the default: they do from
   * when the peer's last one had them until one has none, as a LAC must that has not sent Sequencing Required.
   * "always": after that AVP, in either role, and for an LNS that asks for them. Frames of inject() and held frames
   * are numbered with the others. What the peer numbers is put in order whatever this says; a message without a
   * number passes at once.
   */
  readonly sequencing?: L2tpSequencing;
  /** DEFAULT_REORDER when absent. */
  readonly reorder?: ReorderSpec;
}

export type ChannelSpec = PppoeChannelSpec | L2tpChannelSpec;

/** A TUN device of ours, born with its final name and namespace, first up with its final MTU and addresses. */
export interface UnitSpec {
  /** At most 15 octets. */
  readonly name: string;
  /** A named network namespace (ip netns), or ours when absent. */
  readonly netns?: string;
  readonly mtuBytes: number;
  /** Our addresses on the device, each with its prefix length: "192.0.2.1/32". */
  readonly addresses: readonly string[];
  /**
   * With a per-session device: the subscriber's address, set as the device's peer.
   * Shared devices route whole prefixes instead.
   */
  readonly peerAddress?: string;
  /** Prefixes that are routed to the device: "198.51.100.0/24". */
  readonly routes: readonly string[];
  /** More than one channel may be attached; packets to a subscriber are found by destination address. */
  readonly shared: boolean;
  /**
   * Whose end of the session the device is: absent or "gateway", the attached addresses are the subscriber's; with
   * "subscriber" (the emulated one) they are this end's own: packets from the channel must go to them, and a
   * shared device's packets are told apart by their source.
   */
  readonly end?: "gateway" | "subscriber";
}

export interface AttachSpec {
  readonly unit: UnitId;
  /** The subscriber's addresses. Packets from him with any other source are dropped and counted. */
  readonly addresses: readonly string[];
  /** Largest IP packet that the subscriber takes (his MRU, or less). */
  readonly mruBytes: number;
  /** Clamp the MSS of TCP SYNs, both directions, to what fits `mruBytes`. */
  readonly clampMss: boolean;
  /** Let IPv6 through (IPV6CP is open). */
  readonly ipv6: boolean;
}

/** Held frames that must leave on `channel` before any frame that the new bridge carries. */
export interface HeldFrame {
  readonly channel: ChannelId;
  readonly frame: Uint8Array;
}

/** Channels that can be tapped at once. */
export const MAX_TAPS = 16;

/** A frame of a tapped channel, as it was on the wire. */
export interface TappedFrame {
  readonly channel: ChannelId;
  /** "in": what the channel received from its wire. */
  readonly direction: "in" | "out";
  /** Wall clock, in microseconds since 1970 (an integer < 2^53). Does not go back within a direction of a channel. */
  readonly timeUs: number;
  /** Octets of the whole frame; `frame` may hold fewer (snapBytes). */
  readonly lengthBytes: number;
  /**
   * Of a PPPoE channel: from the Ethernet destination on, VLAN tags in it. Of an L2TP channel: from the outer IP header on.
   * That header and UDP's are made again of what the socket said, or was told: TTL 64, identification 0, of what was received
   * no DSCP, and nothing of fragments, since neither end of the socket sees them; checksum fields are correct, or 0 for a
   * UDP checksum that was not sent. An address of ours that nobody has said is all zeroes. It is the receiver's to keep.
   */
  readonly frame: Uint8Array;
}

/** What a frame takes of a tap's rate besides its octets: handing on many small ones costs more than few large ones. */
export const TAPPED_FRAME_COST_BYTES = 128;

/** How much of a tapped channel is kept. */
export interface TapSpec {
  /** At most so many octets of a frame, 64 to 65535. */
  readonly snapBytes: number;
  /**
   * At most so many kept octets a second, TAPPED_FRAME_COST_BYTES of each frame included, 64 to 2^30: a token bucket of one
   * second's worth, which its last frame may overdraw. What is beyond is forwarded, and counted as passed over.
   */
  readonly octetsPerSecond: number;
}

/** What a tap has come to so far. */
export interface TapTotals {
  /** Kept: given to the sink, or about to be. */
  readonly frames: number;
  /** Seen, and not kept: beyond the rate, or there was no room. */
  readonly passedOver: number;
}

/** Cumulative since the channel was added. "In" is what the channel received from its wire. PPP octets. */
export interface ChannelCounters {
  readonly framesIn: number;
  readonly octetsIn: number;
  readonly framesOut: number;
  readonly octetsOut: number;
}

/** Address space that is taken at the start, in octets; only what is used of it takes memory. */
export interface PreallocatedMemory {
  /** Everything: tables, rings and buffers that do not depend on which ports are open. */
  readonly bytes: number;
  /** What of it one more channel would add. */
  readonly bytesPerChannel: number;
}

/** Why a received or sent frame was not carried on. Every drop is counted under exactly one of these. */
export const DROP_REASONS = [
  "truncated", // shorter than its headers say
  "bad-version", // PPPoE version/type/code or L2TP version not ours
  "bad-length", // a length field contradicts the frame
  "unknown-session", // no channel with that id
  "unknown-tunnel",
  "wrong-source", // right id, wrong MAC, VLAN, address or port
  "wrong-address", // attached: the IP source is not the subscriber's
  "unknown-destination", // from a shared unit: nobody has that address
  "unsupported-protocol", // attached: a network protocol that is not open
  "malformed-ip",
  "too-big", // larger than the path or the subscriber takes
  "policed", // punt rate limit
  "punt-overflow", // the control plane did not keep up
  "send-full", // the device or socket queue was full
  "send-failed", // the system refused: device down, no route
  "receive-overflow", // the kernel dropped before we read
  "stale", // punted by a channel that was closed or changed meanwhile
  "out-of-order-late", // a sequence number that was delivered or given up before: a duplicate, or late
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What the engine hands to the control plane. `frame` and `datagram` are the receiver's to keep. */
export type Punt =
  /** A PPP frame of a punted channel, or a PPP control frame of an attached one. */
  | { readonly kind: "frame"; readonly channel: ChannelId; readonly frame: Uint8Array }
  /** An L2TP control message (T bit). */
  | {
      readonly kind: "control";
      readonly port: PortId;
      readonly remoteAddress: string;
      readonly remotePort: number;
      readonly localAddress: string;
      readonly datagram: Uint8Array;
    }
  /** A PPPoE session frame of no channel's peer: its sender may have outlived us, and somebody else have its id now. */
  | {
      readonly kind: "unknown-session";
      readonly port: PortId;
      readonly remoteMac: Uint8Array;
      readonly localMac: Uint8Array;
      readonly tags: readonly VlanTag[];
      readonly sessionId: number;
    }
  /** A packet from a unit that its subscriber's MRU does not take; `packet` is at least its first 576 octets. */
  | {
      readonly kind: "too-big";
      readonly unit: UnitId;
      readonly channel: ChannelId;
      readonly mruBytes: number;
      readonly packet: Uint8Array;
    }
  /**
   * Datagrams to a peer do not arrive. Told in the middle of sending, perhaps: whoever hears it sends nothing at once.
   * `mtuBytes` with EMSGSIZE.
   */
  | {
      readonly kind: "unreachable";
      readonly port: PortId;
      readonly remoteAddress: string;
      readonly remotePort: number;
      readonly errno: string;
      readonly mtuBytes?: number;
      /** Absent when our own system has not sent one, a control message. */
      readonly icmp?: IcmpReport;
    }
  /** A port or unit failed for good (its device is gone). The control plane closes it and may open another. */
  | { readonly kind: "port-down"; readonly port: PortId; readonly reason: string }
  | { readonly kind: "unit-down"; readonly unit: UnitId; readonly reason: string }
  /** A part of the engine has failed, by a bug of ours, and been replaced: what it had in hand is lost. */
  | { readonly kind: "worker-restarted"; readonly reason: string }
  /** A part of the engine has failed for good, by a bug of ours: nothing may be forwarded any more. */
  | { readonly kind: "engine-down"; readonly reason: string };

/** What an ICMP error says, and who sends it: informs, and decides nothing, since anybody can forge one. */
export interface IcmpReport {
  readonly reason: UnreachableReason;
  /** An address. */
  readonly reporter: string;
}

/** An interface on which an engine forwards beneath the sockets, or would if it could. */
export interface EngineInterface {
  /** As it is called now; when it is gone, as it was called when it came into use. */
  readonly name: string;
  /** How the program is attached: in the driver, or behind it. Undefined: it is not, and the loop serves it. */
  readonly mode: "native" | "generic" | undefined;
  /** Why it is not attached. */
  readonly reason?: string;
}

/**
 * What one forwarding thread has done since the start. It is told by its number, whatever became of it: no count goes
 * back when it is replaced, or stopped and started again.
 */
export interface WorkerFigures {
  /** "loop"; "xdp" of the program in the kernel, which drops and punts nothing. */
  readonly engine: string;
  /** A thread's number, from 0; "control": the control plane's thread, which receives nothing; "program": the kernel's. */
  readonly worker: number | "control" | "program";
  /** Whether it forwards now. */
  readonly running: boolean;
  /** How often it has ended by itself, by a bug of ours; another one took its place if it is running. */
  readonly deaths: number;
  /** Frames received, from wires and units, whatever became of them. */
  readonly frames: number;
  /** What it handed to the control plane. */
  readonly punts: number;
  readonly drops: Readonly<Record<DropReason, number>>;
}

/** How packets between a unit's device and the engine are spread over its forwarding threads. */
export interface UnitQueues {
  readonly count: number;
  /** Why a shared unit has one though the engine would have had more. */
  readonly refusal?: string;
}

/**
 * Ordering: changes take effect in the order of the calls. A call that returns a promise completes when no
 * frame can any more be handled the old way. From the moment bridge() or close() is called the control plane
 * gets no further punt of those channels: what was punted before and not yet delivered goes to the bridge's
 * other end, or is counted as stale.
 *
 * A data message for a session id that no channel has is dropped; nothing of a session that is about to open is lost
 * by that, if whoever tells the peer one of our session ids adds the channel first. Then there is no message on the
 * wire with our id that we have no channel for: as an LNS we tell it in ICRP, so the channel is there from ICRQ on; as
 * a LAC we tell it in ICRQ, but the LNS may send data from our ICCN on (RFC 2661 §5.2.1), so the channel is there from
 * ICRP on. That data overtakes the ICCN or OCCN on the wire changes nothing: the channel is punted, and what is punted
 * before bridge() leaves on the bridge's other end, in order.
 *
 * Every method throws a DataplaneError (or rejects with one) when it is called against the rules; engines
 * leave everything as it was then.
 */
export interface Dataplane {
  readonly engine: string;
  /** What the engine's tables were made with room for, however many channels there are. */
  readonly preallocated: PreallocatedMemory;
  /** Of the engine `xdp`, for people: the interfaces that its program is attached to, or could not be. */
  interfaces?(): readonly EngineInterface[];
  /**
   * Forwarding threads from now on, "auto" as many as suit the machine and `mostWorkers` at the most: nothing is lost by
   * the change. An engine without threads has no such thing. Rejects with a DataplaneError when there cannot be so many;
   * it is as before then.
   */
  setWorkers?(workers: number | "auto"): Promise<void>;
  /** How many forwarding threads there can be: at the start it was decided into how many parts ports are split. */
  readonly mostWorkers?: number;
  /**
   * What drivers have refused so far (native mode of a program, queues to send by) is asked for again: somebody has perhaps
   * changed what was in the way. Returns at once; what works without it is as it was if they refuse again.
   */
  reconsider?(): void;

  /** The one receiver of punts; set before the first port is opened. */
  onPunt(handler: (punt: Punt) => void): void;

  openPort(spec: PortSpec): Promise<PortId>;
  /** Closes the port; all its peers must have been removed. */
  closePort(port: PortId): Promise<void>;

  addPeer(spec: PeerSpec): PeerId;
  /** One write, however many channels point at the peer. The kind and port cannot change. */
  updatePeer(peer: PeerId, spec: PeerSpec): void;
  /** All channels of the peer must have been closed. */
  removePeer(peer: PeerId): Promise<void>;

  /** A new channel is punted. When this returns, its frames are accepted. */
  addChannel(spec: ChannelSpec): ChannelId;
  /** Unbridges (the other end becomes punted), detaches, and retires the id. */
  closeChannel(channel: ChannelId): Promise<void>;

  /**
   * Changes what addChannel() was told of an L2TP channel, in any state of it: an LNS learns from ICCN whether the LAC
   * requires sequence numbers. What is sent from now on is as it says; "follow" begins without.
   */
  setSequencing(channel: ChannelId, sequencing: L2tpSequencing): void;

  /** Joins two punted channels, both directions at once. */
  bridge(a: ChannelId, b: ChannelId, held?: readonly HeldFrame[]): Promise<void>;
  /** The exact opposite: both ends are punted again. */
  unbridge(channel: ChannelId): Promise<void>;

  createUnit(spec: UnitSpec): Promise<UnitId>;
  /** For people: the queues of a unit's device. An engine without devices has no such thing. */
  unitQueues?(unit: UnitId): UnitQueues | undefined;
  /** All channels must have been detached. */
  closeUnit(unit: UnitId): Promise<void>;
  attach(channel: ChannelId, spec: AttachSpec): Promise<void>;
  detach(channel: ChannelId): Promise<void>;

  /** Sends one PPP frame on a channel, in whatever state it is. */
  inject(channel: ChannelId, frame: Uint8Array): void;
  /**
   * Sends one L2TP control message. `localAddress`: what the conversation came to, if the port is bound to any.
   * `dscp`: 0 to 63; CS6 (48) when absent.
   */
  sendControl(
    port: PortId,
    remoteAddress: string,
    remotePort: number,
    datagram: Uint8Array,
    localAddress?: string,
    dscp?: number,
  ): void;
  /** Writes one IP packet into a unit, as if it had come from a subscriber (ICMP errors of ours). */
  injectPacket(unit: UnitId, packet: Uint8Array): void;

  /**
   * Copies what the channel receives and sends from now on, in whatever state it is, to `sink`, in batches that are in the
   * order of their times. A received frame is seen once, before it is judged any further than that it is from the channel's
   * peer; a sent one when it is handed to the system, injected and held ones, too. Nothing of forwarding changes: what
   * cannot be kept is counted. A tap ends with its channel, and what was kept until then still comes.
   * Throws a DataplaneError: `bad-spec`, `in-use` when the channel has a tap, `table-full` when MAX_TAPS have.
   */
  tap(channel: ChannelId, spec: TapSpec, sink: (frames: readonly TappedFrame[]) => void): void;
  /**
   * Ends it. When the promise resolves, frames kept before this call have been given to the sink, and it is not called any
   * more. Rejects with a DataplaneError `not-tapped` when there is none, or none any more.
   */
  untap(channel: ChannelId): Promise<TapTotals>;
  /** So far; undefined: it is not tapped. */
  tapTotals(channel: ChannelId): TapTotals | undefined;

  counters(channel: ChannelId): ChannelCounters;
  /** ChannelCounters.framesIn alone: nothing is allocated, so it can be asked of every channel at once. */
  framesIn(channel: ChannelId): number;
  /**
   * Frames of user data that the channel and what it is joined to have received for each other: those of network-layer
   * protocols (RFC 1661 §2: below 0x8000), not LCP's or an NCP's, and packets of the unit. Who is idle has as many as a
   * while ago; a change of the channel's state may change the number, too. Allocates nothing.
   */
  userFrames(channel: ChannelId): number;
  /**
   * Data messages that came from a UDP peer for channels of it, since it was added; 0 of an Ethernet peer. A tunnel
   * that has more than a while ago needs no HELLO (RFC 2661 §5.5). Allocates nothing.
   */
  framesFrom(peer: PeerId): number;
  drops(): Readonly<Record<DropReason, number>>;
  /**
   * The same and more by forwarding thread, of all that there ever were. An engine without threads has no such thing. It
   * takes a while where a program forwards many channels, and lets others work meanwhile.
   */
  workerFigures?(): Promise<readonly WorkerFigures[]>;

  /**
   * Ends workers, closes ports and units. After this only what gives something back can be called (close…, remove…,
   * unbridge, detach), for nothing; everything else throws a DataplaneError `closed`.
   */
  close(): Promise<void>;
}
