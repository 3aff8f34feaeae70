/** Messages as the kernel sends them, and a kernel of plain values that answers by them: for tests without one. */

import { concatBytes, equalBytes, toHex, writeU16 } from "../../src/base/bytes.ts";
import type { VlanTag } from "../../src/wire/ethernet.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";
import {
  attribute,
  attributeString,
  attributeU32,
  emitNetlinkMessage,
  familyOf,
  hostU32,
  nestedAttribute,
  parseAttributes,
  parseNetlinkMessages,
  readHostU32,
} from "../../src/wire/rtnetlink.ts";

const NLMSG_ERROR = 2;
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  NEWADDR: 20,
  DELADDR: 21,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
  NEWRULE: 32,
} as const;
export const NUD = {
  none: 0,
  incomplete: 0x01,
  reachable: 0x02,
  stale: 0x04,
  delay: 0x08,
  failed: 0x20,
  noarp: 0x40,
  permanent: 0x80,
} as const;
const IFF_UP = 0x1;
const IFF_LOWER_UP = 0x10000;
const ARPHRD_ETHER = 1;
const RTN_UNICAST = 1;
const ENOENT = 2;
const ENODEV = 19;
const ENETUNREACH = 101;

export function octets(address: string): Uint8Array {
  return parseIpAddress(address)!;
}

function u16(value: number): Uint8Array {
  return hostU32(value).subarray(0, 2);
}

export interface PlayedLink {
  readonly ifindex: number;
  readonly name: string;
  readonly mac: Uint8Array;
  readonly mtuBytes?: number;
  readonly up?: boolean;
  readonly carrier?: boolean;
  /** ARPHRD_*; Ethernet when absent. */
  readonly type?: number;
  /** A VLAN device on this one; `netns`: which is elsewhere. */
  readonly vlan?: { readonly lower: number; readonly tag: VlanTag; readonly netns?: boolean };
}

export function linkMessage(type: number, seq: number, link: PlayedLink): Uint8Array {
  const flags = (link.up === false ? 0 : IFF_UP) | (link.carrier === false ? 0 : IFF_LOWER_UP);
  return emitNetlinkMessage(
    type,
    0,
    seq,
    concatBytes(
      Uint8Array.of(0, 0),
      u16(link.type ?? ARPHRD_ETHER),
      hostU32(link.ifindex),
      hostU32(flags),
      hostU32(0),
      attributeString(3, link.name),
      attributeU32(4, link.mtuBytes ?? 1500),
      attribute(1, link.mac),
      ...vlanAttributes(link.vlan),
    ),
  );
}

function vlanAttributes(vlan: PlayedLink["vlan"]): readonly Uint8Array[] {
  if (vlan === undefined) return [];
  const protocol = new Uint8Array(2);
  writeU16(protocol, 0, vlan.tag.tpid);
  return [
    attributeU32(5, vlan.lower),
    ...(vlan.netns ? [attributeU32(37, 0)] : []),
    nestedAttribute(
      18,
      attributeString(1, "vlan"),
      nestedAttribute(2, attribute(5, protocol), attribute(1, u16(vlan.tag.tci))),
    ),
  ];
}

export interface PlayedNeighbour {
  readonly ifindex: number;
  readonly address: Uint8Array;
  /** NUD_*. */
  readonly state: number;
  readonly mac?: Uint8Array;
}

export function neighbourMessage(type: number, seq: number, neighbour: PlayedNeighbour): Uint8Array {
  return emitNetlinkMessage(
    type,
    0,
    seq,
    concatBytes(
      Uint8Array.of(familyOf(neighbour.address), 0, 0, 0),
      hostU32(neighbour.ifindex),
      u16(neighbour.state),
      Uint8Array.of(0, 1),
      attribute(1, neighbour.address),
      neighbour.mac === undefined ? new Uint8Array(0) : attribute(2, neighbour.mac),
    ),
  );
}

export interface PlayedRoute {
  readonly ifindex: number;
  readonly gateway?: Uint8Array;
  readonly source?: Uint8Array;
  readonly mtuBytes?: number;
  /** RTN_*; unicast when absent. */
  readonly type?: number;
}

export function routeMessage(
  type: number,
  seq: number,
  destination: Uint8Array,
  prefixLength: number,
  route: PlayedRoute,
): Uint8Array {
  const body = [
    Uint8Array.of(familyOf(destination), prefixLength, 0, 0),
    Uint8Array.of(254, 3, 0, route.type ?? RTN_UNICAST, 0, 0, 0, 0),
    attribute(1, destination),
    attributeU32(4, route.ifindex),
  ];
  const { gateway, source, mtuBytes } = route;
  if (gateway !== undefined)
    body.push(
      gateway.length === destination.length
        ? attribute(5, gateway)
        : attribute(18, concatBytes(u16(familyOf(gateway)), gateway)),
    );
  if (source !== undefined) body.push(attribute(7, source));
  if (mtuBytes !== undefined) body.push(nestedAttribute(8, attributeU32(2, mtuBytes)));
  return emitNetlinkMessage(type, 0, seq, concatBytes(...body));
}

export function addressMessage(type: number, ifindex: number, address: Uint8Array): Uint8Array {
  const header = Uint8Array.of(familyOf(address), 8 * address.length, 0, 0);
  return emitNetlinkMessage(type, 0, 0, concatBytes(header, hostU32(ifindex), attribute(2, address)));
}

export function ruleMessage(): Uint8Array {
  return emitNetlinkMessage(RTM.NEWRULE, 0, 0, new Uint8Array(12));
}

/** A refusal, or an acknowledgement with 0. */
export function errorMessage(seq: number, errno: number): Uint8Array {
  return emitNetlinkMessage(NLMSG_ERROR, 0, seq, concatBytes(hostU32(-errno >>> 0), new Uint8Array(16)));
}

/** Links, routes and neighbours; whoever changes them says so in `events`. */
export class PlayedKernel {
  readonly links = new Map<number, PlayedLink>();
  /** By "remote", or "remote from local". An errno: there is no route. */
  readonly routes = new Map<string, PlayedRoute | number>();
  readonly neighbours = new Map<string, PlayedNeighbour>();
  /** Who answers when he is looked for, by key(). */
  readonly hosts = new Map<string, Uint8Array>();
  /** Notifications that nobody has read. */
  readonly events: Uint8Array[] = [];
  /** Every request, by its RTM_*. */
  readonly asked: number[] = [];
  /** With which errno NTF_USE is refused. */
  refusesUse = 0;

  static key(ifindex: number, address: Uint8Array): string {
    return `${ifindex} ${toHex(address)}`;
  }

  setLink(link: PlayedLink): void {
    this.links.set(link.ifindex, link);
    this.events.push(linkMessage(RTM.NEWLINK, 0, link));
  }

  deleteLink(ifindex: number): void {
    const link = this.links.get(ifindex);
    if (link === undefined) return;
    this.links.delete(ifindex);
    this.events.push(linkMessage(RTM.DELLINK, 0, link));
  }

  /** `key`: "192.0.2.1" or "192.0.2.1 from 10.0.0.1"; the notification is about the destination alone. */
  setRoute(key: string, route: PlayedRoute | number): void {
    this.routes.set(key, route);
    const destination = octets(key.split(" ")[0]!);
    const told = typeof route === "number" ? { ifindex: 1 } : route;
    const type = typeof route === "number" ? RTM.DELROUTE : RTM.NEWROUTE;
    this.events.push(routeMessage(type, 0, destination, 8 * destination.length, told));
  }

  setNeighbour(neighbour: PlayedNeighbour): void {
    this.neighbours.set(PlayedKernel.key(neighbour.ifindex, neighbour.address), neighbour);
    this.events.push(neighbourMessage(RTM.NEWNEIGH, 0, neighbour));
  }

  deleteNeighbour(ifindex: number, address: Uint8Array): void {
    const key = PlayedKernel.key(ifindex, address);
    const neighbour = this.neighbours.get(key);
    if (neighbour === undefined) return;
    this.neighbours.delete(key);
    this.events.push(neighbourMessage(RTM.DELNEIGH, 0, neighbour));
  }

  answer(request: Uint8Array): Uint8Array[] {
    const { type, seq, payload } = parseNetlinkMessages([request])[0]!;
    this.asked.push(type);
    if (type === RTM.GETLINK) {
      const link = this.links.get(readHostU32(payload, 4)!);
      return [link === undefined ? errorMessage(seq, ENODEV) : linkMessage(RTM.NEWLINK, seq, link)];
    }
    if (type === RTM.GETROUTE) return [this.#route(seq, payload)];
    const ifindex = readHostU32(payload, 4)!;
    const address = Uint8Array.from(parseAttributes(payload, 12).get(1)!);
    if (type === RTM.NEWNEIGH) return [errorMessage(seq, this.#use(ifindex, address))];
    const neighbour = this.neighbours.get(PlayedKernel.key(ifindex, address));
    return [
      neighbour === undefined ? errorMessage(seq, ENOENT) : neighbourMessage(RTM.NEWNEIGH, seq, neighbour),
    ];
  }

  #route(seq: number, payload: Uint8Array): Uint8Array {
    const attributes = parseAttributes(payload, 12);
    const remote = attributes.get(1)!;
    const local = attributes.get(2);
    const keyed = [...this.routes].filter(([key]) => {
      const [to, , from] = key.split(" ");
      return (
        equalBytes(octets(to!), remote) &&
        (from === undefined || (local !== undefined && equalBytes(octets(from), local)))
      );
    });
    // one from an address goes before one from any
    const route = keyed.sort(([a], [b]) => b.length - a.length)[0]?.[1] ?? ENETUNREACH;
    return typeof route === "number"
      ? errorMessage(seq, route)
      : routeMessage(RTM.NEWROUTE, seq, Uint8Array.from(remote), 8 * remote.length, route);
  }

  /** As if there were a packet for it. */
  #use(ifindex: number, address: Uint8Array): number {
    if (this.refusesUse !== 0) return this.refusesUse;
    if (!this.links.has(ifindex)) return ENODEV;
    const key = PlayedKernel.key(ifindex, address);
    const mac = this.hosts.get(key);
    const before = this.neighbours.get(key);
    if (before !== undefined && (before.state & (NUD.permanent | NUD.noarp)) !== 0)
      throw new Error("it would not be permanent any more");
    if (mac !== undefined) this.setNeighbour({ ifindex, address, state: NUD.reachable, mac });
    // neither is announced; one whose MAC address is known keeps it until it is given up
    else if (before?.mac !== undefined) this.neighbours.set(key, { ...before, state: NUD.delay });
    else this.neighbours.set(key, { ifindex, address, state: NUD.incomplete });
    return 0;
  }

  /** What was looked for and is not there is given up. */
  giveUp(): void {
    for (const neighbour of [...this.neighbours.values()])
      if ((neighbour.state & (NUD.incomplete | NUD.delay)) !== 0)
        this.setNeighbour({ ifindex: neighbour.ifindex, address: neighbour.address, state: NUD.failed });
  }
}
