import { formatIpAddress, parseIpAddress } from "../wire/ip-address.ts";
import { parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getAddressesRequest, parseAddress } from "../wire/rtnetlink-address.ts";
import {
  getLinksRequest,
  type LinkEvent,
  type LinkInfo,
  parseLinkEvent,
  RTMGRP_LINK,
} from "../wire/rtnetlink-link.ts";
import { getRouteRequest, parseRoute } from "../wire/rtnetlink-route.ts";
import { addon } from "./native.ts";

/** What the gateway knows of the host's network: which links there are, and where packets would go. */
export interface HostNetwork {
  /** The link that has this name now. */
  linkByName(name: string): LinkInfo | undefined;
  /** Is this one of our addresses at this moment? */
  hasAddress(address: string): boolean;
  /** Largest outer packet towards `address`, as routes and devices say now; undefined when there is no route. */
  mtuTowards(address: string): number | undefined;
  /** The one receiver of what changes. Events come after linkByName() knows of them. */
  onLinkEvent(handler: (event: LinkEvent) => void): void;
  close(): void;
}

/** Links by ifindex, kept true by events. */
class LinkTable {
  readonly #links = new Map<number, LinkInfo>();

  apply(event: LinkEvent): void {
    if (event.kind === "link") this.#links.set(event.link.ifindex, event.link);
    else this.#links.delete(event.ifindex);
  }

  get(ifindex: number): LinkInfo | undefined {
    return this.#links.get(ifindex);
  }

  byName(name: string): LinkInfo | undefined {
    for (const link of this.#links.values()) if (link.name === name) return link;
    return undefined;
  }
}

/** Opens the real thing over rtnetlink, in this process's network namespace. */
export function openHostNetwork(): HostNetwork {
  const links = new LinkTable();
  let handler: (event: LinkEvent) => void = () => {};
  let seq = 0;
  // notifications are joined before the dump, so that nothing falls between the two
  const notifications = addon.openNetlink({ groups: RTMGRP_LINK });
  const requests = addon.openNetlink({ groups: 0 });
  const ask = (build: (seq: number) => Uint8Array) => {
    seq += 1;
    return parseNetlinkMessages(addon.netlinkTransact(requests, build(seq)));
  };
  for (const message of ask(getLinksRequest)) {
    const event = parseLinkEvent(message);
    if (event !== undefined) links.apply(event);
  }
  const watcher = addon.watch(notifications, () => {
    for (let part = addon.receiveFrame(notifications); part; part = addon.receiveFrame(notifications)) {
      for (const message of parseNetlinkMessages([part])) {
        const event = parseLinkEvent(message);
        if (event === undefined) continue;
        links.apply(event);
        handler(event);
      }
    }
  });
  return {
    linkByName: (name) => links.byName(name),
    hasAddress(address) {
      for (const message of ask(getAddressesRequest)) {
        const local = parseAddress(message)?.local;
        if (local !== undefined && formatIpAddress(local) === address) return true;
      }
      return false;
    },
    mtuTowards(address) {
      const octets = parseIpAddress(address);
      if (octets === undefined) return undefined;
      for (const message of ask((n) => getRouteRequest(n, octets))) {
        const route = parseRoute(message);
        if (route?.ifindex === undefined) continue;
        return route.mtuBytes ?? links.get(route.ifindex)?.mtuBytes;
      }
      return undefined;
    },
    onLinkEvent(receiver) {
      handler = receiver;
    },
    close() {
      watcher.close();
      addon.close(notifications);
      addon.close(requests);
    },
  };
}

/** One for tests: it has the links that announce() told it of, and every route has `mtuBytes`. */
export function memoryHostNetwork(mtuBytes = 1500): HostNetwork & { announce(event: LinkEvent): void } {
  const links = new LinkTable();
  let handler: (event: LinkEvent) => void = () => {};
  return {
    linkByName: (name) => links.byName(name),
    hasAddress: () => true,
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
