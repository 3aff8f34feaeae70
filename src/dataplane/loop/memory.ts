import type { PreallocatedMemory } from "../../channel/dataplane.ts";
import type { LoopOptions } from "./options.ts";
import { punterBytes } from "./punter.ts";
import { reorderBytes } from "./reordering.ts";
import { type TableSizes, Tables } from "./tables.ts";

/**
 * What the engine takes whatever ports and units are open: shared tables, and each worker's rings, buckets, pools and
 * area for packets of units.
 */
export function preallocatedMemory(options: LoopOptions, sizes: TableSizes): PreallocatedMemory {
  const { channels } = sizes;
  const bytes = bytesFor(options, sizes);
  // tables double with their channels, hash tables too
  const twice = bytesFor(options, { ...sizes, channels: 2 * channels });
  return { bytes, bytesPerChannel: (twice - bytes) / channels };
}

function bytesFor(options: LoopOptions, sizes: TableSizes): number {
  const perWorker =
    options.puntRingBytes +
    options.tapRingBytes +
    options.unitAreaBytes +
    punterBytes(sizes.channels) +
    reorderBytes(options, sizes.channels, sizes.peers);
  return Tables.bytesFor(sizes) + options.workers * perWorker;
}
