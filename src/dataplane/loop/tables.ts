import { ADDRESS_BYTES } from "../../io/addon.ts";
import { PPPOE_HEADERS_MAX } from "../pppoe-frame.ts";
import { PROGRESS_STRIDE } from "../reorder.ts";
import { ADDRESSES_PER_FAMILY } from "../specs.ts";

/** How much the tables have room for; ids run from 1 to these, and 0 means none. */
export interface TableSizes {
  /** As many as may ever run at once, from 0. */
  readonly workers: number;
  readonly ports: number;
  readonly peers: number;
  readonly channels: number;
  readonly units: number;
}

/** Entries of `control`. */
export const EPOCH = 0;
export const GRACE_WANTED = 1;
/** From here on, CONTROL_STRIDE entries for each worker, on cache lines of their own. */
const CONTROL_WORKERS = 16;
const CONTROL_STRIDE = 16;
export const SEEN = 0;
export const PARKED = 1;
export const COMMANDS = 2;

/** Where an entry of a worker is in `control`. */
export function controlOf(worker: number, entry: number): number {
  return CONTROL_WORKERS + worker * CONTROL_STRIDE + entry;
}

/** Octets for each peer in `peerHeaders`. */
export const PEER_HEADER_STRIDE = 24;

/** Bits of `peerFlags`; the two lowest are the framing of L2TP messages. */
export const PEER_FRAMING = 3;
export const PEER_UDP = 4;
export const PEER_OVERSIZE_DROP = 8;
export const PEER_IPV6 = 16;

/** Entries of one channel in `counters`. */
export const COUNTERS_STRIDE = 4;
export const FRAMES_IN = 0;
export const OCTETS_IN = 1;
export const FRAMES_OUT = 2;
export const OCTETS_OUT = 3;

const DROPS_STRIDE = 32;

/** Bits of `attachFlags`. */
export const ATTACH_CLAMP = 1;
export const ATTACH_IPV6 = 2;
/** The attached addresses are this end's own (UnitSpec.end "subscriber"): packets from the channel go to them. */
export const ATTACH_SUBSCRIBER_END = 4;

/** In `unitChannel`: a shared unit, whose packets are told apart by destination, or by source at a subscriber's end. */
export const UNIT_BY_DESTINATION = -1;
export const UNIT_BY_SOURCE = -2;

/** Sessions of an L2TP tunnel are found by two steps of eight bits. */
export const SESSION_PAGE = 256;
const TUNNELS = 65_536;
/** As many again may wait for the end of a grace period. */
const SESSION_DIRECTORIES = 2 * TUNNELS;
const SESSIONS = 65_536;

/** Words of one record of an AddressTable: unit, prefix length, channel, and the address. */
export const ADDRESS_RECORD_WORDS = 8;

/** What one map from addresses (address-map.ts) is made of. */
export interface AddressTable {
  readonly state: Int32Array;
  /** Two hash tables, one after the other. */
  readonly hash: Int32Array;
  readonly records: Int32Array;
}

/** One view after the other over a buffer, or only their sizes when there is no buffer yet. */
class Layout {
  bytes = 0;
  readonly #buffer: SharedArrayBuffer | undefined;

  constructor(buffer?: SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  int32(count: number): Int32Array {
    const at = this.#take(4 * count);
    return this.#buffer ? new Int32Array(this.#buffer, at, count) : new Int32Array(0);
  }

  uint8(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#buffer ? new Uint8Array(this.#buffer, at, count) : new Uint8Array(0);
  }

  float64(count: number): Float64Array {
    const at = this.#take(8 * count);
    return this.#buffer ? new Float64Array(this.#buffer, at, count) : new Float64Array(0);
  }

  #take(bytes: number): number {
    const at = this.bytes;
    // cache lines are not shared between arrays
    this.bytes = at + ((bytes + 63) & ~63);
    return at;
  }
}

/**
 * What workers forward by: struct of arrays in one SharedArrayBuffer. The control plane's thread is the only
 * writer (of all but what counts, `channelNs`, `channelProgress`, SEQUENCE_SENT and workers' entries of `control`); an entry is
 * published last, and one that was taken back is written again only after a grace period.
 */
export class Tables {
  readonly sizes: TableSizes;
  readonly control: Int32Array;
  /** Channel → its state, what that refers to and its generation (channel-word.ts). Read and written atomically. */
  readonly channelWord: Int32Array;
  /** A peer's id, whether we number what we send, and whether the channel is tapped (channel-link.ts). */
  readonly channelPeer: Int32Array;
  /** What we put into what we send: the PPPoE session id, or tunnel id << 16 | session id. */
  readonly channelIds: Int32Array;
  /** The number of the next message that we send with one: whoever sends takes it atomically. */
  readonly channelNs: Int32Array;
  /** What received messages are put in order by (ReorderTable). */
  readonly channelSerial: Int32Array;
  readonly channelReorder: Int32Array;
  /** And how far they have come: written by the worker that receives the channel's messages. */
  readonly channelProgress: Int32Array;
  /** Peer → the slot that describes it now. Everything called peer… below is by slot. */
  readonly slotOfPeer: Int32Array;
  readonly peerPort: Int32Array;
  /** Where frames to the peer are queued. */
  readonly peerLane: Int32Array;
  readonly peerFlags: Int32Array;
  /** Ethernet: largest PPP frame. UDP: largest payload of a packet that fits the path. */
  readonly peerMaxBytes: Int32Array;
  /** Ethernet: the header that we send, and its octets. */
  readonly peerHeaders: Uint8Array;
  readonly peerHeaderBytes: Int32Array;
  /** UDP: the address record that we send to. */
  readonly addresses: Uint8Array;
  readonly addressWords: Int32Array;
  /** port << 16 | PPPoE session id → channel, the first of those that have the id in different VLANs. */
  readonly pppoeChannel: Int32Array;
  /** Channel → the next of those. */
  readonly pppoeNext: Int32Array;
  /** Our tunnel id → directory; directory × 256 + high octet of our session id → page; page × 256 + low octet → channel. */
  readonly tunnelDirectory: Int32Array;
  readonly sessionDirectories: Int32Array;
  readonly sessionPages: Int32Array;
  /** Unit → the one channel that is attached to it; negative when it is shared. */
  readonly unitChannel: Int32Array;
  /** By attachment (the index in the word of an attached channel). */
  readonly attachUnit: Int32Array;
  readonly attachMru: Int32Array;
  readonly attachFlags: Int32Array;
  /** ADDRESSES_PER_FAMILY entries of address and mask; unused ones match nothing (address 1, mask 0). */
  readonly attachIpv4: Int32Array;
  readonly attachIpv4Mask: Int32Array;
  readonly attachIpv6: Int32Array;
  readonly attachIpv6Mask: Int32Array;
  /** Subscribers' addresses in shared units. */
  readonly subscribers: AddressTable;
  /** Addresses of UDP peers, in what portKey() makes of port and UDP port. */
  readonly udpPeers: AddressTable;
  /** By worker; the row after the last worker's is the control plane's. */
  readonly counters: readonly Float64Array[];
  readonly drops: readonly Float64Array[];
  /** By channel: how many of the frames that it received were PPP control. */
  readonly controlFramesIn: readonly Float64Array[];
  /** By UDP peer. */
  readonly peerFramesIn: readonly Float64Array[];
  /** One entry each: frames received, from wires and units, whatever became of them. */
  readonly framesReceived: readonly Float64Array[];

  private constructor(sizes: TableSizes, layout: Layout) {
    const channels = sizes.channels + 1;
    const slots = peerSlots(sizes) + 1;
    const attachments = attachmentSlots(sizes) + 1;
    this.sizes = sizes;
    this.control = layout.int32(controlOf(sizes.workers, 0));
    this.channelWord = layout.int32(channels);
    this.channelPeer = layout.int32(channels);
    this.channelIds = layout.int32(channels);
    this.channelNs = layout.int32(channels);
    this.channelSerial = layout.int32(channels);
    this.channelReorder = layout.int32(channels);
    this.channelProgress = layout.int32(channels * PROGRESS_STRIDE);
    this.slotOfPeer = layout.int32(sizes.peers + 1);
    this.peerPort = layout.int32(slots);
    this.peerLane = layout.int32(slots);
    this.peerFlags = layout.int32(slots);
    this.peerMaxBytes = layout.int32(slots);
    this.peerHeaders = layout.uint8(slots * PEER_HEADER_STRIDE);
    this.peerHeaderBytes = layout.int32(slots);
    this.addresses = layout.uint8(slots * ADDRESS_BYTES);
    this.addressWords =
      this.addresses.length === 0
        ? new Int32Array(0)
        : new Int32Array(this.addresses.buffer, this.addresses.byteOffset, this.addresses.length / 4);
    this.pppoeChannel = layout.int32((sizes.ports + 1) * SESSIONS);
    this.pppoeNext = layout.int32(channels);
    this.tunnelDirectory = layout.int32(TUNNELS);
    this.sessionDirectories = layout.int32((SESSION_DIRECTORIES + 1) * SESSION_PAGE);
    this.sessionPages = layout.int32((sessionPages(sizes) + 1) * SESSION_PAGE);
    this.unitChannel = layout.int32(sizes.units + 1);
    this.attachUnit = layout.int32(attachments);
    this.attachMru = layout.int32(attachments);
    this.attachFlags = layout.int32(attachments);
    this.attachIpv4 = layout.int32(attachments * ADDRESSES_PER_FAMILY);
    this.attachIpv4Mask = layout.int32(attachments * ADDRESSES_PER_FAMILY);
    this.attachIpv6 = layout.int32(attachments * ADDRESSES_PER_FAMILY * 4);
    this.attachIpv6Mask = layout.int32(attachments * ADDRESSES_PER_FAMILY * 4);
    this.subscribers = addressTable(layout, addressCapacity(sizes));
    this.udpPeers = addressTable(layout, peerSlots(sizes));
    const rows = Array.from({ length: sizes.workers + 1 });
    this.counters = rows.map(() => layout.float64(channels * COUNTERS_STRIDE));
    this.drops = rows.map(() => layout.float64(DROPS_STRIDE));
    this.controlFramesIn = rows.map(() => layout.float64(channels));
    this.peerFramesIn = rows.map(() => layout.float64(sizes.peers + 1));
    this.framesReceived = rows.map(() => layout.float64(1));
  }

  /** A buffer for tables of these sizes, all zero: nothing is there. */
  static allocate(sizes: TableSizes): SharedArrayBuffer {
    return new SharedArrayBuffer(Tables.bytesFor(sizes));
  }

  static bytesFor(sizes: TableSizes): number {
    const layout = new Layout();
    new Tables(sizes, layout);
    return layout.bytes;
  }

  static view(sizes: TableSizes, buffer: SharedArrayBuffer): Tables {
    return new Tables(sizes, new Layout(buffer));
  }
}

/** Twice as many as can be in use: the others wait for the end of a grace period. */
export function peerSlots(sizes: TableSizes): number {
  return 2 * sizes.peers;
}

function sessionPages(sizes: TableSizes): number {
  return 2 * sizes.channels;
}

export function attachmentSlots(sizes: TableSizes): number {
  return 2 * sizes.channels;
}

/** How many addresses all subscribers of shared units may have together. */
export function addressCapacity(sizes: TableSizes): number {
  return 2 * sizes.channels;
}

/** Each hash table has a power of two of buckets, of which at most half are filled. */
function addressTable(layout: Layout, records: number): AddressTable {
  return {
    state: layout.int32(64),
    hash: layout.int32(2 * 2 ** Math.ceil(Math.log2(2 * records + 1))),
    records: layout.int32((records + 1) * ADDRESS_RECORD_WORDS),
  };
}

/** What UDP peers' addresses are looked up in: a peer is known by its address, its UDP port and ours. */
export function portKey(port: number, udpPort: number): number {
  return (port << 16) | udpPort;
}

/** Where frames are queued: for a port, and for its socket without checksums. */
export function laneOfPort(port: number): number {
  return port;
}

export function uncheckedLaneOfPort(sizes: TableSizes, port: number): number {
  return sizes.ports + port;
}

/** Whether what is queued in a lane leaves without UDP checksums. */
export function isUncheckedLane(sizes: TableSizes, lane: number): boolean {
  return lane > sizes.ports;
}

/** PEER_HEADER_STRIDE holds every header before PPPoE's own six octets. */
if (PPPOE_HEADERS_MAX - 6 > PEER_HEADER_STRIDE)
  throw new RangeError("a peer's header does not fit its entry");
