/**
 * Listens on a subscribers' device for PADS, a process of its own: which session a LAC that tells nobody has given to
 * whom. Says by a message when it listens, and answers every message with what it has heard.
 */
import { openFramePort } from "../src/io/frame-port.ts";
import { openHostNetwork } from "../src/io/native-host-network.ts";
import { etherTypeOffset, MAC_BYTES } from "../src/wire/ethernet.ts";
import { PADS, PPPOE_CODE, PPPOE_SESSION_ID } from "../src/wire/pppoe.ts";

export type ConfirmationsAnswer =
  | { readonly kind: "ready" }
  /** PPPoE session ids by MAC address, which is text in hexadecimal without colons. */
  | { readonly kind: "sessions"; readonly byMac: Readonly<Record<string, number>> };

const device = process.argv[2] ?? "";
const link = openHostNetwork().linkByName(device);
if (link === undefined) throw new Error(`there is no device "${device}"`);
const byMac: Record<string, number> = {};
openFramePort(link).onFrame((bytes) => {
  const frame = Buffer.from(bytes);
  const header = etherTypeOffset(frame, 0, frame.length) + 2;
  if (header < 2 || frame.length < header + PPPOE_SESSION_ID + 2 || frame[header + PPPOE_CODE] !== PADS)
    return;
  byMac[frame.toString("hex", 0, MAC_BYTES)] = frame.readUInt16BE(header + PPPOE_SESSION_ID);
});

function tell(answer: ConfirmationsAnswer): void {
  process.send?.(answer);
}

process.on("message", () => tell({ kind: "sessions", byMac }));
process.on("disconnect", () => process.exit());
tell({ kind: "ready" });
