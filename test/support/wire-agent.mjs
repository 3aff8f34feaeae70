/**
 * A process on a wire: it hears what arrives at a device of its network namespace, and sends what it is told.
 * The parent (wire.ts) speaks with it over the IPC channel. It is plain JavaScript, as nothing compiles it.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const addon = createRequire(import.meta.url)(
  fileURLToPath(new URL("../../build/Release/lacewing.node", import.meta.url)),
);
const FRAMES_PER_TURN = 256;
/** ENETDOWN: said once when the device goes down. */
const PASSING = new Set(["ENETDOWN"]);

const [, , device, filterHex] = process.argv;
// `ip netns exec` has mounted the /sys of its namespace
const ifindex = Number(readFileSync(`/sys/class/net/${device}/ifindex`, "utf8"));
const fd = addon.openPacket({
  ifindex,
  name: device,
  filter: Uint8Array.from(Buffer.from(filterHex ?? "", "hex")),
  ringSlots: 0,
  slotBytes: 0,
  headroomBytes: 0,
  sendBufferBytes: 1 << 20,
  receiveBufferBytes: 16 << 20,
  bypassQdisc: false,
  promiscuous: true,
});

addon.watch(fd, () => {
  const frames = [];
  try {
    for (let i = 0; i < FRAMES_PER_TURN; i++) {
      const frame = addon.receiveFrame(fd);
      if (frame === undefined) break;
      frames.push(frame);
    }
  } catch (error) {
    if (!PASSING.has(error.code)) throw error;
  }
  if (frames.length > 0) process.send({ kind: "heard", frames });
});

process.on("message", (message) => {
  if (message.kind === "send") addon.sendFrame(fd, message.frame);
  else flood(message);
});
process.on("disconnect", () => process.exit(0));
process.send({ kind: "ready" });

/** Sends `count` frames, round robin, at `perSecond`, whatever the clock of this process does meanwhile. */
function flood({ id, frames, count, perSecond }) {
  const begun = performance.now();
  let sent = 0;
  const turn = () => {
    const due = Math.min(count, Math.ceil(((performance.now() - begun) * perSecond) / 1000));
    for (; sent < due; sent++) addon.sendFrame(fd, frames[sent % frames.length]);
    if (sent < count) setTimeout(turn, 1);
    else process.send({ kind: "flooded", id });
  };
  turn();
}
