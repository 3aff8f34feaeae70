import type { Region } from "../../io/addon.ts";
import { STALE } from "../drop-codes.ts";
import { Reorder, reorderStateBytes } from "../reorder.ts";
import { peerOf } from "./channel-link.ts";
import type { Dispatch } from "./dispatch.ts";
import type { LoopOptions } from "./options.ts";
import type { Tables } from "./tables.ts";

/** Where a header goes before a message that has waited: more than any needs, and frames stay aligned. */
const HEADROOM_BYTES = 64;

type ReorderOptions = Pick<LoopOptions, "reorderFrames" | "reorderFrameBytes">;

/** Octets of address space of one worker's pool, and of what it knows of so many channels and peers. */
export function reorderBytes(options: ReorderOptions, channels: number, peers: number): number {
  return poolBytes(options) + reorderStateBytes(channels, peers);
}

function poolBytes({ reorderFrames, reorderFrameBytes }: ReorderOptions): number {
  return reorderFrames * reorderFrameBytes;
}

/**
 * One worker's. A channel's messages come by one lane of its peer's port, that of its peer's address, and a lane is
 * received from by one worker at a time: nobody else writes what the channel expects (Tables.channelProgress), and
 * whoever adopts the lane next goes on from there. What has waited is carried on in the batch after, by what the channel is then.
 */
export function makeReorder(
  tables: Tables,
  worker: number,
  region: Pick<Region, "bytes" | "allocate">,
  dispatch: Dispatch,
  options: ReorderOptions,
  clock: () => number,
): Reorder {
  const drops = tables.drops[worker]!;
  const pool = {
    bytes: region.bytes,
    offset: region.allocate(poolBytes(options)),
    slots: options.reorderFrames,
    slotBytes: options.reorderFrameBytes,
    headroomBytes: HEADROOM_BYTES,
  };
  const sink = {
    deliver(channel: number, offset: number, length: number) {
      if (!dispatch.received(channel, offset, length, true)) drops[STALE]! += 1;
    },
    stale() {
      drops[STALE]! += 1;
    },
  };
  const table = {
    serial: tables.channelSerial,
    limits: tables.channelReorder,
    progress: tables.channelProgress,
    peers: tables.sizes.peers,
    peerOf: (channel: number) => peerOf(tables.channelPeer[channel]!),
  };
  return new Reorder(table, pool, sink, tables.sizes.channels, clock);
}
