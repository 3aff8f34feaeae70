/** Reads a capture of ours (pcapng.ts) bit by bit, as far as who passes it on must know it. */

import { concatBytes } from "../base/bytes.ts";
import {
  BLOCK_NAMES,
  BLOCK_PACKET,
  BLOCK_SECTION,
  BLOCK_STATISTICS,
  BYTE_ORDER_MAGIC,
  ISB_IFDROP,
  OPT_COMMENT,
} from "./pcapng.ts";

/** No block of ours is longer: a packet has 64 KiB, and some words. */
const MAX_BLOCK_BYTES = 1 << 17;
const MIN_BLOCK_BYTES = 12;
const SECTION_BYTES = 28;
const PACKET_BYTES = 32;
const STATISTICS_BYTES = 24;
/** Without names, as ours are. */
const NAMES_BYTES = 16;

/** What has come so far. */
export interface PcapngTally {
  packets: number;
  /** Of packets, as they are in the file. */
  octets: number;
  /** By the statistics at its end. */
  dropped: number;
  /** The statistics' comment, or without an interface that of what says nothing else: why it has ended. */
  comment: string | undefined;
}

/** Cuts a stream into whole blocks, and counts. */
export class PcapngBlocks {
  readonly tally: PcapngTally = { packets: 0, octets: 0, dropped: 0, comment: undefined };
  #rest: Uint8Array = new Uint8Array(0);
  #hasBegun = false;

  /** What of the stream ends with a whole block, after `chunk` has come; undefined when it is no capture of ours. */
  push(chunk: Uint8Array): Uint8Array | undefined {
    const bytes = this.#rest.length === 0 ? chunk : concatBytes(this.#rest, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (bytes.length - at >= MIN_BLOCK_BYTES) {
      const total = view.getUint32(at + 4, true);
      if (total < MIN_BLOCK_BYTES || total > MAX_BLOCK_BYTES || total % 4 !== 0) return undefined;
      if (bytes.length - at < total) break;
      if (view.getUint32(at + total - 4, true) !== total) return undefined;
      if (!this.#take(view, at, total)) return undefined;
      at += total;
    }
    this.#rest = bytes.slice(at);
    return bytes.subarray(0, at);
  }

  #take(view: DataView, at: number, total: number): boolean {
    const type = view.getUint32(at, true);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      return (
        type === BLOCK_SECTION && total >= SECTION_BYTES && view.getUint32(at + 8, true) === BYTE_ORDER_MAGIC
      );
    }
    if (type === BLOCK_PACKET) {
      if (total < PACKET_BYTES) return false;
      const captured = view.getUint32(at + 20, true);
      if (captured > total - PACKET_BYTES) return false;
      this.tally.packets += 1;
      this.tally.octets += captured;
    } else if (type === BLOCK_STATISTICS) {
      if (total < STATISTICS_BYTES) return false;
      this.#readOptions(view, at + 20, at + total - 4);
    } else if (type === BLOCK_NAMES) {
      if (total < NAMES_BYTES) return false;
      this.#readOptions(view, at + 12, at + total - 4);
    }
    return true;
  }

  #readOptions(view: DataView, from: number, end: number): void {
    for (let at = from; at + 4 <= end; ) {
      const code = view.getUint16(at, true);
      const length = view.getUint16(at + 2, true);
      const next = at + 4 + ((length + 3) & ~3);
      if (code === 0 || next > end) return;
      if (code === ISB_IFDROP && length === 8) this.tally.dropped += Number(view.getBigUint64(at + 4, true));
      if (code === OPT_COMMENT)
        this.tally.comment = new TextDecoder().decode(
          new Uint8Array(view.buffer, view.byteOffset + at + 4, length),
        );
      at = next;
    }
  }
}
