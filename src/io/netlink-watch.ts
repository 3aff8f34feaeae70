import type { NativeError } from "./addon.ts";
import { addon } from "./native.ts";

/** Notifications that are read before other events get their turn. */
const NOTIFICATIONS_PER_TURN = 256;

export interface NetlinkListener {
  /** One datagram of notifications. */
  heard(part: Uint8Array): void;
  /** The kernel had to drop some because we were late: look at what is there now. */
  overrun(): void;
}

/** Reads the notifications of a netlink socket, which stays the caller's, while it is open. */
export function watchNetlink(fd: number, listener: NetlinkListener): { close(): void } {
  let open = true;
  const watcher = addon.watch(fd, () => {
    // whoever listens may close us
    for (let i = 0; i < NOTIFICATIONS_PER_TURN && open; i++) {
      const part = receive(fd);
      if (part === undefined) return;
      if (part === "overrun") listener.overrun();
      else listener.heard(part);
    }
  });
  return {
    close() {
      open = false;
      watcher.close();
    },
  };
}

function receive(fd: number): Uint8Array | "overrun" | undefined {
  try {
    return addon.receiveFrame(fd);
  } catch (error) {
    if ((error as NativeError).code === "ENOBUFS") return "overrun";
    throw error;
  }
}
