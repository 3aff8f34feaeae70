import { etherTypeFilter } from "../wire/bpf.ts";
import { ETHERTYPE_PPPOE_DISCOVERY } from "../wire/ethernet.ts";
import type { NativeError } from "./addon.ts";
import { addon } from "./native.ts";
import { Outlet, SendBatch } from "./send-batch.ts";

/** Control-plane frames of one Ethernet interface: PPPoE discovery, under at most two VLAN tags. */
export interface FramePort {
  /**
   * Sends one whole Ethernet frame, with the others of this turn of the event loop. What the device refuses is lost, as
   * on any wire: discovery repeats itself.
   */
  send(frame: Uint8Array): void;
  /** The one receiver; frames are its to keep, with the tags that they had on the wire. */
  onFrame(handler: (frame: Uint8Array) => void): void;
  /** Frames for which the receive buffer had no room since the port was opened, modulo 2³². */
  dropped(): number;
  close(): void;
}

/** Frames handed over before other events get their turn. */
const FRAMES_PER_TURN = 256;
const SEND_BUFFER_BYTES = 1 << 20;
/** More than any device takes. */
const LARGEST_FRAME_BYTES = 65_535;
/**
 * The kernel takes twice as much, and counts 0.8 to 2.3 KiB for each small frame, as its driver allocates them. So this
 * holds the PADIs of 14,000 to 43,000 subscribers who call in the same moment: they wait for less than a second then,
 * and do not repeat themselves before they are answered.
 */
const RECEIVE_BUFFER_BYTES = 16 << 20;

/**
 * Opens the interface's discovery frames; throws a NativeError when the system refuses. It is bound by ifindex:
 * a rename does not matter, and when the interface goes down it comes back with it.
 */
export function openFramePort(link: { readonly ifindex: number; readonly name: string }): FramePort {
  const fd = addon.openPacket({
    ifindex: link.ifindex,
    name: link.name,
    filter: etherTypeFilter(ETHERTYPE_PPPOE_DISCOVERY),
    ringSlots: 0,
    slotBytes: 0,
    headroomBytes: 0,
    sendBufferBytes: SEND_BUFFER_BYTES,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    bypassQdisc: false,
    promiscuous: false,
  });
  const outlet = new Outlet("packet", fd);
  const batch = new SendBatch(addon.createRegion(SendBatch.REGION_BYTES), new Uint8Array(0), () => {
    // lost, as on any wire
  });
  let handler: (frame: Uint8Array) => void = () => {};
  let closed = false;
  const watcher = addon.watch(fd, () => {
    for (let i = 0; i < FRAMES_PER_TURN && !closed; i++) {
      const frame = receive(fd);
      if (frame === undefined) return;
      handler(frame);
    }
  });
  return {
    send(frame) {
      if (frame.length > LARGEST_FRAME_BYTES) return;
      if (batch.isEmpty) setImmediate(() => batch.flush());
      batch.bytes.set(frame, batch.add(outlet, frame.length, 0, 0));
    },
    onFrame(receiver) {
      handler = receiver;
    },
    dropped: () => addon.socketDrops(fd),
    close() {
      closed = true;
      batch.flush();
      watcher.close();
      addon.close(fd);
    },
  };
}

function receive(fd: number): Uint8Array | undefined {
  try {
    return addon.receiveFrame(fd);
  } catch (error) {
    // said once when the interface goes down; who watches links knows it, and what comes later is read later
    if ((error as NativeError).code === "ENETDOWN") return undefined;
    throw error;
  }
}
