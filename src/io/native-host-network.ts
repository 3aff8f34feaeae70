import { parseIpAddress } from "../wire/ip-address.ts";
import { parseNetlinkMessages } from "../wire/rtnetlink.ts";
import {
  getLinksRequest,
  type LinkEvent,
  type LinkInfo,
  parseLinkEvent,
  RTMGRP_LINK,
} from "../wire/rtnetlink-link.ts";
import { getRouteRequest, parseRoute } from "../wire/rtnetlink-route.ts";
import { changeDeviceRoutes } from "./device-routes.ts";
import { type HostNetwork, LinkTable } from "./host-network.ts";
import { linkSpeed } from "./link-speed.ts";
import { addon } from "./native.ts";
import { watchNetlink } from "./netlink-watch.ts";
import { openUnitNamespace } from "./unit-namespace.ts";

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
  const currentLinks = (): LinkInfo[] =>
    ask(getLinksRequest).flatMap((message) => {
      const event = parseLinkEvent(message);
      return event?.kind === "link" ? [event.link] : [];
    });
  const happened = (event: LinkEvent): void => {
    links.apply(event);
    handler(event);
  };
  for (const link of currentLinks()) links.apply({ kind: "link", link });
  const watcher = watchNetlink(notifications, {
    heard(part) {
      for (const message of parseNetlinkMessages([part])) {
        const event = parseLinkEvent(message);
        if (event !== undefined) happened(event);
      }
    },
    overrun() {
      // thousands of devices came or went at once, and some of it was not heard: look at what is there now
      for (const event of links.difference(currentLinks())) happened(event);
    },
  });
  return {
    linkByName: (name) => links.byName(name),
    hasAddress(address, device) {
      const octets = parseIpAddress(address);
      if (octets === undefined) return false;
      // an IPv6 address is local once duplicate address detection is done with it
      const isLocal = (from: { readonly ifindex?: number }): boolean =>
        ask((n) => getRouteRequest(n, octets, from)).some((message) => parseRoute(message)?.type === "local");
      if (isLocal({})) return true;
      // a VRF has a table of its own, and a link-local address is its link's
      const link = device === undefined ? undefined : links.byName(device);
      return link !== undefined && isLocal({ ifindex: link.ifindex });
    },
    speedOf: linkSpeed,
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
    changeRoutes: changeDeviceRoutes,
    async checkNamespace(netns) {
      addon.close((await openUnitNamespace(addon, netns, 0)).netlink);
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
