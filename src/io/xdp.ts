/**
 * What the second, optional addon gives: one XDP program that forwards bridged channels, and its tables as memory.
 * It is there when libbpf and clang were when it was built; the kernel may still refuse it.
 *
 * Tables: all numbers are in host order, so Uint32Array and Uint16Array views fit; octets that are compared with a
 * frame or copied into one are as on the wire. Fill an entry, then make it reachable with one Atomics.store() of a
 * 32-bit number (in access, sessions, peerSlots or a channel's `next`). Take that back, await synchronize(), and the
 * entry may be written again. Number 0 is none: entry 0 of every table is unused. native/xdp/layout.h is the other
 * side of this file.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { NativeError } from "./addon.ts";
import { packageDirectory } from "./native.ts";

/** Entries of each table; all of it is memory that is taken at once. */
export interface XdpSizes {
  /** Interfaces with an ifindex below this can be attached to. 16 octets each, and 8 of the kernel's own. */
  readonly interfaces: number;
  /** Access ports are numbered 1 to this. 256 KiB each. */
  readonly ports: number;
  /** Tunnels are numbered 1 to this (directories). 1 KiB each. */
  readonly tunnels: number;
  /** Pages of 256 sessions of a tunnel, numbered 1 to this. 1 KiB each. */
  readonly sessionPages: number;
  /** Channels are numbered 1 to this. 64 octets each, and 32 for each CPU. */
  readonly channels: number;
  /** Peers are numbered 1 to this. 4 octets each. */
  readonly peers: number;
  /** What describes peers is numbered 1 to this. 192 octets each. */
  readonly peerSlots: number;
}

/** Views of what the program reads, and of what it counts. They stay valid as long as anything refers to them. */
export interface XdpTables {
  /** By ifindex, XDP_INTERFACE_BYTES each. */
  readonly interfaces: ArrayBuffer;
  /** 32-bit numbers, [port << 16 | PPPoE session id] → channel, the first of those that have the id. */
  readonly access: ArrayBuffer;
  /** 32-bit numbers, [our tunnel id] → directory. */
  readonly tunnels: ArrayBuffer;
  /** 32-bit numbers, [directory << 8 | high octet of our session id] → page. */
  readonly directories: ArrayBuffer;
  /** 32-bit numbers, [page << 8 | low octet of our session id] → channel. */
  readonly sessions: ArrayBuffer;
  /** By channel, XDP_CHANNEL_BYTES each. */
  readonly channels: ArrayBuffer;
  /** 32-bit numbers, [peer] → slot. */
  readonly peerSlots: ArrayBuffer;
  /** By slot, XDP_PEER_BYTES each. */
  readonly peers: ArrayBuffer;
  /** [CPU × (channels + 1) + channel], XDP_COUNTERS_BYTES each. */
  readonly counters: ArrayBuffer;
}

/** `interfaces`: how frames that arrive on an interface are read. */
export const XDP_INTERFACE_BYTES = 16;
/** u32: the access port whose sessions its PPPoE frames belong to; 0: PPPoE is left alone. */
export const XDP_INTERFACE_PORT = 0;
/** u32: peers of this domain are believed here; 0: L2TP is left alone. */
export const XDP_INTERFACE_DOMAIN = 4;
/** Six octets: where L2TP must be addressed to. */
export const XDP_INTERFACE_MAC = 8;
/** u16 */
export const XDP_INTERFACE_FLAGS = 14;
/**
 * Leave L2TP messages without a length field to the system. For interfaces in generic mode: what the sender's kernel
 * has not cut apart yet (UDP_SEGMENT over veth) looks like one message.
 */
export const XDP_INTERFACE_NEEDS_LENGTH = 1;
/**
 * Leave L2TP messages to the system whose UDP checksum the sender's kernel has left to a device. For interfaces in
 * generic mode, where that stays with the packet, and the device that it leaves by would write a checksum into it.
 */
export const XDP_INTERFACE_NEEDS_CHECKSUM = 2;

/** `channels`: one end of a bridge. Only bridged channels may be reachable. u32 where nothing else is said. */
export const XDP_CHANNEL_BYTES = 64;
export const XDP_CHANNEL_FLAGS = 0;
/** PPPoE: session id. L2TP: our tunnel id << 16 | our session id. */
export const XDP_CHANNEL_IN_IDS = 4;
/** L2TP: the peer that its frames must come from. */
export const XDP_CHANNEL_IN_PEER = 8;
/** PPPoE: the next channel of that session id on the port, with other tags; at most XDP_CHAIN_MAX are looked at. */
export const XDP_CHANNEL_NEXT = 12;
/** The channel at the other end of the bridge. */
export const XDP_CHANNEL_OTHER = 16;
/** The L2TP peer that its frames go to. */
export const XDP_CHANNEL_TO_PEER = 20;
/** PPPoE: session id. L2TP: the peer's tunnel id << 16 | its session id. */
export const XDP_CHANNEL_TO_IDS = 24;
/** With XDP_CHANNEL_TO_SUBSCRIBER: where frames leave. */
export const XDP_CHANNEL_TO_IFINDEX = 28;
/** PPPoE, two u32: tags that its frames must have, outermost first, TPID << 16 | VLAN id; 0: none. */
export const XDP_CHANNEL_IN_TAGS = 32;
/** PPPoE, twelve octets: MAC addresses that its frames must have, ours first. */
export const XDP_CHANNEL_IN_MACS = 40;
/** With XDP_CHANNEL_TO_SUBSCRIBER, u16: octets of the header below: 14, 18 or 22. */
export const XDP_CHANNEL_TO_HEADER_BYTES = 32;
/** With XDP_CHANNEL_TO_SUBSCRIBER, u16: as XDP_PEER_MAX_PPP. */
export const XDP_CHANNEL_TO_MAX_PPP = 34;
/** With XDP_CHANNEL_TO_SUBSCRIBER: MAC addresses (remote first), tags and EtherType of what it is sent. */
export const XDP_CHANNEL_TO_HEADER = 36;
/** In flags: an L2TP channel. */
export const XDP_CHANNEL_L2TP = 1;
/**
 * In flags, set by the program on both ends of a bridge when a data message with a sequence number came from the
 * right peer: from then on both are left to the system, which numbers what it sends.
 */
export const XDP_CHANNEL_SEQUENCED = 2;
/** In flags: an L2TP channel whose frames go to a PPPoE session. */
export const XDP_CHANNEL_TO_SUBSCRIBER = 4;
export const XDP_CHAIN_MAX = 4;

/** `peers`: what an L2TP peer is now. */
export const XDP_PEER_BYTES = 192;
/** u32 */
export const XDP_PEER_FLAGS = 0;
/** u32: where frames to it leave; 0: not known, they are left to the system. */
export const XDP_PEER_IFINDEX = 4;
/** u16: octets of the header below, 42 to 70, even. */
export const XDP_PEER_HEADER_BYTES = 8;
/** u16: octets of the largest PPP frame, from its protocol field on, that it gets; larger ones are the system's. */
export const XDP_PEER_MAX_PPP = 10;
/** u16, IPv4: the folded sum of the header's words as in `header` (addToSum() of wire/checksum.ts), not complemented. */
export const XDP_PEER_IP_SUM = 12;
/** u16: the folded sum of both addresses, the protocol (17) and both UDP ports; no length is in it. */
export const XDP_PEER_UDP_SUM = 14;
/** Two u32: tags of frames from it, as XDP_CHANNEL_IN_TAGS. */
export const XDP_PEER_IN_TAGS = 16;
/** u32: the domain of the interfaces that it is believed on. */
export const XDP_PEER_DOMAIN = 24;
/**
 * Everything that goes before the L2TP header: MAC addresses (remote first), tags, EtherType, an IPv4 header of 20 octets
 * or an IPv6 header, and the UDP header. Lengths, identification and checksums are 0.
 */
export const XDP_PEER_HEADER = 28;
/** Octets as on the wire. Where its messages come from, and go to. */
export const XDP_PEER_REMOTE_PORT = 100;
export const XDP_PEER_LOCAL_PORT = 102;
/** 16 octets each as on the wire; IPv4 in the first four. */
export const XDP_PEER_REMOTE = 104;
export const XDP_PEER_LOCAL = 120;

/** Bits of a peer's flags. The lowest three and IPV6 are those of the loop's `peerFlags`. */
export const XDP_PEER_LENGTH = 1;
export const XDP_PEER_ADDRESS_CONTROL = 2;
export const XDP_PEER_UDP = 4;
export const XDP_PEER_IPV6 = 16;
/** Send UDP checksums; with IPv6 they are always sent. */
export const XDP_PEER_CHECKSUM = 32;
/**
 * Sum every octet for a UDP checksum. Without it, the sum of an inner TCP or UDP segment is taken from its pseudo
 * header, since it has a checksum of its own: should that be wrong, the outer one is wrong too, and the peer drops
 * what the host that it is for would have dropped.
 */
export const XDP_PEER_SUM_ALL = 64;
/** IPv4: the identification stays 0, as is right with DF (RFC 6864 §4.1). Else every packet gets another one. */
export const XDP_PEER_KEEP_ID = 128;

/**
 * `counters`: what a channel received and the program forwarded; the other end of the bridge sent as much. Three
 * u64: read them with readXdpCounter().
 */
export const XDP_COUNTERS_BYTES = 32;
export const XDP_FRAMES = 0;
/** Of PPP, from the protocol field on. */
export const XDP_OCTETS = 8;
/** How many of the frames were of protocols from 0x8000 on. */
export const XDP_CONTROL = 16;

/** One counter of a Uint32Array over `counters`, at an offset in octets, while its CPU may be counting. */
export function readXdpCounter(words: Uint32Array, offset: number): number {
  const at = offset >>> 2;
  for (;;) {
    const high = words[at + 1]!;
    const low = words[at]!;
    // little-endian; the halves are of one moment when no carry went from one to the other between
    if (words[at + 1] === high) return high * 2 ** 32 + low;
  }
}

/** What the kernel refused. `log`: the end of what its verifier says, when it was the program. */
export interface XdpError extends NativeError {
  readonly log?: string;
}

export type XdpMode = "native" | "generic";

/** The program on one interface, until close() or the end of the process. */
export interface XdpLink {
  readonly mode: XdpMode;
  /** When this returns no frame of the interface finds the program; runs that began may not have ended yet. */
  close(): void;
}

/** Values of `action`; the program gives no other. */
export const XDP_PASS = 2;
export const XDP_REDIRECT = 4;

/** What became of a frame in testRun(). */
export interface XdpVerdict {
  readonly action: number;
  readonly frame: Uint8Array;
  /** Mean time of one run. */
  readonly nanoseconds: number;
}

export interface XdpProgram {
  /**
   * Whether the process has CAP_PERFMON besides CAP_BPF and CAP_NET_ADMIN. Without it the kernel puts barriers against
   * speculation into the program, and a frame takes some three times as long.
   */
  readonly quick: boolean;
  /** CPUs that `counters` has room for: those that were there. What comes in on a later one is left to the system. */
  readonly cpus: number;
  readonly tables: XdpTables;
  /**
   * "auto": native, or generic where the driver has no XDP. Throws an XdpError: EBUSY or EEXIST says which other
   * program is there, ENODEV that there is no such interface in this namespace.
   */
  attach(ifindex: number, mode: XdpMode | "auto"): XdpLink;
  /**
   * Frames may leave by this interface, too, until it is gone: attach() does this for its own. To any other one they do
   * not, whatever a peer's entry says: they are left to the system.
   */
  addDevice(ifindex: number): void;
  /** Resolves when every run of the program that had begun before is over. Calls while one is waited for share the next. */
  synchronize(): Promise<void>;
  /**
   * Runs the program over one frame as if it had arrived on an interface of this namespace (loopback when absent),
   * sending nothing. `repeat`: as often, each time over what the last left.
   */
  testRun(frame: Uint8Array, ifindex?: number, repeat?: number): XdpVerdict;
  /** Ends all links, too. Tables stay readable. */
  close(): void;
}

export interface XdpAddon {
  /** Loads the program into the kernel; throws an XdpError. `plain`: as without CAP_PERFMON, for tests. */
  load(sizes: XdpSizes, plain?: boolean): XdpProgram;
}

const BUILT = join("native", "xdp", "build", "Release", "lacewing_xdp.node");

/** The addon, or why it is not there. */
export function openXdp(): XdpAddon | string {
  const path = join(packageDirectory(dirname(fileURLToPath(import.meta.url))), BUILT);
  if (!existsSync(path)) return `${path} was not built: that takes clang and libbpf-dev`;
  try {
    return createRequire(import.meta.url)(path) as XdpAddon;
  } catch (error) {
    return `${path} cannot be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}
