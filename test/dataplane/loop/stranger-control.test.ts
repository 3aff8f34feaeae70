/** Control messages of strangers and of peers share the way to the control plane. */

import { describe, expect, it } from "vitest";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { makeWorkerParts } from "./worker-parts.ts";

const PEER = "192.0.2.2";
const STRANGER = "198.51.100.7";
const CONTROL = Uint8Array.of(0xc8, 2, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0);
const RING_BYTES = 1 << 16;

describe("a flood of strangers' control messages that nobody takes out", () => {
  it("leaves the way to the control plane short for those of peers", () => {
    const unpoliced = { strangerControl: { perSecond: 1e6, burst: 1e6 } };
    const parts = makeWorkerParts(unpoliced, RING_BYTES);
    const port = { kind: "udp", address: "192.0.2.1", udpPort: 1701 } as const;
    const tunnel = parts.openPort(port, laneOfPort, "udp", 11);
    const peer = { kind: "udp", port: tunnel, address: PEER, udpPort: 1701, pathMtuBytes: 1500 } as const;
    parts.peer({ ...peer, addressControl: true, lengthBit: true, checksum: true, oversize: "drop" });
    for (let i = 0; i < 2000; i++) parts.udp(tunnel, STRANGER, 1701, CONTROL);
    for (let i = 0; i < 100; i++) parts.udp(tunnel, PEER, 1701, CONTROL);
    const senders = parts
      .punts()
      .map((punt) => (punt !== "stale" && punt.kind === "control" ? punt.remoteAddress : ""));
    expect(senders.filter((sender) => sender === PEER)).toHaveLength(100);
    expect(senders.indexOf(PEER)).toBeLessThan(50);
    expect(parts.drops().policed).toBe(2000 - senders.indexOf(PEER));
  });
});
