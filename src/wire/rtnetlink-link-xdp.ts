/**
 * XDP programs of links, over rtnetlink (rtnetlink(7)), in other network namespaces, too. In the messages of
 * rtnetlink-link.ts:
 *
 *   IFLA_LINK           u32  ifindex of the other end of a veth device
 *   IFLA_LINK_NETNSID   s32  our number for the namespace that it is in, when that is not ours
 *   IFLA_XDP                 nested: IFLA_XDP_ATTACHED u8, 0 for no program
 *   IFLA_TARGET_NETNSID s32  in a request: the namespace that it is about
 */

import { concatBytes } from "../base/bytes.ts";
import {
  AF_UNSPEC,
  attributeText,
  attributeU32,
  emitNetlinkMessage,
  hostU32,
  type NetlinkMessage,
  parseAttributes,
  readHostU32,
} from "./rtnetlink.ts";
import { IFINFOMSG_BYTES, RTM_GETLINK, RTM_NEWLINK } from "./rtnetlink-link.ts";

const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const IFLA_LINK_NETNSID = 37;
const IFLA_XDP = 43;
const IFLA_TARGET_NETNSID = 46;
const IFLA_INFO_KIND = 1;
const IFLA_XDP_ATTACHED = 2;
/** What the kernel calls a namespace that it has no number of ours for. */
const NO_NUMBER = 0xffffffff;

/** The other end of a veth device. */
export interface VethEnd {
  readonly ifindex: number;
  /** Absent when it is in the same network namespace. */
  readonly netnsId?: number;
}

/** Undefined when the message is not about a veth device, or says too little. */
export function parseVethEnd(message: NetlinkMessage): VethEnd | undefined {
  const attributes = parseLink(message);
  const info = parseAttributes(attributes.get(IFLA_LINKINFO) ?? NOTHING, 0);
  if (attributeText(info.get(IFLA_INFO_KIND) ?? NOTHING) !== "veth") return undefined;
  const ifindex = readHostU32(attributes.get(IFLA_LINK));
  if (ifindex === undefined) return undefined;
  if (!attributes.has(IFLA_LINK_NETNSID)) return { ifindex };
  const netnsId = readHostU32(attributes.get(IFLA_LINK_NETNSID));
  return netnsId === undefined || netnsId === NO_NUMBER ? undefined : { ifindex, netnsId };
}

/** Asks for one link; of another namespace that takes CAP_NET_ADMIN there, or in the initial user namespace. */
export function getVethEndRequest(seq: number, { ifindex, netnsId }: VethEnd): Uint8Array {
  const header = concatBytes(Uint8Array.of(AF_UNSPEC, 0, 0, 0), hostU32(ifindex), hostU32(0), hostU32(0));
  const target = netnsId === undefined ? NOTHING : attributeU32(IFLA_TARGET_NETNSID, netnsId);
  return emitNetlinkMessage(RTM_GETLINK, 0, seq, concatBytes(header, target));
}

/** Whether a program is on the link, native or generic. */
export function parseHasProgram(message: NetlinkMessage): boolean {
  const xdp = parseAttributes(parseLink(message).get(IFLA_XDP) ?? NOTHING, 0);
  return (xdp.get(IFLA_XDP_ATTACHED)?.[0] ?? 0) !== 0;
}

function parseLink({ type, payload }: NetlinkMessage): ReadonlyMap<number, Uint8Array> {
  if (type !== RTM_NEWLINK || payload.length < IFINFOMSG_BYTES) return new Map();
  return parseAttributes(payload, IFINFOMSG_BYTES);
}

const NOTHING = new Uint8Array(0);
