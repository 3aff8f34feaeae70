import { addon } from "../../src/io/native.ts";

/** Why the kernel does not let this process steer the packets of a TUN device; undefined when it does. Needs root. */
export function steeringRefusal(): string | undefined {
  const name = `lwp${process.pid}`;
  const { fds, refusal } = addon.openTun({ name, queues: 2, steering: "destination", vnetHeader: false });
  for (const fd of fds) addon.close(fd);
  return refusal;
}
