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
import type { LinkFeatures } from "./link-features.ts";
import { addon } from "./native.ts";

const NETLINK_GENERIC = 16;

/** Tags of 802.1Q and of 802.1ad that the card takes off, by the names that the kernel gives them. */
const VLAN_STRIPPING = ["rx-vlan-hw-parse", "rx-vlan-stag-hw-parse"];

/** Asks in this process's network namespace. Throws a NativeError when there is no netlink socket to be had. */
export function openLinkFeatures(): LinkFeatures {
  const fd = addon.openNetlink({ groups: 0, protocol: NETLINK_GENERIC });
  let seq = 0;
  const ask = (build: (seq: number) => Uint8Array) => {
    seq += 1;
    return addon.netlinkTransact(fd, build(seq));
  };
  /** What `read` finds first in the answer. */
  const find = <T>(
    build: (seq: number) => Uint8Array,
    read: (message: NetlinkMessage) => T | undefined,
  ): T | undefined => {
    for (const message of parseNetlinkMessages(ask(build))) {
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
  const stripped = (ethtool: number, ifindex: number): string[] => {
    const active = find(
      (n) => getFeaturesRequest(n, ethtool, ifindex),
      (message) => parseActiveFeatures(message, ethtool),
    );
    return VLAN_STRIPPING.filter((name) => active?.includes(name));
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
    close: () => addon.close(fd),
  };
}
