import { equalBytes } from "../base/bytes.ts";
import type { VlanTag } from "../wire/ethernet.ts";
import { formatIpAddress } from "../wire/ip-address.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import type { LinkLayer } from "../wire/rtnetlink-link-layer.ts";
import type { Neighbour, NeighbourKey } from "../wire/rtnetlink-neighbour.ts";
import type { RouteInfo } from "../wire/rtnetlink-route.ts";

/** Everything that a packet to an address needs before its IP header. */
export interface NextHop {
  /** The device that frames leave by: of a VLAN device the one beneath it. */
  readonly ifindex: number;
  /** Its name now. */
  readonly device: string;
  /** Six octets: of the device that the route names. */
  readonly sourceMac: Uint8Array;
  /** Six octets: the gateway's, or the destination's own when it is on-link. */
  readonly destinationMac: Uint8Array;
  /** Tags to put on, outermost first: when the route's device is a VLAN device, those of it and of what is between. */
  readonly tags: readonly VlanTag[];
  /** Largest IP packet, in octets: the route's MTU, at most the device's. */
  readonly mtuBytes: number;
  /** The source that was asked for, else the one that the kernel chooses; canonical text. */
  readonly localAddress: string;
}

/** Why there is no next hop now, for people: "no route to 192.0.2.1", "device eth1 is down". */
export interface Unresolved {
  readonly reason: string;
}

/** What the kernel is asked. Octets: 4 or 16. */
export interface Question {
  readonly remote: Uint8Array;
  /** The source of the packets: policy rules see it. */
  readonly local?: Uint8Array;
  /** Only by this device. */
  readonly ifindex?: number;
}

/** The way that the kernel's routes and rules say, or the errno with which it said that there is none. */
export type RouteAnswer = RouteInfo | { readonly refused: number };
export type LinkAnswer = { readonly info: LinkInfo; readonly layer: LinkLayer } | "gone";
/** `refused`: the errno with which the kernel would not even look for it. */
export type NeighbourAnswer = Neighbour | "none" | { readonly refused: number };

/** What the kernel has answered. Undefined is not known yet, and will be asked for. */
export interface Knowledge {
  route(question: Question): RouteAnswer | undefined;
  link(ifindex: number): LinkAnswer | undefined;
  neighbour(key: NeighbourKey): NeighbourAnswer | undefined;
}

/** What the XDP programs, and our frames, have room for. */
const MAX_TAGS = 2;

const EPERM = 1;
const EACCES = 13;
const ENODEV = 19;
const EINVAL = 22;

/** The next hop, or why there is none, by what is known; undefined when something must be asked first. */
export function resolveNextHop(question: Question, known: Knowledge): NextHop | Unresolved | undefined {
  const route = known.route(question);
  if (route === undefined) return undefined;
  const obstacle = obstacleOf(route, question);
  if (obstacle !== undefined) return { reason: obstacle };
  const { ifindex, gateway, source, mtuBytes } = route as RouteInfo;
  const way = descend(ifindex!, known);
  if (way === undefined || "reason" in way) return way;
  const address = gateway ?? question.remote;
  const neighbour = known.neighbour({ ifindex: ifindex!, address });
  if (neighbour === undefined) return undefined;
  const destinationMac = macOf(neighbour);
  if (destinationMac === undefined) return { reason: silence(address, way.top.name, neighbour) };
  const local = question.local ?? source;
  if (local === undefined) return { reason: `no address of ours to speak to ${textOf(question)} from` };
  return {
    ifindex: way.bottom.ifindex,
    device: way.bottom.name,
    sourceMac: way.top.mac,
    destinationMac,
    tags: way.tags,
    mtuBytes: Math.min(mtuBytes ?? way.top.mtuBytes, way.top.mtuBytes),
    localAddress: formatIpAddress(local),
  };
}

function textOf({ remote }: Question): string {
  return formatIpAddress(remote);
}

/** What keeps packets from leaving by a device of this host as they are. */
function obstacleOf(route: RouteAnswer, question: Question): string | undefined {
  const remote = textOf(question);
  if ("refused" in route) return refusal(route.refused, question);
  if (route.type === "local") return `${remote} is an address of this host`;
  if (route.type !== "unicast") return `the route to ${remote} is ${route.type}`;
  if (route.encapsulated) return `the route to ${remote} encapsulates packets`;
  return route.ifindex === undefined ? `the route to ${remote} names no device` : undefined;
}

function refusal(errno: number, question: Question): string {
  const remote = textOf(question);
  const { local, ifindex } = question;
  if (errno === EACCES) return `the route to ${remote} is prohibit`;
  if (errno === EINVAL && local === undefined) return `the route to ${remote} is blackhole`;
  if (errno === ENODEV && ifindex !== undefined) return `there is no device ${ifindex}`;
  // it may be that this is no address of ours
  if (local !== undefined) return `no route to ${remote} from ${formatIpAddress(local)}`;
  return `no route to ${remote}`;
}

interface Way {
  /** The device that the route names, and the one that frames leave by. */
  readonly top: LinkInfo;
  readonly bottom: LinkInfo;
  readonly tags: readonly VlanTag[];
}

/** From the device of a route down through VLAN devices. */
function descend(ifindex: number, known: Knowledge): Way | Unresolved | undefined {
  const tags: VlanTag[] = [];
  let top: LinkInfo | undefined;
  for (let next = ifindex; ; ) {
    const link = known.link(next);
    if (link === undefined) return undefined;
    if (link === "gone") return { reason: `device ${next} is gone` };
    const { info, layer } = link;
    if (!layer.ethernet || info.mac.length !== 6)
      return { reason: `device ${info.name} has no Ethernet header` };
    if (!info.up) return { reason: `device ${info.name} is down` };
    if (!layer.carrier) return { reason: `device ${info.name} has no carrier` };
    top ??= info;
    if (layer.vlan === undefined) return { top, bottom: info, tags };
    // the lower a tag, the further out
    tags.unshift(layer.vlan.tag);
    if (tags.length > MAX_TAGS) return { reason: `device ${top.name} has more than ${MAX_TAGS} VLAN tags` };
    if (layer.vlan.lowerIfindex === undefined)
      return { reason: `what is beneath device ${info.name} is in another network namespace` };
    next = layer.vlan.lowerIfindex;
  }
}

function macOf(neighbour: NeighbourAnswer): Uint8Array | undefined {
  return neighbour !== "none" && "mac" in neighbour ? neighbour.mac : undefined;
}

function silence(address: Uint8Array, device: string, neighbour: NeighbourAnswer): string {
  const who = `${formatIpAddress(address)} on device ${device}`;
  if (neighbour === "none" || !("refused" in neighbour)) return `no neighbour yet: ${who} has not answered`;
  const why = neighbour.refused === EPERM ? "CAP_NET_ADMIN is missing" : `errno ${neighbour.refused}`;
  return `no neighbour: asking for ${who} was refused, ${why}`;
}

/** Whether the two say the same to whoever builds frames by them. */
export function sameResolution(a: NextHop | Unresolved, b: NextHop | Unresolved): boolean {
  if ("reason" in a || "reason" in b) return "reason" in a && "reason" in b && a.reason === b.reason;
  return (
    a.ifindex === b.ifindex &&
    a.device === b.device &&
    a.mtuBytes === b.mtuBytes &&
    a.localAddress === b.localAddress &&
    equalBytes(a.sourceMac, b.sourceMac) &&
    equalBytes(a.destinationMac, b.destinationMac) &&
    a.tags.length === b.tags.length &&
    a.tags.every(({ tpid, tci }, i) => tpid === b.tags[i]!.tpid && tci === b.tags[i]!.tci)
  );
}
