/** What a capture's reader believes of the gateway. */

import { concatBytes } from "../../../src/base/bytes.ts";
import {
  emitPcapngInterface,
  emitPcapngSection,
  emitPcapngStatistics,
  pcapngPacketBytes,
  writePcapngPacket,
} from "../../../src/wire/pcapng.ts";
import { PcapngBlocks } from "../../../src/wire/pcapng-blocks.ts";
import { samples } from "../sample.ts";
import { type CodecTarget, type Covered, ensure } from "../target.ts";
import { codec } from "./codec.ts";

const packet = new Uint8Array(pcapngPacketBytes(61));
writePcapngPacket(new DataView(packet.buffer), 0, 0, {
  timeUs: 1e15,
  lengthBytes: 1500,
  frame: new Uint8Array(61),
  direction: "in",
});
const BLOCKS = [
  emitPcapngSection({ application: "Lacewing" }),
  emitPcapngInterface({ linkType: 1, snapBytes: 64, name: "acc0", filter: "pppoes" }),
  packet,
  emitPcapngStatistics(0, { startUs: 1, endUs: 2, received: 9, dropped: 3, comment: "its end" }),
];

/** Where the blocks begin, and their options. */
const MARKS = BLOCKS.flatMap((_, i) => {
  const at = concatBytes(...BLOCKS.slice(0, i)).length;
  return [at, at + 4, at + 20, at + 28];
});

export const CAPTURE_CODECS: readonly CodecTarget[] = [
  codec(
    "pcapng-blocks",
    [PcapngBlocks as unknown as Covered],
    samples([concatBytes(...BLOCKS)], () => MARKS),
    (input) => {
      const whole = new PcapngBlocks();
      const once = whole.push(input);
      const split = new PcapngBlocks();
      const half = split.push(input.slice(0, input.length >> 1));
      const rest = half && split.push(input.slice(input.length >> 1));
      ensure((once === undefined) === (rest === undefined), "what is a capture depends on where it is split");
      if (once === undefined || half === undefined || rest === undefined) return;
      ensure(
        once.length <= input.length && once.length === half.length + rest.length,
        "blocks of another length",
      );
      ensure(JSON.stringify(whole.tally) === JSON.stringify(split.tally), "another tally");
      ensure(whole.tally.octets <= input.length, "packets that are not there");
    },
  ),
];
