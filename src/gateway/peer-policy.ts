import { fromUtf8 } from "../base/bytes.ts";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import type { L2tpPeerConfig } from "../l2tp/config.ts";
import type { L2tpPorts } from "./l2tp-ports.ts";
import type { PoolPolicy } from "./tunnel-pool.ts";

/** Tunnels to one LNS, where the configuration does not say how many. */
const DEFAULT_MAX_TUNNELS = 16;

/** What the L2TP machine must know of a peer in the configuration. */
export function peerPolicy(peer: PeerConfig, ports: L2tpPorts): L2tpPeerConfig {
  const { address, sourceAddress: localAddress } = peer;
  const portKey = address === undefined ? undefined : ports.keyTowards(address, localAddress);
  return {
    name: peer.name,
    accept: peer.role !== "lns",
    hideAvps: peer.hideAvps,
    receiveWindow: peer.receiveWindow,
    helloIntervalMs: peer.helloIntervalMs,
    retransmissions: peer.retransmissions,
    sccrqRetransmissions: peer.initialRetransmissions,
    peerRetransmissionCycleMs: peer.peerRetransmissionCycleMs,
    maxSessions: peer.maxSessions,
    followAddress: peer.followAddress,
    tieBreaker: peer.tieBreaker,
    unknownMandatoryAvp: peer.unknownMandatoryAvp,
    outgoingCalls: peer.outgoingCalls === "accept",
    ...(address !== undefined &&
      portKey !== undefined && {
        remote: { address, port: peer.udpPort, portKey, ...(localAddress !== undefined && { localAddress }) },
      }),
    ...(peer.localHostName !== undefined && { localHostName: peer.localHostName }),
    ...(peer.hostName !== undefined && { hostName: peer.hostName }),
    ...(peer.address !== undefined && { acceptFrom: [peer.address] }),
    ...(peer.secret !== undefined && { secret: fromUtf8(peer.secret.octets()) }),
  };
}

/** What its tunnels may carry. */
export function poolPolicy(peer: PeerConfig | undefined): PoolPolicy {
  return {
    maxSessionsPerTunnel: peer?.maxSessions ?? 0,
    maxTunnels: peer?.maxTunnels ?? (peer?.tieBreaker ? 1 : DEFAULT_MAX_TUNNELS),
    maxSessions: peer?.maxSessionsPerLns ?? Number.POSITIVE_INFINITY,
    idleMs: peer?.tunnelIdleTimeoutMs ?? 0,
    usesTheirs: peer?.role === "both",
  };
}
