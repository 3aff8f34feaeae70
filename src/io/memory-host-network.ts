import type { LinkEvent } from "../wire/rtnetlink-link.ts";
import { type HostNetwork, LinkTable, type RouteChange } from "./host-network.ts";

interface MemoryHostNetwork extends HostNetwork {
  announce(event: LinkEvent): void;
  /** What changeRoutes() was told, in turn. */
  readonly routeChanges: readonly RouteChange[];
  /** Addresses that it does not have; it has all others. */
  readonly missing: Set<string>;
}

/** One for tests: it has the links that announce() told it of, and every route has `mtuBytes`. */
export function memoryHostNetwork(mtuBytes = 1500): MemoryHostNetwork {
  const routeChanges: RouteChange[] = [];
  const missing = new Set<string>();
  const links = new LinkTable();
  let handler: (event: LinkEvent) => void = () => {};
  return {
    linkByName: (name) => links.byName(name),
    missing,
    hasAddress: (address) => !missing.has(address),
    speedOf: () => 10_000_000_000,
    mtuTowards: () => mtuBytes,
    routeChanges,
    changeRoutes: async (change) => {
      routeChanges.push(change);
    },
    checkNamespace: async () => {},
    onLinkEvent(receiver) {
      handler = receiver;
    },
    announce(event) {
      links.apply(event);
      handler(event);
    },
    close() {},
  };
}
