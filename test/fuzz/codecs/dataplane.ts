/** What the forwarding loop reads in place (src/dataplane), and what it writes before a PPP frame. */

import { equalBytes } from "../../../src/base/bytes.ts";
import { ACCEPT } from "../../../src/dataplane/drop-codes.ts";
import { emitL2tpMessage, L2tpMessage, readL2tpMessage } from "../../../src/dataplane/l2tp-message.ts";
import { emitPppoeFrame, PppoeFrame, readPppoeFrame, readTags } from "../../../src/dataplane/pppoe-frame.ts";
import { l2tpDataHeaderBytes, writeL2tpDataHeader } from "../../../src/wire/l2tp.ts";
import { CAPTURED } from "../captures.ts";
import { samples } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec } from "./codec.ts";

const PPP = Uint8Array.of(0xc0, 0x21, 1, 1, 0, 4);
/** L and FF03. */
const FRAMING = 3;
const MACS = { remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 2), localMac: Uint8Array.of(2, 0, 0, 0, 0, 1) };
const FRAMES = [
  [],
  [{ tpid: 0x8100, tci: 7 }],
  [
    { tpid: 0x88a8, tci: 100 },
    { tpid: 0x8100, tci: 7 },
  ],
].map((tags) => emitPppoeFrame({ kind: "ethernet", port: 0, tags, ...MACS }, 0x1234, PPP));
/** Data messages with and without each optional field. */
const MESSAGES = [
  ...CAPTURED.l2tp,
  emitL2tpMessage(0, 7, 6, PPP),
  emitL2tpMessage(FRAMING, 7, 6, PPP),
  Uint8Array.from(Buffer.from("0a02000700060001000000020000c0210101000400", "hex")),
];
const frame = new PppoeFrame();
const message = new L2tpMessage();

export const DATAPLANE_CODECS: readonly CodecTarget[] = [
  codec(
    "pppoe-session-frames",
    [],
    samples([...CAPTURED.frames, ...FRAMES], () => [0, 12, 14, 16, 18, 20, 22]),
    (input) => {
      if (readPppoeFrame(frame, input, 0, input.length) !== ACCEPT) return;
      const { ethernetBytes, pppOffset, pppBytes } = frame;
      ensure(pppBytes > 0 && pppOffset + pppBytes <= input.length, "a PPP frame outside the frame");
      ensure(
        pppOffset === ethernetBytes + 6 &&
          ethernetBytes === 14 + 4 * readTags(input, 0, ethernetBytes).length,
        "elsewhere",
      );
    },
  ),
  codec("l2tp-data-messages", [l2tpDataHeaderBytes, writeL2tpDataHeader], samples(MESSAGES), (input) => {
    if (readL2tpMessage(message, input, 0, input.length) !== ACCEPT) return;
    const { tunnelId, sessionId, pppOffset, pppBytes } = message;
    ensure(
      pppBytes > 0 && pppOffset >= 6 && pppOffset + pppBytes <= input.length,
      "a PPP frame outside the message",
    );
    const ppp = input.slice(pppOffset, pppOffset + pppBytes);
    const emitted = emitL2tpMessage(FRAMING, tunnelId, sessionId, ppp);
    ensure(readL2tpMessage(message, emitted, 0, emitted.length) === ACCEPT, "what was emitted is not read");
    const again = emitted.subarray(message.pppOffset, message.pppOffset + message.pppBytes);
    ensure(message.sessionId === sessionId && equalBytes(again, ppp), "another message");
  }),
];
