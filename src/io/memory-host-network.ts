import type { LinkEvent } from "../wire/rtnetlink-link.ts";
import { type HostNetwork, LinkTable } from "./host-network.ts";

/** One for tests: it has the links that announce() told it of, and every route has `mtuBytes`. */
export function memoryHostNetwork(mtuBytes = 1500): HostNetwork & { announce(event: LinkEvent): void } {
  const links = new LinkTable();
  let handler: (event: LinkEvent) => void = () => {};
  return {
    linkByName: (name) => links.byName(name),
    hasAddress: () => true,
    speedOf: () => 10_000_000_000,
    mtuTowards: () => mtuBytes,
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
