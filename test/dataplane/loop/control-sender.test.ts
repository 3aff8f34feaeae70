import { expect, it } from "vitest";
import type { L2tpChannelSpec } from "../../../src/channel/dataplane.ts";
import { ControlSender } from "../../../src/dataplane/loop/control-sender.ts";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import type { Addon } from "../../../src/io/addon.ts";
import { parseL2tp } from "../../../src/wire/l2tp.ts";
import { numberedFrame } from "../frames.ts";
import { MemoryRegion, makeWorkerParts } from "./worker-parts.ts";

it("a frame with a sequence number leaves at once: workers would take the next numbers and overtake it", () => {
  const parts = makeWorkerParts();
  const region = new MemoryRegion();
  const addon: Partial<Addon> = {
    createRegion: () => region as unknown as ReturnType<Addon["createRegion"]>,
  };
  const sender = new ControlSender(addon as Addon, parts.tables, parts.registry, {
    sentFrame: () => expect.unreachable(),
    sentMessage: () => expect.unreachable(),
  });
  const spec = { kind: "udp", address: "192.0.2.1", udpPort: 1701 } as const;
  const port = parts.openPort(spec, laneOfPort, "udp", 11);
  sender.openPort(port, [11, 12]);
  const peer = parts.peer({
    kind: "udp",
    port,
    address: "192.0.2.2",
    udpPort: 1701,
    pathMtuBytes: 1500,
    addressControl: false,
    lengthBit: true,
    checksum: true,
    oversize: "fragment",
  });
  const channel = (localSessionId: number, sequencing: NonNullable<L2tpChannelSpec["sequencing"]>) => {
    const ids = { localTunnelId: 7, localSessionId, remoteTunnelId: 70, remoteSessionId: 1000 };
    return parts.channel({ kind: "l2tp", peer, ...ids, sequencing });
  };
  const numbers = () =>
    region.sent.map(({ octets }) => {
      const message = parseL2tp(octets);
      return typeof message === "string" ? message : message.header.sequence?.ns;
    });
  const unnumbered = channel(1, "never");
  const numbered = channel(2, "always");
  sender.frame(unnumbered, numberedFrame(1, 1));
  expect(numbers()).toEqual([]);
  sender.frame(numbered, numberedFrame(1, 2));
  expect(numbers()).toEqual([undefined, 0]);
});
