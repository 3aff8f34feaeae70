import type { ResourceName, Resources } from "../control/resources.ts";
import { meaningOf } from "../gateway/counter-meanings.ts";
import type { ChannelView, L2tpLegView, LnsView, SessionView, TunnelView } from "../gateway/views.ts";
import { type Column, formatTable } from "./table.ts";

/** What `lacewing show` can show. */
export const SHOWN = [
  "sessions",
  "tunnels",
  "lns",
  "channels",
  "counters",
  "status",
] as const satisfies readonly ResourceName[];

const SESSION_COLUMNS: readonly Column<SessionView>[] = [
  { title: "SESSION", value: (session) => session.id },
  { title: "ROLE", value: (session) => session.role },
  { title: "STATE", value: (session) => session.state },
  { title: "USER", value: (session) => session.user },
  { title: "FROM", value: (session) => from(session) },
  { title: "TO", value: (session) => (session.onward === null ? session.device : leg(session.onward)) },
  { title: "ADDRESS", value: (session) => session.address },
  { title: "OPEN", value: (session) => duration(session.openForSeconds), align: "right" },
  { title: "IN", value: (session) => quantity(session.octetsIn), align: "right" },
  { title: "OUT", value: (session) => quantity(session.octetsOut), align: "right" },
];

const TUNNEL_COLUMNS: readonly Column<TunnelView>[] = [
  { title: "TUNNEL", value: (tunnel) => `${tunnel.localTunnelId}/${tunnel.remoteTunnelId}`, align: "right" },
  { title: "PEER", value: (tunnel) => tunnel.peer },
  { title: "HOST-NAME", value: (tunnel) => tunnel.hostName },
  { title: "STATE", value: (tunnel) => tunnel.state },
  { title: "CALLED-BY", value: (tunnel) => (tunnel.initiator ? "us" : "peer") },
  { title: "LOCAL", value: (tunnel) => tunnel.localAddress },
  { title: "REMOTE", value: (tunnel) => endpoint(tunnel.remoteAddress, tunnel.remotePort) },
  { title: "SESSIONS", value: (tunnel) => tunnel.sessions, align: "right" },
  { title: "UP", value: (tunnel) => duration(tunnel.establishedForSeconds), align: "right" },
];

const LNS_COLUMNS: readonly Column<LnsView>[] = [
  { title: "GROUP", value: (lns) => lns.group },
  { title: "LNS", value: (lns) => lns.peer },
  { title: "PREFERENCE", value: (lns) => lns.preference, align: "right" },
  { title: "WEIGHT", value: (lns) => lns.weight, align: "right" },
  { title: "STATE", value: (lns) => lns.state },
  { title: "TUNNELS", value: (lns) => lns.tunnels, align: "right" },
  { title: "SESSIONS", value: (lns) => lns.sessions, align: "right" },
  { title: "LOCKED-FOR", value: (lns) => duration(lns.lockedForSeconds), align: "right" },
  { title: "REASON", value: (lns) => lns.reason },
];

const CHANNEL_COLUMNS: readonly Column<ChannelView>[] = [
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

const PAIR_COLUMNS: readonly Column<readonly [string, string | number | null]>[] = [
  { title: "NAME", value: ([name]) => name },
  { title: "VALUE", value: ([, value]) => value, align: "right" },
];

const COUNTER_COLUMNS: readonly Column<readonly [string, number]>[] = [
  ...PAIR_COLUMNS,
  { title: "MEANING", value: ([name]) => meaningOf(name) },
];

const TABLES: { readonly [Name in ResourceName]: (view: Resources[Name], width?: number) => string } = {
  sessions: (sessions, width) => formatTable(SESSION_COLUMNS, sessions, width),
  tunnels: (tunnels, width) => formatTable(TUNNEL_COLUMNS, tunnels, width),
  lns: (lns, width) => formatTable(LNS_COLUMNS, lns, width),
  channels: (channels, width) => formatTable(CHANNEL_COLUMNS, channels, width),
  counters: (counters, width) => formatTable(COUNTER_COLUMNS, Object.entries(counters), width),
  status: (status, width) => formatTable(PAIR_COLUMNS, Object.entries(status), width),
};

/** A table for a terminal of `width` characters. */
export function showTable<Name extends ResourceName>(
  name: Name,
  view: Resources[Name],
  width?: number,
): string {
  return TABLES[name](view, width);
}

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

/** "45s", "12m05s", "3h04m", "2d03h". */
export function duration(seconds: number | null): string | null {
  if (seconds === null) return null;
  const whole = Math.floor(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d${two(Math.floor(whole / 3600) % 24)}h`;
}

/** Octets with three significant digits: "999", "1.23k", "45.6M". */
export function quantity(octets: number): string {
  let value = octets;
  let unit = "";
  for (const next of ["k", "M", "G", "T", "P"]) {
    if (value < 999.5) break;
    value /= 1000;
    unit = next;
  }
  return unit === "" ? String(value) : `${value.toPrecision(3)}${unit}`;
}
