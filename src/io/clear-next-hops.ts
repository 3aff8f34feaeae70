import { parseIpAddress } from "../wire/ip-address.ts";
import type { IpsecPolicies } from "./ipsec-policies.ts";
import { type NextHop, sameResolution, type Unresolved } from "./next-hop-resolution.ts";
import type { NextHopQuery, NextHops } from "./next-hops.ts";

export interface UdpFlowQuery extends NextHopQuery {
  readonly localPort: number;
  readonly remotePort: number;
}

/** As NextHops, of datagrams between two ports. */
export interface UdpNextHops {
  watch(query: UdpFlowQuery, changed: (hop: NextHop | Unresolved) => void): { close(): void };
  close(): void;
}

/** As many tunnels as there may be. */
const MOST_KNOWN = 4096;

interface Watch {
  readonly query: UdpFlowQuery;
  readonly changed: (hop: NextHop | Unresolved) => void;
  /** What the routes say. */
  hop: NextHop | Unresolved | undefined;
  told: NextHop | Unresolved | undefined;
}

/**
 * Next hops for who sends past the host's network stack: where the host's IPsec policies would protect or block the
 * datagrams, either way, there is none. Both parts are closed with this one.
 */
export class ClearNextHops implements UdpNextHops {
  readonly #hops: NextHops;
  readonly #policies: IpsecPolicies;
  readonly #watches = new Set<Watch>();
  /** Obstacles of flows that were asked for since the policies changed: many tunnels lead to one LNS. */
  readonly #known = new Map<string, string | undefined>();

  constructor(hops: NextHops, policies: IpsecPolicies) {
    this.#hops = hops;
    this.#policies = policies;
    policies.onChange(() => {
      this.#known.clear();
      // who is told may watch others, or close
      for (const watch of [...this.#watches]) this.#tell(watch);
    });
  }

  watch(query: UdpFlowQuery, changed: (hop: NextHop | Unresolved) => void): { close(): void } {
    const watch: Watch = { query, changed, hop: undefined, told: undefined };
    this.#watches.add(watch);
    const watched = this.#hops.watch(query, (hop) => {
      watch.hop = hop;
      this.#tell(watch);
    });
    return {
      close: () => {
        this.#watches.delete(watch);
        watched.close();
      },
    };
  }

  close(): void {
    this.#watches.clear();
    this.#hops.close();
    this.#policies.close();
  }

  #tell(watch: Watch): void {
    const { query, hop, told } = watch;
    if (hop === undefined || !this.#watches.has(watch)) return;
    const reason = "reason" in hop ? undefined : this.#obstacle(query, hop);
    const resolution = reason === undefined ? hop : { reason };
    if (told !== undefined && sameResolution(told, resolution)) return;
    watch.told = resolution;
    watch.changed(resolution);
  }

  #obstacle({ remoteAddress, localPort, remotePort }: UdpFlowQuery, hop: NextHop): string | undefined {
    const { localAddress } = hop;
    const key = [localAddress, localPort, remoteAddress, remotePort].join();
    if (!this.#known.has(key)) {
      if (this.#known.size >= MOST_KNOWN) this.#known.clear();
      const conversation = {
        localAddress: parseIpAddress(localAddress)!,
        localPort,
        remoteAddress: parseIpAddress(remoteAddress)!,
        remotePort,
      };
      this.#known.set(key, this.#policies.obstacle(conversation));
    }
    return this.#known.get(key);
  }
}
