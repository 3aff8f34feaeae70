/**
 * Where outer packets go: the device, MAC addresses, VLAN tags and MTU for an address, as the kernel's routes, policy
 * rules, neighbours and links say at this moment, over rtnetlink.
 */

import { LacewingError } from "../base/errors.ts";
import type { Clock } from "../base/time.ts";
import type { VlanTag } from "../wire/ethernet.ts";

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
  /** Largest IP packet, in octets: the route's MTU, else the device's. */
  readonly mtuBytes: number;
  /** The source that was asked for, else the one that the kernel chooses; canonical text. */
  readonly localAddress: string;
}

/** Why there is no next hop now, for people: "no route to 192.0.2.1", "no neighbour yet", "device eth1 is down". */
export interface Unresolved {
  readonly reason: string;
}

export interface NextHopQuery {
  /** IPv4 or IPv6, as text. */
  readonly remoteAddress: string;
  /** The source of the packets: policy rules see it. The kernel chooses one when absent. */
  readonly localAddress?: string;
  /** Only by this device (a socket that is bound to it). */
  readonly ifindex?: number;
}

export interface NextHops {
  /**
   * Calls `changed` once soon, never from within watch(), and then at every change; never when nothing has changed.
   * Watches of the same question share one answer; the hop that they get is one object.
   */
  watch(query: NextHopQuery, changed: (hop: NextHop | Unresolved) => void): { close(): void };
  /** Nothing is called after this. */
  close(): void;
}

export interface NextHopOptions {
  /** A path of a network namespace ("/run/netns/core"); this process's when absent. */
  readonly netnsPath?: string;
  /** The system's when absent. */
  readonly clock?: Clock;
}

/** Opens the real thing. Throws a NativeError when there is no netlink socket to be had. */
export function openNextHops(_options: NextHopOptions = {}): NextHops {
  throw new LacewingError("not-there", "next hops are being built");
}
