/**
 * Loads the XDP program in a process of its own: `node xdp-job.mjs ADDON [IFINDEX MODE]`. Says in a line of JSON what
 * came of it, and with an interface stays until standard input ends.
 */

import { createRequire } from "node:module";

const [addon, ifindex, mode] = process.argv.slice(2);
const sizes = {
  interfaces: 4096,
  ports: 2,
  tunnels: 16,
  sessionPages: 16,
  channels: 64,
  peers: 64,
  peerSlots: 64,
};

function outcome() {
  try {
    const program = createRequire(import.meta.url)(addon).load(sizes);
    if (ifindex === undefined) return { loaded: true, quick: program.quick };
    const link = program.attach(Number(ifindex), mode);
    process.stdin.resume();
    return { loaded: true, mode: link.mode };
  } catch ({ code, errno, syscall, subject, message, log }) {
    return { loaded: false, code, errno, syscall, subject, message, log };
  }
}

process.stdout.write(`${JSON.stringify(outcome())}\n`);
