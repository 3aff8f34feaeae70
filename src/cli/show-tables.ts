import { duration } from "../base/words.ts";
import { meaningOf } from "../gateway/counter-meanings.ts";
import type {
  CaptureView,
  DropView,
  InterfaceView,
  NamedRateView,
  PoolView,
  UserView,
  WorkerView,
} from "../gateway/operations-views.ts";
import type { ChannelView, L2tpLegView, LnsView, SessionView, TunnelView } from "../gateway/views.ts";
import { quantity } from "./numbers-text.ts";
import type { Tone } from "./paint.ts";
import type { Column } from "./table.ts";

const SESSION_TONES: Readonly<Record<SessionView["state"], Tone>> = {
  authenticating: "warning",
  calling: "warning",
  network: "warning",
  open: "good",
  closing: "faint",
};

export const SESSION_COLUMNS: readonly Column<SessionView>[] = [
  { title: "SESSION", value: (session) => session.id },
  { title: "ROLE", value: (session) => session.role },
  {
    title: "STATE",
    value: (session) => session.state,
    tone: (session) => SESSION_TONES[session.state],
    whole: true,
  },
  { title: "USER", value: (session) => session.user },
  { title: "FROM", value: (session) => from(session) },
  { title: "TO", value: (session) => (session.onward === null ? session.device : leg(session.onward)) },
  { title: "ADDRESS", value: (session) => session.address },
  { title: "OPEN", value: (session) => duration(session.openForSeconds), align: "right" },
  { title: "IN", value: (session) => quantity(session.octetsIn), align: "right" },
  { title: "OUT", value: (session) => quantity(session.octetsOut), align: "right" },
];

const TUNNEL_TONES: Readonly<Record<TunnelView["state"], Tone>> = {
  "wait-ctl-reply": "warning",
  "wait-ctl-conn": "warning",
  established: "good",
  closing: "faint",
};

export const TUNNEL_COLUMNS: readonly Column<TunnelView>[] = [
  { title: "TUNNEL", value: (tunnel) => `${tunnel.localTunnelId}/${tunnel.remoteTunnelId}`, align: "right" },
  { title: "PEER", value: (tunnel) => tunnel.peer },
  { title: "HOST-NAME", value: (tunnel) => tunnel.hostName, spare: 1 },
  {
    title: "STATE",
    value: ({ state, notAnsweringForSeconds: silent }) =>
      silent === null ? state : `not answering for ${duration(silent)}`,
    tone: (tunnel) => (tunnel.notAnsweringForSeconds === null ? TUNNEL_TONES[tunnel.state] : "bad"),
    whole: true,
  },
  { title: "CALLED-BY", value: (tunnel) => (tunnel.initiator ? "us" : "peer"), spare: 2 },
  { title: "LOCAL", value: (tunnel) => tunnel.localAddress, spare: 2 },
  { title: "REMOTE", value: (tunnel) => endpoint(tunnel.remoteAddress, tunnel.remotePort) },
  { title: "SESSIONS", value: (tunnel) => tunnel.sessions, align: "right" },
  { title: "UP", value: (tunnel) => duration(tunnel.establishedForSeconds), align: "right" },
  {
    title: "RTT",
    value: ({ roundTripMs }) => (roundTripMs === null ? null : `${roundTripMs.toFixed(1)}ms`),
    align: "right",
    spare: 1,
  },
  { title: "RESENT", value: (tunnel) => tunnel.retransmitted, align: "right", spare: 2 },
];

const LNS_TONES: Readonly<Record<LnsView["state"], Tone | undefined>> = {
  up: "good",
  calling: "warning",
  idle: undefined,
  slow: "warning",
  "not-answering": "bad",
  "locked-out": "bad",
};

export const LNS_COLUMNS: readonly Column<LnsView>[] = [
  { title: "GROUP", value: (lns) => lns.group },
  { title: "LNS", value: (lns) => lns.peer },
  { title: "PREFERENCE", value: (lns) => lns.preference, align: "right", spare: 2 },
  { title: "WEIGHT", value: (lns) => lns.weight, align: "right", spare: 2 },
  {
    title: "STATE",
    value: ({ state, notAnsweringForSeconds: silent }) =>
      state === "not-answering" ? `not answering for ${duration(silent)}` : state,
    tone: (lns) => LNS_TONES[lns.state],
    whole: true,
  },
  { title: "TUNNELS", value: (lns) => lns.tunnels, align: "right", spare: 1 },
  { title: "SESSIONS", value: (lns) => lns.sessions, align: "right", spare: 1 },
  { title: "LOCKED-FOR", value: (lns) => duration(lns.lockedForSeconds), align: "right" },
  { title: "REASON", value: (lns) => lns.reason },
];

export const CHANNEL_COLUMNS: readonly Column<ChannelView>[] = [
  { title: "CHANNEL", value: (channel) => channel.channel, align: "right" },
  { title: "KIND", value: (channel) => channel.kind },
  { title: "STATE", value: (channel) => channel.state },
  { title: "TO", value: (channel) => channel.bridgedTo ?? channel.device },
  { title: "SESSION", value: (channel) => channel.session },
  { title: "FRAMES-IN", value: (channel) => channel.framesIn, align: "right" },
  { title: "OCTETS-IN", value: (channel) => channel.octetsIn, align: "right" },
  { title: "FRAMES-OUT", value: (channel) => channel.framesOut, align: "right" },
  { title: "OCTETS-OUT", value: (channel) => channel.octetsOut, align: "right" },
];

export const USER_COLUMNS: readonly Column<UserView>[] = [
  { title: "USER", value: ({ user }) => user },
  { title: "SESSIONS", value: ({ sessions }) => sessions, align: "right" },
  { title: "OPEN", value: ({ openSessions }) => openSessions, align: "right" },
  { title: "NEWEST", value: ({ ids }) => ids[0] },
  { title: "STARTED", value: ({ lastStartedAt }) => lastStartedAt },
  { title: "IN", value: ({ octetsIn }) => quantity(octetsIn), align: "right" },
  { title: "OUT", value: ({ octetsOut }) => quantity(octetsOut), align: "right" },
];

const INTERFACE_TONES: Readonly<Record<InterfaceView["state"], Tone>> = {
  open: "good",
  draining: "warning",
  waiting: "bad",
};

export const INTERFACE_COLUMNS: readonly Column<InterfaceView>[] = [
  { title: "INTERFACE", value: (each) => each.interface },
  { title: "STATE", value: ({ state }) => state, tone: ({ state }) => INTERFACE_TONES[state], whole: true },
  {
    title: "SPEED",
    value: ({ linkBitsPerSecond: speed }) => (speed === null ? null : `${quantity(speed)}bit/s`),
    align: "right",
  },
  { title: "SESSIONS", value: ({ sessions }) => sessions, align: "right" },
  { title: "SETTING-UP", value: ({ settingUp }) => settingUp, align: "right" },
  { title: "WAITING", value: ({ waiting }) => waiting, align: "right" },
  { title: "LOAD", value: ({ load }) => `${Math.round(load * 100)}%`, align: "right" },
  { title: "PADI", value: ({ padiReceived }) => padiReceived, align: "right" },
  { title: "PADO", value: ({ padoSent }) => padoSent, align: "right" },
  { title: "PADS", value: ({ padsSent }) => padsSent, align: "right" },
  { title: "REFUSED", value: ({ padsRefused }) => padsRefused, align: "right" },
];

export const DROP_COLUMNS: readonly Column<DropView>[] = [
  { title: "REASON", value: ({ reason }) => reason },
  { title: "FRAMES", value: ({ frames }) => frames, align: "right" },
  { title: "MEANING", value: ({ meaning }) => meaning },
];

export const POOL_COLUMNS: readonly Column<PoolView>[] = [
  { title: "POOL", value: ({ pool }) => pool },
  { title: "ADDRESSES", value: ({ size }) => size, align: "right" },
  { title: "USED", value: ({ used }) => used, align: "right" },
  { title: "FREE", value: ({ size, used }) => size - used, align: "right" },
  {
    title: "FULL",
    value: ({ size, used }) => (size === 0 ? null : `${Math.floor((100 * used) / size)}%`),
    align: "right",
  },
];

export const WORKER_COLUMNS: readonly Column<WorkerView>[] = [
  { title: "WORKER", value: ({ worker }) => worker },
  { title: "ENGINE", value: ({ engine }) => engine },
  {
    title: "STATE",
    value: ({ running }) => (running ? "running" : "stopped"),
    tone: ({ running }) => (running ? "good" : "faint"),
  },
  { title: "FRAMES", value: ({ frames }) => frames, align: "right" },
  { title: "PUNTS", value: ({ punts }) => punts, align: "right" },
  { title: "DIED", value: ({ deaths }) => deaths, align: "right" },
  { title: "DROPS", value: dropsText },
];

/** Those that there were, the most frequent first: "send-full 12, too-big 3". */
function dropsText({ drops }: WorkerView): string | null {
  const some = Object.entries(drops)
    .filter(([, frames]) => frames > 0)
    .sort(([, a], [, b]) => b - a);
  return some.length === 0 ? null : some.map(([reason, frames]) => `${reason} ${frames}`).join(", ");
}

export const CAPTURE_COLUMNS: readonly Column<CaptureView>[] = [
  { title: "ID", value: ({ id }) => id },
  { title: "SESSION", value: ({ session }) => session },
  { title: "USER", value: ({ user }) => user },
  { title: "LEGS", value: ({ legs }) => legs.join(", ") },
  { title: "FRAMES", value: ({ frames }) => frames, align: "right" },
  { title: "OCTETS", value: ({ octets }) => quantity(octets), align: "right" },
  { title: "NOT-KEPT", value: ({ passedOver }) => passedOver, align: "right" },
  { title: "UNTIL", value: ({ endsAt }) => endsAt },
  { title: "BY", value: ({ by }) => by },
];

export const RATE_COLUMNS: readonly Column<{ readonly kind: string } & NamedRateView>[] = [
  { title: "KIND", value: ({ kind }) => kind },
  { title: "NAME", value: ({ name }) => name },
  { title: "SESSIONS", value: ({ sessions }) => sessions, align: "right" },
  { title: "IN-BIT/S", value: (rate) => quantity(8 * rate.octetsInPerSecond), align: "right" },
  { title: "OUT-BIT/S", value: (rate) => quantity(8 * rate.octetsOutPerSecond), align: "right" },
  { title: "IN-FRAMES/S", value: (rate) => quantity(rate.framesInPerSecond), align: "right" },
  { title: "OUT-FRAMES/S", value: (rate) => quantity(rate.framesOutPerSecond), align: "right" },
];

type Pair = readonly [name: string, value: string | number | null];

export const PAIR_COLUMNS: readonly Column<Pair>[] = [
  { title: "NAME", value: ([name]) => name },
  { title: "VALUE", value: ([, value]) => value, align: "right" },
];

export const COUNTER_COLUMNS: readonly Column<Pair>[] = [
  ...PAIR_COLUMNS,
  { title: "MEANING", value: ([name]) => meaningOf(name) },
];

function from({ origin }: SessionView): string {
  if (origin.kind === "l2tp") return leg(origin);
  const vlans = origin.vlans.map((vlan) => `.${vlan}`).join("");
  return `${origin.interface}${vlans} ${origin.mac} ${origin.pppoeSessionId}`;
}

/** Peer and our ids: "lns1 12345/678". */
function leg(l2tp: L2tpLegView): string {
  return `${l2tp.peer} ${l2tp.localTunnelId}/${l2tp.localSessionId}`;
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
