import { constants } from "node:os";
import { expect, it } from "vitest";
import { fromHex } from "../../../src/base/bytes.ts";
import type { L2tpChannelSpec, Punt } from "../../../src/channel/dataplane.ts";
import { ControlSender } from "../../../src/dataplane/loop/control-sender.ts";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import type { Addon } from "../../../src/io/addon.ts";
import { parseL2tp } from "../../../src/wire/l2tp.ts";
import { numberedFrame } from "../frames.ts";
import { MemoryRegion, makeWorkerParts } from "./worker-parts.ts";

/** A sender with an L2TP port, over a region that says what was sent. */
function openSender() {
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
  return { parts, region, sender, port };
}

it("says of a control message that the system does not send whom it was for, and why", () => {
  const { region, sender, port } = openSender();
  const told: Punt[] = [];
  sender.onUnsent((punt) => told.push(punt));
  const message = fromHex("c802000c0000000000000000");
  for (const [takes, errno] of [
    [1, constants.errno.ENETUNREACH],
    [0, constants.errno.EAGAIN],
    [0, constants.errno.EMSGSIZE],
    [0, constants.errno.ECONNREFUSED],
  ] as const)
    region.refusals.push({ takes, errno });
  for (const last of [1, 2, 3, 4, 5])
    sender.control(port, `192.0.2.${last}`, 1700 + last, message, undefined);
  sender.flush();
  expect(region.sent).toHaveLength(1);
  expect(told).toEqual([
    { kind: "unreachable", port, remoteAddress: "192.0.2.2", remotePort: 1702, errno: "ENETUNREACH" },
  ]);
});

it("a frame with a sequence number leaves at once: workers would take the next numbers and overtake it", () => {
  const { parts, region, sender, port } = openSender();
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
