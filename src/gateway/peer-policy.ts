import { fromUtf8 } from "../base/bytes.ts";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import type { L2tpPeerConfig } from "../l2tp/config.ts";
import type { L2tpPorts } from "./l2tp-ports.ts";

/** What the L2TP machine must know of a peer in the configuration. */
export function peerPolicy(peer: PeerConfig, ports: L2tpPorts): L2tpPeerConfig {
  const portKey = peer.address === undefined ? undefined : ports.keyTowards(peer.address);
  return {
    name: peer.name,
    accept: peer.role !== "lns",
    hideAvps: peer.hideAvps,
    receiveWindow: peer.receiveWindow,
    helloIntervalMs: peer.helloIntervalMs,
    sccrqRetransmissions: peer.initialRetransmissions,
    ...(peer.address !== undefined &&
      portKey !== undefined && { remote: { address: peer.address, port: peer.udpPort, portKey } }),
    ...(peer.hostName !== undefined && { hostName: peer.hostName }),
    ...(peer.address !== undefined && { acceptFrom: [peer.address] }),
    ...(peer.secret !== undefined && { secret: fromUtf8(peer.secret.octets()) }),
  };
}
