import { existsSync } from "node:fs";
import {
  clearFeaturesRequest,
  ETHTOOL_FAMILY,
  getFeaturesRequest,
  getXdpFeaturesRequest,
  NETDEV_FAMILY,
  parseActiveFeatures,
  parseIsRedirectTarget,
} from "../wire/device-features.ts";
import { getFamilyRequest, parseFamily } from "../wire/generic-netlink.ts";
import { type NetlinkMessage, netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getLinkRequest, parseLinkEvent } from "../wire/rtnetlink-link.ts";
import { parseLinkLayer } from "../wire/rtnetlink-link-layer.ts";
import type { LinkFeatures } from "./link-features.ts";
import { addon } from "./native.ts";

const NETLINK_GENERIC = 16;

/** Tags left to whoever receives, as the sender of a veth pair may: he gets them beside the frame. */
const VLAN_INSERTION = ["tx-vlan-hw-insert", "tx-vlan-stag-hw-insert"];

/** Tags of 802.1Q and of 802.1ad that the card takes off, by the names that the kernel gives them. */
const VLAN_STRIPPING = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];

/** Asks in this process's network namespace. Throws a NativeError when there is no netlink socket to be had. */
export function openLinkFeatures(): LinkFeatures {
  const fd = addon.openNetlink({ groups: 0, protocol: NETLINK_GENERIC });
  let routeFd: number;
  try {
    routeFd = addon.openNetlink({ groups: 0 });
  } catch (error) {
    addon.close(fd);
    throw error;
  }
  let seq = 0;
  const ask = (build: (seq: number) => Uint8Array, socket = fd) => {
    seq += 1;
    return addon.netlinkTransact(socket, build(seq));
  };
  /** What `read` finds first in the answer. */
  const find = <T>(
    build: (seq: number) => Uint8Array,
    read: (message: NetlinkMessage) => T | undefined,
    socket = fd,
  ): T | undefined => {
    for (const message of parseNetlinkMessages(ask(build, socket))) {
      const found = read(message);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const families = new Map<string, number | undefined>();
  /** Undefined when the kernel does not know it. */
  const family = (name: string): number | undefined => {
    if (!families.has(name))
      families.set(
        name,
        find((n) => getFamilyRequest(n, name), parseFamily),
      );
    return families.get(name);
  };
  /** Undefined when the kernel does not say. */
  const active = (ethtool: number, ifindex: number) =>
    find(
      (n) => getFeaturesRequest(n, ethtool, ifindex),
      (message) => parseActiveFeatures(message, ethtool),
    );
  const stripped = (ethtool: number, ifindex: number): string[] => {
    const features = active(ethtool, ifindex);
    return VLAN_STRIPPING.filter((name) => features?.includes(name));
  };
  const nameOf = (ifindex: number): string | undefined => {
    const event = find((n) => getLinkRequest(n, ifindex), parseLinkEvent, routeFd);
    return event?.kind === "link" ? event.link.name : undefined;
  };
  return {
    isRedirectTarget(ifindex, name) {
      const netdev = family(NETDEV_FAMILY);
      const said =
        netdev === undefined
          ? undefined
          : find(
              (n) => getXdpFeaturesRequest(n, netdev, ifindex),
              (message) => parseIsRedirectTarget(message, netdev),
            );
      // kernels before 6.3 do not tell: cards that do native XDP do it both ways, virtual devices only now and then
      return said ?? existsSync(`/sys/class/net/${name}/device`);
    },
    keepVlanTags(ifindex) {
      const ethtool = family(ETHTOOL_FAMILY);
      if (ethtool === undefined) return undefined;
      const names = stripped(ethtool, ifindex);
      if (names.length === 0) return undefined;
      const errno = netlinkErrno(ask((n) => clearFeaturesRequest(n, ethtool, ifindex, names)));
      if (errno === 0 && stripped(ethtool, ifindex).length === 0) return undefined;
      return `it takes VLAN tags off frames, and that cannot be switched off (${names.join(", ")}; errno ${errno})`;
    },
    otherEnd(ifindex) {
      const veth = find((n) => getLinkRequest(n, ifindex), parseLinkLayer, routeFd)?.veth;
      if (veth === undefined) return undefined;
      const { otherIfindex } = veth;
      if (otherIfindex === undefined) return { name: undefined, hidesTags: undefined };
      const ethtool = family(ETHTOOL_FAMILY);
      const features = ethtool === undefined ? undefined : active(ethtool, otherIfindex);
      return {
        name: nameOf(otherIfindex),
        hidesTags: features && VLAN_INSERTION.some((name) => features.includes(name)),
      };
    },
    nameOf,
    close() {
      addon.close(fd);
      addon.close(routeFd);
    },
  };
}
