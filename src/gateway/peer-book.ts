import { isDeepStrictEqual } from "node:util";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import type { L2tpEndpointConfig, L2tpPeerConfig } from "../l2tp/config.ts";
import type { L2tpPorts } from "./l2tp-ports.ts";
import { peerPolicy, poolPolicy } from "./peer-policy.ts";
import type { Surroundings } from "./surroundings.ts";
import type { PoolPolicy } from "./tunnel-pool.ts";

/** Data is looked for so many times in a HELLO interval, and no more seldom than that. */
const LOOKS = 4;
const LONGEST_LOOK_MS = 5000;

/** The L2TP peers of the configuration, as those who deal with tunnels are told of them. */
export class PeerBook {
  readonly #around: Pick<Surroundings, "config">;
  readonly #ports: L2tpPorts;
  #peers: ReadonlyMap<string, PeerConfig> = new Map();
  #policies: ReadonlyMap<string, L2tpPeerConfig> = new Map();
  /** By the peer's address. */
  #controlDscp: ReadonlyMap<string, number> = new Map();

  constructor(around: Pick<Surroundings, "config">, ports: L2tpPorts) {
    this.#around = around;
    this.#ports = ports;
    this.read();
  }

  /**
   * Reads the configuration as it is now. Returns the peers to which a tunnel would be opened in another way than those
   * that stand were.
   */
  read(): ReadonlySet<string> {
    const { peers } = this.#around.config.l2tp;
    const before = this.#policies;
    this.#peers = new Map(peers.map((peer) => [peer.name, peer]));
    this.#policies = new Map(peers.map((peer) => [peer.name, peerPolicy(peer, this.#ports)]));
    this.#controlDscp = new Map(
      peers.flatMap(({ address, controlDscp }) => (address === undefined ? [] : [[address, controlDscp]])),
    );
    const moved = [...this.#policies].filter(([name, policy]) => {
      const known = before.get(name);
      return known !== undefined && !isDeepStrictEqual(opening(known), opening(policy));
    });
    return new Set(moved.map(([name]) => name));
  }

  get(name: string): PeerConfig | undefined {
    return this.#peers.get(name);
  }

  /** Of what is sent to an address; undefined is the default. */
  controlDscp(address: string): number | undefined {
    return this.#controlDscp.get(address);
  }

  /** How often data is looked for in the tunnels: several times in the shortest HELLO interval. */
  get lookIntervalMs(): number {
    const intervals = [...this.#peers.values()].map((peer) => peer.helloIntervalMs / LOOKS);
    return Math.min(LONGEST_LOOK_MS, ...intervals);
  }

  get endpointConfig(): L2tpEndpointConfig {
    return { hostName: this.#around.config.name, peers: [...this.#policies.values()] };
  }

  /** What a peer's tunnels may carry; nothing when it is not in the configuration any more. */
  poolPolicy(name: string): PoolPolicy {
    return poolPolicy(this.#peers.get(name));
  }
}

/** What is settled while a tunnel is being opened, and stays as it is from then on. */
function opening(policy: L2tpPeerConfig) {
  const { remote, hostName, localHostName, secret, hideAvps, receiveWindow, tieBreaker } = policy;
  return { remote, hostName, localHostName, secret, hideAvps, receiveWindow, tieBreaker };
}
