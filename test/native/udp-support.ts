import { readFileSync, readlinkSync } from "node:fs";
import { addon } from "../../src/io/native.ts";
import { addressRecord, LOOPBACK_4, udpOptions } from "./support.ts";

/** The local port of a socket of ours, from what the kernel lists. */
export function boundPort(fd: number): number {
  const inode = /\d+/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[0];
  for (const family of ["udp", "udp6"]) {
    for (const line of readFileSync(`/proc/self/net/${family}`, "utf8").split("\n")) {
      const fields = line.trim().split(/\s+/);
      if (fields[9] === inode) return Number.parseInt(fields[1]!.split(":")[1]!, 16);
    }
  }
  throw new Error(`descriptor ${fd} is not bound`);
}

/** Sends one datagram over the IPv4 loopback from a socket of its own. */
export function sendTo(port: number, datagram: Uint8Array): void {
  const fd = addon.openUdp(udpOptions());
  const errno = addon.sendDatagram(fd, addressRecord({ address: LOOPBACK_4, port }), datagram);
  addon.close(fd);
  if (errno !== 0) throw new Error(`sendDatagram: errno ${errno}`);
}
