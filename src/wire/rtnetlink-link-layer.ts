/**
 * What stands beneath a link, over rtnetlink (rtnetlink(7), ip-link(8)): the header that its frames have, the device
 * that a VLAN device puts its tag on for, and the other end of a veth device. The same messages as in rtnetlink-link.ts:
 *
 *   IFLA_LINK          u32  ifindex of the device beneath, or of the other end
 *   IFLA_LINK_NETNSID  s32  there when that device is in another network namespace
 *   IFLA_LINKINFO           nested: IFLA_INFO_KIND "vlan" or "veth", and of "vlan" IFLA_INFO_DATA, nested:
 *                             IFLA_VLAN_ID u16 in the host's order, IFLA_VLAN_PROTOCOL u16 in network order
 */

import { readU16 } from "../base/bytes.ts";
import { TPID_8021Q, type VlanTag } from "./ethernet.ts";
import {
  type Attributes,
  attributeText,
  type NetlinkMessage,
  parseAttributes,
  readHostU16,
  readHostU32,
} from "./rtnetlink.ts";
import { IFINFOMSG_BYTES, RTM_NEWLINK } from "./rtnetlink-link.ts";

const ARPHRD_ETHER = 1;
const IFF_LOWER_UP = 0x10000;

const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_VLAN_ID = 1;
const IFLA_VLAN_PROTOCOL = 5;
const HIGHEST_VLAN_ID = 0xfff;

export interface LinkLayer {
  /** Frames have an Ethernet header: not those of a tunnel or a TUN device. */
  readonly ethernet: boolean;
  /** IFF_LOWER_UP: there is somebody at the other end of the cable. */
  readonly carrier: boolean;
  /** Of a VLAN device. The tag has no priority: what the device would map ours to is not looked at. */
  readonly vlan?: {
    readonly tag: VlanTag;
    /** The device beneath; absent when that is in another network namespace. */
    readonly lowerIfindex?: number;
  };
  /** Of a veth device. */
  readonly veth?: {
    /** The other end; absent when that is in another network namespace. */
    readonly otherIfindex?: number;
  };
}

/** Of a message that parseLinkEvent() finds a link in; of others it means nothing. Undefined when it is cut off. */
export function parseLinkLayer(message: NetlinkMessage): LinkLayer | undefined {
  const { payload } = message;
  if (message.type !== RTM_NEWLINK || payload.length < IFINFOMSG_BYTES) return undefined;
  return {
    ethernet: readHostU16(payload, 2) === ARPHRD_ETHER,
    carrier: (readHostU32(payload, 8)! & IFF_LOWER_UP) !== 0,
    ...parseKind(parseAttributes(payload, IFINFOMSG_BYTES)),
  };
}

function parseKind(attributes: Attributes): Pick<LinkLayer, "vlan" | "veth"> {
  const info = parseAttributes(attributes.get(IFLA_LINKINFO) ?? NOTHING, 0);
  const linked = attributes.has(IFLA_LINK_NETNSID) ? undefined : readHostU32(attributes.get(IFLA_LINK));
  switch (attributeText(info.get(IFLA_INFO_KIND) ?? NOTHING)) {
    case "vlan": {
      const tag = parseTag(parseAttributes(info.get(IFLA_INFO_DATA) ?? NOTHING, 0));
      if (tag === undefined) return {};
      return { vlan: { tag, ...(linked !== undefined && { lowerIfindex: linked }) } };
    }
    case "veth":
      return { veth: { ...(linked !== undefined && { otherIfindex: linked }) } };
    default:
      return {};
  }
}

function parseTag(data: Attributes): VlanTag | undefined {
  const id = readHostU16(data.get(IFLA_VLAN_ID));
  if (id === undefined || id > HIGHEST_VLAN_ID) return undefined;
  const protocol = data.get(IFLA_VLAN_PROTOCOL);
  return { tpid: protocol?.length === 2 ? readU16(protocol, 0) : TPID_8021Q, tci: id };
}

const NOTHING = new Uint8Array(0);
