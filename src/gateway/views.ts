/*
 * What the gateway shows of itself: plain values, fit for JSON. Times of day are ISO 8601 in UTC; what is not known
 * or does not apply is null, so that every row of a table has every column.
 */

/** What a subscriber's session is to us (docs/architecture.md); null until that is decided. */
export type SessionRole = "lac" | "lts" | "lns" | "pta";

/** Where a session stands: "calling" is for the LNS, "network" for IPCP. */
export type SessionState = "authenticating" | "calling" | "network" | "open" | "closing";

/** RFC 2661 §7.2.1; "closing" while the state of a tunnel that has ended is kept. */
type TunnelState = "wait-ctl-reply" | "wait-ctl-conn" | "established" | "closing";

/** One subscriber. */
export interface SessionView {
  /** Ours, unique while the process lives; the `session` of log lines. */
  readonly id: string;
  readonly role: SessionRole | null;
  readonly state: SessionState;
  readonly user: string | null;
  /** Where it comes from. */
  readonly origin: PppoeOriginView | L2tpLegView;
  /** The call to the LNS; null while there is none, and always where we terminate. */
  readonly onward: L2tpLegView | null;
  /** The unit group, device and address where we terminate. */
  readonly unit: string | null;
  readonly device: string | null;
  readonly address: string | null;
  readonly startedAt: string;
  /** Since it became "open"; null before. */
  readonly openForSeconds: number | null;
  /** PPP octets and frames, "in" from the subscriber and "out" to it. */
  readonly octetsIn: number;
  readonly octetsOut: number;
  readonly framesIn: number;
  readonly framesOut: number;
}

export interface PppoeOriginView {
  readonly kind: "pppoe";
  readonly interface: string;
  /** "02:00:5e:10:00:01". */
  readonly mac: string;
  /** VLAN ids, outermost first. */
  readonly vlans: readonly number[];
  readonly pppoeSessionId: number;
  readonly serviceName: string;
}

/** One session in a tunnel. Ids are L2TP's: ours and the peer's. */
export interface L2tpLegView {
  readonly kind: "l2tp";
  readonly peer: string;
  readonly localTunnelId: number;
  readonly remoteTunnelId: number;
  readonly localSessionId: number;
  readonly remoteSessionId: number;
}

/** One L2TP tunnel. */
export interface TunnelView {
  readonly localTunnelId: number;
  readonly remoteTunnelId: number;
  /** The peer's name in the configuration; null while it has not said who it is. */
  readonly peer: string | null;
  /** Its Host Name AVP. */
  readonly hostName: string | null;
  readonly localAddress: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly state: TunnelState;
  /** Whether we called. */
  readonly initiator: boolean;
  readonly sessions: number;
  readonly establishedForSeconds: number | null;
  /** Since we sent what the peer does not acknowledge although it was repeated twice; null while it answers. */
  readonly notAnsweringForSeconds: number | null;
  /** Control messages that we had to send again. */
  readonly retransmitted: number;
  /** From a control message to its acknowledgement, smoothed; null before the first. */
  readonly roundTripMs: number | null;
  /** Control messages that the peer takes at a time, and how often we had to wait for it to take more. */
  readonly peerWindow: number;
  readonly windowStalls: number;
}

/** One LNS, as a member of a group; a peer that is in no group stands by itself. */
export interface LnsView {
  readonly group: string | null;
  readonly peer: string;
  readonly preference: number;
  readonly weight: number;
  /**
   * "slow": somebody has waited in vain, and the next calls go elsewhere. "not-answering": nothing is acknowledged in any
   * tunnel with it. "idle": there is no tunnel at the moment.
   */
  readonly state: "up" | "calling" | "idle" | "slow" | "not-answering" | "locked-out";
  /** As of the tunnel that has not answered for the longest; null while one of them answers. */
  readonly notAnsweringForSeconds: number | null;
  readonly lockedForSeconds: number | null;
  /** Why it is locked out. */
  readonly reason: string | null;
  readonly tunnels: number;
  /** That we have placed with it. */
  readonly sessions: number;
}

/** One channel of the data plane. */
export interface ChannelView {
  readonly channel: number;
  readonly kind: "pppoe" | "l2tp";
  readonly state: "punted" | "bridged" | "attached";
  /** The other end of its bridge. */
  readonly bridgedTo: number | null;
  /** The device of the unit that it is attached to. */
  readonly device: string | null;
  /** The session that it belongs to. */
  readonly session: string | null;
  readonly framesIn: number;
  readonly octetsIn: number;
  readonly framesOut: number;
  readonly octetsOut: number;
}

/** Everything that counts, by name: "drops.unknown-session", "sessions.opened". */
export type CountersView = Readonly<Record<string, number>>;

export interface StatusView {
  readonly name: string;
  readonly pid: number;
  readonly engine: string;
  /** Of the engine `xdp`: "acc0 (native), core0 (loop: why)"; null of an engine that has no interfaces of its own. */
  readonly interfaces: string | null;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly sessions: number;
  readonly openSessions: number;
  readonly tunnels: number;
  readonly channels: number;
  /** Address space that the data plane took at its start for its tables and rings; memory as far as they are used. */
  readonly preallocatedBytes: number;
  /** What of it each channel that may be takes. */
  readonly preallocatedBytesPerChannel: number;
}
