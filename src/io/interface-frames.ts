import { existsSync, readFileSync } from "node:fs";
import cap from "cap";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW, type PcapngPacket } from "../wire/pcapng.ts";

/** What libpcap may hold for us: some tenths of a second of a busy interface. */
const KERNEL_BUFFER_BYTES = 16 << 20;
/** libpcap gives no more of a frame. */
const LARGEST_FRAME_BYTES = 65_535;

const LINK_TYPES: Readonly<Record<string, number>> = { ETHERNET: LINKTYPE_ETHERNET, RAW: LINKTYPE_RAW };

/** Frames of an interface, as everybody on it sees them. */
export interface InterfaceFrames {
  readonly linkType: number;
  close(): void;
}

/**
 * Captures by libpcap; `filter` is in its words. A frame is of this moment: its octets are overwritten by the next one. The
 * module behind it ends the process when the interface goes away: this is for a process that does nothing else. Throws
 * what libpcap says. The time is when a frame was read, since the module tells no other.
 */
export function openInterfaceFrames(
  name: string,
  filter: string,
  onFrame: (packet: PcapngPacket) => void,
): InterfaceFrames {
  const capture = new cap.Cap();
  // the module does not keep it
  const buffer = Buffer.alloc(LARGEST_FRAME_BYTES);
  const link = capture.open(name, filter, KERNEL_BUFFER_BYTES, buffer);
  const linkType = LINK_TYPES[link];
  if (linkType === undefined) {
    capture.close();
    throw new Error(`${name} carries frames of a kind that is not written: ${link}`);
  }
  const own = linkType === LINKTYPE_ETHERNET ? macAddress(name) : undefined;
  capture.on("packet", (bytes) => {
    const frame = buffer.subarray(0, bytes);
    const isOurs = own !== undefined && bytes >= 12 && frame.compare(own, 0, 6, 6, 12) === 0;
    const direction = own === undefined ? undefined : isOurs ? "out" : "in";
    const timeUs = Math.round(1000 * (performance.timeOrigin + performance.now()));
    onFrame({ timeUs, lengthBytes: bytes, frame, direction });
  });
  return { linkType, close: () => capture.close() };
}

/** Undefined where the system does not say. */
function macAddress(name: string): Buffer | undefined {
  if (!/^[^/]{1,15}$/.test(name) || name.startsWith(".")) return undefined;
  const path = `/sys/class/net/${name}/address`;
  return existsSync(path)
    ? Buffer.from(readFileSync(path, "latin1").trim().replaceAll(":", ""), "hex")
    : undefined;
}
