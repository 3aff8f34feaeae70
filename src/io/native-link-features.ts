import { existsSync } from "node:fs";
import type { Clock } from "../base/time.ts";
import {
  clearFeaturesRequest,
  ETHTOOL_FAMILY,
  getFeaturesRequest,
  getXdpFeaturesRequest,
  NETDEV_FAMILY,
  NETDEV_MANAGEMENT_GROUP,
  parseActiveFeatures,
  parseCanRedirect,
  parseIsRedirectTarget,
} from "../wire/device-features.ts";
import {
  getFamilyRequest,
  NETLINK_GENERIC,
  parseFamily,
  parseMulticastGroup,
} from "../wire/generic-netlink.ts";
import { type NetlinkMessage, netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { getLinkRequest, parseLinkEvent } from "../wire/rtnetlink-link.ts";
import { parseLinkLayer } from "../wire/rtnetlink-link-layer.ts";
import { getVethEndRequest, parseHasProgram, parseVethEnd } from "../wire/rtnetlink-link-xdp.ts";
import { type Announcements, LinkFeatureWatch } from "./link-feature-watch.ts";
import type { LinkFeatures } from "./link-features.ts";
import { addon } from "./native.ts";
import { systemClock } from "./system.ts";

/** Tags left to whoever receives, as the sender of a veth pair may: he gets them beside the frame. */
const VLAN_INSERTION = ["tx-vlan-hw-insert", "tx-vlan-stag-hw-insert"];

/** Tags of 802.1Q and of 802.1ad that the card takes off, by the names that the kernel gives them. */
const VLAN_STRIPPING = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];

/** Of a veth device: it takes whole batches of frames, those that are redirected to its other end, too. */
const RECEIVE_COALESCING = "rx-gro";

export interface LinkFeatureOptions {
  /** As on a kernel before 6.3, which does not tell what drivers can do with XDP; for tests. */
  readonly oldKernel?: boolean;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** Asks in this process's network namespace. Throws a NativeError when there is no netlink socket to be had. */
export function openLinkFeatures(options: LinkFeatureOptions = {}): LinkFeatures {
  const { oldKernel = false, clock = systemClock } = options;
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
    if (oldKernel && name === NETDEV_FAMILY) return undefined;
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
  const featuresOf = (ifindex: number): readonly string[] | undefined => {
    const ethtool = family(ETHTOOL_FAMILY);
    return ethtool === undefined ? undefined : active(ethtool, ifindex);
  };
  /** What a veth device needs of its other end (since Linux 5.13); undefined of other devices. */
  const isReadyVeth = (ifindex: number): boolean | undefined => {
    const end = find((n) => getLinkRequest(n, ifindex), parseVethEnd, routeFd);
    if (end === undefined) return undefined;
    if (find((n) => getVethEndRequest(n, end), parseHasProgram, routeFd) === true) return true;
    // in another namespace there is no asking
    return end.netnsId === undefined && featuresOf(end.ifindex)?.includes(RECEIVE_COALESCING) === true;
  };
  /** What `read` finds in what the kernel says of XDP; undefined before Linux 6.3. */
  const xdpFeatures = (ifindex: number, read: typeof parseIsRedirectTarget): boolean | undefined => {
    const netdev = family(NETDEV_FAMILY);
    return netdev === undefined
      ? undefined
      : find(
          (n) => getXdpFeaturesRequest(n, netdev, ifindex),
          (message) => read(message, netdev),
        );
  };
  /** Undefined where the kernel announces nothing. */
  const announcements = (): Announcements | undefined => {
    const netdev = family(NETDEV_FAMILY);
    const group =
      netdev === undefined
        ? undefined
        : find(
            (n) => getFamilyRequest(n, NETDEV_FAMILY),
            (message) => parseMulticastGroup(message, NETDEV_MANAGEMENT_GROUP),
          );
    return netdev === undefined || group === undefined ? undefined : { family: netdev, group };
  };
  let watch: LinkFeatureWatch | undefined;
  return {
    listen(listener) {
      watch = new LinkFeatureWatch(announcements(), listener, clock);
    },
    reconsider: () => watch?.heard(),
    isRedirectTarget(ifindex, name) {
      const said = xdpFeatures(ifindex, parseIsRedirectTarget);
      // kernels before 6.3 do not tell: cards that do native XDP do it both ways, other virtual devices only now and then
      return said ?? isReadyVeth(ifindex) ?? existsSync(`/sys/class/net/${name}/device`);
    },
    mayBecomeTarget(ifindex) {
      if (xdpFeatures(ifindex, parseCanRedirect) !== true) return false;
      // with a veth device it is its other end that counts
      return find((n) => getLinkRequest(n, ifindex), parseLinkLayer, routeFd)?.veth === undefined;
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
      const features = featuresOf(otherIfindex);
      return {
        name: nameOf(otherIfindex),
        hidesTags: features && VLAN_INSERTION.some((name) => features.includes(name)),
      };
    },
    nameOf,
    close() {
      watch?.close();
      watch = undefined;
      addon.close(fd);
      addon.close(routeFd);
    },
  };
}
