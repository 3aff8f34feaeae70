import { availableParallelism } from "node:os";
import type { TableSizes } from "./tables.ts";
/** Sizes and tuning of the loop engine. Tables are address space: only what is used takes memory. */
export interface LoopOptions {
  /** Forwarding threads at the start. */
  readonly workers: number;
  /**
   * Into how many lanes a port is split as long as it is open, and so how many threads there can be. A unit is one lane.
   * "auto": as many as processors, at most 16, unless there are more workers than that.
   */
  readonly lanes: number | "auto";
  /** How often threads that end by themselves are replaced before it is given up. */
  readonly workerRestarts: RestartLimit;
  readonly maxPorts: number;
  readonly maxPeers: number;
  readonly maxChannels: number;
  readonly maxUnits: number;
  /** Receive ring of an Ethernet port: slots (a power of two) that its lanes share, and octets of each. */
  readonly packetRingSlots: number;
  readonly packetSlotBytes: number;
  /**
   * Receive buffers of each lane of a UDP port; a slot takes what UDP_GRO coalesces, and is no power of two: the headers
   * in all of them would share few lines of a cache.
   */
  readonly udpSlots: number;
  readonly udpSlotBytes: number;
  /** What a worker reads packets of units into, one unit's after the other's: room for several of 64 KiB. */
  readonly unitAreaBytes: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /**
   * Frames of each worker that may be on the way to an access port's device by an AF_XDP socket, a power of two; 0: packet
   * sockets alone. Pinned memory, of 2 KiB each.
   */
  readonly xskSlots: number;
  /** Frames received with one call, and at most queued for one device or socket. */
  readonly batchFrames: number;
  /** What each worker has for sequenced L2TP messages that wait for earlier ones: messages, and octets of each. */
  readonly reorderFrames: number;
  readonly reorderFrameBytes: number;
  /** Address space that one worker's rings and buffers are mapped into. */
  readonly regionBytes: number;
  /** The ring between a worker and the control plane, a power of two. */
  readonly puntRingBytes: number;
  /** And another one for frames of tapped channels: takes no memory before there is one. */
  readonly tapRingBytes: number;
  readonly punts: PuntLimits;
}

export interface RestartLimit {
  readonly most: number;
  readonly withinMs: number;
}

/** Token buckets of each worker; rates a second. */
export interface PuntLimits {
  readonly perChannel: Rate;
  /** All channels together. */
  readonly frames: Rate;
  /** L2TP control messages from the addresses of peers, of all of them together. */
  readonly peerControl: Rate;
  /** And from everyone else: tunnels that are about to be set up, and whatever a forger sends. */
  readonly strangerControl: Rate;
  /** Frames of sessions that nobody has. */
  readonly unknownSession: Rate;
  /** ICMP reports. */
  readonly unreachable: Rate;
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export const DEFAULT_LOOP_OPTIONS: LoopOptions = {
  workers: 1,
  lanes: "auto",
  workerRestarts: { most: 5, withinMs: 60_000 },
  maxPorts: 64,
  maxPeers: 131_072,
  maxChannels: 131_072,
  maxUnits: 16_384,
  packetRingSlots: 16_384,
  packetSlotBytes: 2048,
  udpSlots: 64,
  udpSlotBytes: 65_536 + 192,
  unitAreaBytes: 512 << 10,
  receiveBufferBytes: 8 << 20,
  sendBufferBytes: 8 << 20,
  xskSlots: 1024,
  batchFrames: 256,
  reorderFrames: 4096,
  reorderFrameBytes: 2048,
  regionBytes: 2 ** 30,
  puntRingBytes: 4 << 20,
  tapRingBytes: 4 << 20,
  punts: {
    perChannel: { perSecond: 100, burst: 50 },
    // a login is six frames: 10,000 of them, however fast, and 16,000 a second after that, which no control plane takes
    frames: { perSecond: 100_000, burst: 60_000 },
    peerControl: { perSecond: 50_000, burst: 20_000 },
    strangerControl: { perSecond: 10_000, burst: 5_000 },
    unknownSession: { perSecond: 200, burst: 100 },
    unreachable: { perSecond: 100, burst: 50 },
  },
};

const MOST_AUTO_LANES = 16;

/** What the shared tables have room for, with so many processors. */
export function tableSizesOf(options: LoopOptions, processors: number): TableSizes {
  return {
    workers: lanesOf(options, processors),
    ports: options.maxPorts,
    peers: options.maxPeers,
    channels: options.maxChannels,
    units: options.maxUnits,
  };
}

/** How many lanes there are with so many processors. */
function lanesOf({ lanes, workers }: LoopOptions, processors: number): number {
  return lanes === "auto" ? Math.max(workers, Math.min(processors, MOST_AUTO_LANES)) : lanes;
}

/** `auto`: one less than there are processors, and one at least: the control plane has a thread, too. */
export function workersOf(workers: number | "auto"): number {
  return workers === "auto" ? Math.max(1, availableParallelism() - 1) : workers;
}
