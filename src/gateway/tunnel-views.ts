import type { TunnelView as EndpointTunnel } from "../l2tp/endpoint.ts";
import type { TransportCounters } from "../l2tp/transport.ts";
import type { L2tpPorts } from "./l2tp-ports.ts";
import type { TunnelTable } from "./tunnel-table.ts";
import type { TunnelView } from "./views.ts";

/** Every tunnel of the machine, also those that are coming up or whose state is kept after their end. */
export function tunnelViews(
  tunnels: readonly EndpointTunnel[],
  table: TunnelTable,
  ports: L2tpPorts,
  now: number,
): readonly TunnelView[] {
  return tunnels.map((tunnel) => {
    const upSince = table.get(tunnel.tunnel)?.upSince;
    return {
      localTunnelId: tunnel.tunnel,
      remoteTunnelId: tunnel.remoteTunnelId,
      peer: tunnel.peerName === "" ? null : tunnel.peerName,
      hostName: tunnel.peerHostName === "" ? null : tunnel.peerHostName,
      localAddress: tunnel.remote.localAddress ?? ports.addressOf(tunnel.remote.portKey),
      remoteAddress: tunnel.remote.address,
      remotePort: tunnel.remote.port,
      state: tunnel.phase,
      initiator: tunnel.initiator,
      sessions: tunnel.sessions,
      establishedForSeconds: upSince === undefined ? null : Math.floor((now - upSince) / 1000),
      notAnsweringForSeconds:
        tunnel.phase !== "established" || tunnel.unansweredSince === null
          ? null
          : Math.floor((now - tunnel.unansweredSince) / 1000),
      retransmitted: tunnel.health.retransmitted,
      roundTripMs: inMicroseconds(tunnel.health.roundTripMs),
      peerWindow: tunnel.peerWindow,
      windowStalls: tunnel.health.windowStalls,
    };
  });
}

/** How control messages fared, of all tunnels together. */
export function controlCounters(
  { retransmitted, fastRetransmissions, duplicates }: TransportCounters,
  discards: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  return {
    retransmitted,
    "fast-retransmissions": fastRetransmissions,
    duplicates,
    ...Object.fromEntries(Object.entries(discards).map(([reason, count]) => [`discarded.${reason}`, count])),
  };
}

/** Finer than that is nothing but digits. */
function inMicroseconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1000) / 1000;
}
