/**
 * Features of network devices over generic netlink: what a driver can do with XDP (the family "netdev", Linux 6.3), and
 * the switches of ethtool (the family "ethtool", Linux 5.8).
 */

import { emitGenericMessage, parseGenericMessage } from "./generic-netlink.ts";
import {
  attributeList,
  attributeString,
  attributeText,
  attributeU32,
  type NetlinkMessage,
  NLM_F_ACK,
  nestedAttribute,
  parseAttributes,
  readHostU32,
} from "./rtnetlink.ts";

export const NETDEV_FAMILY = "netdev";
export const ETHTOOL_FAMILY = "ethtool";
/** Whose members hear of devices that come, go or get other XDP features. */
export const NETDEV_MANAGEMENT_GROUP = "mgmt";

const NETDEV_CMD_DEV_GET = 1;
const NETDEV_A_DEV_IFINDEX = 1;
const NETDEV_A_DEV_XDP_FEATURES = 3;
/** In XDP features: programs run in the driver, and may redirect; frames that were redirected are transmitted. */
const NETDEV_XDP_ACT_BASIC = 1 << 0;
const NETDEV_XDP_ACT_REDIRECT = 1 << 1;
const NETDEV_XDP_ACT_NDO_XMIT = 1 << 2;

const ETHTOOL_MSG_FEATURES_GET = 11;
const ETHTOOL_MSG_FEATURES_SET = 12;
const ETHTOOL_A_HEADER_DEV_INDEX = 1;
const ETHTOOL_A_FEATURES_HEADER = 1;
const ETHTOOL_A_FEATURES_WANTED = 3;
const ETHTOOL_A_FEATURES_ACTIVE = 4;
const ETHTOOL_A_BITSET_BITS = 3;
const ETHTOOL_A_BITSET_BITS_BIT = 1;
const ETHTOOL_A_BITSET_BIT_NAME = 2;

export function getXdpFeaturesRequest(seq: number, family: number, ifindex: number): Uint8Array {
  return emitGenericMessage(family, NETDEV_CMD_DEV_GET, 0, seq, attributeU32(NETDEV_A_DEV_IFINDEX, ifindex));
}

/** Whether the device transmits what is redirected to it; undefined when the message does not say. */
export function parseIsRedirectTarget(message: NetlinkMessage, family: number): boolean | undefined {
  return hasXdpFeatures(message, family, NETDEV_XDP_ACT_NDO_XMIT);
}

/** Whether a program in its driver may redirect what comes in on it; undefined when the message does not say. */
export function parseCanRedirect(message: NetlinkMessage, family: number): boolean | undefined {
  return hasXdpFeatures(message, family, NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT);
}

function hasXdpFeatures(message: NetlinkMessage, family: number, wanted: number): boolean | undefined {
  const features = parseGenericMessage(message, family)?.get(NETDEV_A_DEV_XDP_FEATURES);
  // 64 bits in the host's order: what we look for is in the lower half, which comes first
  const lower = readHostU32(features);
  return lower === undefined ? undefined : (lower & wanted) === wanted;
}

/** The device that a notification of the family's management group is about. */
export function parseChangedDevice(message: NetlinkMessage, family: number): number | undefined {
  return readHostU32(parseGenericMessage(message, family)?.get(NETDEV_A_DEV_IFINDEX));
}

function deviceHeader(ifindex: number): Uint8Array {
  return nestedAttribute(ETHTOOL_A_FEATURES_HEADER, attributeU32(ETHTOOL_A_HEADER_DEV_INDEX, ifindex));
}

export function getFeaturesRequest(seq: number, family: number, ifindex: number): Uint8Array {
  return emitGenericMessage(family, ETHTOOL_MSG_FEATURES_GET, 0, seq, deviceHeader(ifindex));
}

/** The names of the features that are on; undefined when the message does not say. Of many bits, all by name. */
export function parseActiveFeatures(message: NetlinkMessage, family: number): readonly string[] | undefined {
  const active = parseGenericMessage(message, family)?.get(ETHTOOL_A_FEATURES_ACTIVE);
  const bits = active && parseAttributes(active, 0).get(ETHTOOL_A_BITSET_BITS);
  if (bits === undefined) return undefined;
  return attributeList(bits).flatMap((bit) => {
    const name = parseAttributes(bit, 0).get(ETHTOOL_A_BITSET_BIT_NAME);
    return name === undefined ? [] : [attributeText(name)];
  });
}

/** Asks for features to be switched off: a bit that is named without a value is one that is not wanted. */
export function clearFeaturesRequest(
  seq: number,
  family: number,
  ifindex: number,
  names: readonly string[],
): Uint8Array {
  const bits = names.map((name) =>
    nestedAttribute(ETHTOOL_A_BITSET_BITS_BIT, attributeString(ETHTOOL_A_BITSET_BIT_NAME, name)),
  );
  const wanted = nestedAttribute(ETHTOOL_A_FEATURES_WANTED, nestedAttribute(ETHTOOL_A_BITSET_BITS, ...bits));
  return emitGenericMessage(family, ETHTOOL_MSG_FEATURES_SET, NLM_F_ACK, seq, deviceHeader(ifindex), wanted);
}
