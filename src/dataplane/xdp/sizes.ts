import {
  XDP_CHANNEL_BYTES,
  XDP_COUNTERS_BYTES,
  XDP_INTERFACE_BYTES,
  XDP_PEER_BYTES,
  type XdpSizes,
} from "../../io/xdp.ts";
import type { LoopOptions } from "../loop/options.ts";
import { SESSION_PAGE } from "../loop/tables.ts";

/*
 * All of the program's tables is memory from the start, so they have room for what is likely, not for what is possible:
 * what there is no room for is the loop's.
 */

/** An ifindex is never given out twice while a system runs: a host that makes devices for sessions gets far. */
const INTERFACES = 1 << 18;
const PORTS = 16;
const TUNNELS = 4608;
/** Descriptions of peers that wait for the end of a grace period. */
const SPARE_PEER_SLOTS = 4096;
const SPARE_CHANNELS = 8192;
/** What the kernel has for each interface besides its entry: a pointer to the device. */
const DEVICE_BYTES = 8;

/** What the program's tables have room for, by what the loop's have. */
export function programSizes(loop: Pick<LoopOptions, "maxPorts" | "maxPeers" | "maxChannels">): XdpSizes {
  const tunnels = Math.min(TUNNELS, loop.maxChannels);
  // those of tunnels: what a subscriber gets stands in the entries of its session
  const peers = Math.min(loop.maxPeers, tunnels);
  return {
    interfaces: INTERFACES,
    ports: Math.min(loop.maxPorts, PORTS),
    tunnels,
    // ids of a tunnel are given out one after the other: it has a page that is not full at either end
    sessionPages: 2 * tunnels + Math.ceil((2 * loop.maxChannels) / SESSION_PAGE),
    // those that were taken back wait for the end of a grace period
    channels: loop.maxChannels + Math.min(loop.maxChannels, SPARE_CHANNELS),
    peers,
    peerSlots: peers + SPARE_PEER_SLOTS,
  };
}

/** Octets of the program's tables, and what of it comes with each channel. */
export function programMemory(sizes: XdpSizes, cpus: number): { bytes: number; bytesPerChannel: number } {
  const bytesPerChannel = XDP_CHANNEL_BYTES + cpus * XDP_COUNTERS_BYTES;
  const pages = sizes.tunnels + sizes.sessionPages;
  const bytes =
    sizes.interfaces * (XDP_INTERFACE_BYTES + DEVICE_BYTES) +
    4 * (sizes.ports + 1) * 0x1_0000 +
    4 * 0x1_0000 +
    4 * SESSION_PAGE * pages +
    sizes.channels * bytesPerChannel +
    4 * sizes.peers +
    sizes.peerSlots * XDP_PEER_BYTES;
  return { bytes, bytesPerChannel };
}
