import { beforeEach, describe, expect, it } from "vitest";
import { concatBytes } from "../../../src/base/bytes.ts";
import type { L2tpChannelSpec } from "../../../src/channel/dataplane.ts";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { ADDRESS_LOCAL, ADDRESS_TOS } from "../../../src/io/addon.ts";
import { emitL2tp } from "../../../src/wire/l2tp.ts";
import { numberedFrame, readPppoe, sequenceOf } from "../frames.ts";
import { makeWorkerParts, type Sent } from "./worker-parts.ts";

const OURS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 2);
const LNS = "192.0.2.2";
const UDP_PORT = 1701;
const REORDER = { frames: 6, timeMs: 100 };

describe("a forwarding thread puts in order", () => {
  let parts: ReturnType<typeof makeWorkerParts>;
  let tunnel: number;
  let udpPeer: number;
  let ethernetPeer: number;

  beforeEach(() => {
    parts = makeWorkerParts();
    const cable = { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 } as const;
    const access = parts.openPort(cable, laneOfPort, "packet", 10);
    tunnel = parts.openPort({ kind: "udp", address: "0.0.0.0", udpPort: UDP_PORT }, laneOfPort, "udp", 11);
    const macs = { remoteMac: THEIRS, localMac: OURS };
    ethernetPeer = parts.peer({ kind: "ethernet", port: access, ...macs, tags: [] });
    udpPeer = parts.peer({
      kind: "udp",
      port: tunnel,
      address: LNS,
      udpPort: UDP_PORT,
      pathMtuBytes: 1500,
      addressControl: false,
      lengthBit: true,
      checksum: true,
      oversize: "fragment",
      dscp: 46,
      localAddress: "192.0.2.77",
    });
  });

  const l2tp = (id: number, how: Partial<L2tpChannelSpec> = {}) =>
    parts.channel({
      kind: "l2tp",
      peer: udpPeer,
      localTunnelId: 7,
      localSessionId: id,
      remoteTunnelId: 70,
      remoteSessionId: 1000 + id,
      reorder: REORDER,
      ...how,
    });

  const bridged = (id: number) => {
    const channel = l2tp(id);
    parts.bridge(parts.channel({ kind: "pppoe", peer: ethernetPeer, sessionId: id }), channel);
    return channel;
  };

  function message(sessionId: number, ns: number, frame = numberedFrame(sessionId, ns)): Uint8Array {
    const ids = { tunnelId: 7, sessionId };
    const header = { control: false, lengthBit: true, ...ids, sequence: { ns, nr: 0 }, priority: false };
    return emitL2tp(header, frame);
  }

  /** One coalesced datagram. */
  function receive(...messages: readonly (readonly [number, number])[]): string[] {
    const all = messages.map(([sessionId, ns]) => message(sessionId, ns));
    return seen(parts.udp(tunnel, LNS, UDP_PORT, concatBytes(...all), all[0]!.length));
  }

  const seen = (sent: readonly Sent[]) =>
    sent.map(({ octets }) => {
      const { sessionId, ppp } = readPppoe(octets);
      return `${sessionId}:${sequenceOf(ppp)}`;
    });

  it("across the datagrams that the kernel has coalesced, and across batches, each session by itself", () => {
    bridged(5);
    bridged(6);
    expect(receive([5, 1], [6, 0], [5, 0], [6, 2])).toEqual(["6:0", "5:0", "5:1"]);
    expect(receive([5, 2], [5, 4], [6, 3])).toEqual(["5:2"]);
    expect(receive([6, 1], [5, 3])).toEqual(["6:1", "6:2", "6:3", "5:3", "5:4"]);
    expect(parts.drops()).toEqual({});
  });

  it("and hands on whole what has waited, though its place is used again in the same batch", () => {
    bridged(5);
    // the pool has eight places, and one peer gets half of them
    expect(receive([5, 1], [5, 2], [5, 3], [5, 4])).toEqual([]);
    const sent = receive([5, 0], [5, 6], [5, 7], [5, 8], [5, 5]);
    // places that are still to be sent from are not free: what finds none does not wait, nor for what is missing
    expect(sent).toEqual([0, 1, 2, 3, 4, 6, 7, 8].map((ns) => `5:${ns}`));
    expect(parts.drops()).toEqual({ "out-of-order-late": 1 });
    // and then they are
    expect(receive([5, 12], [5, 11], [5, 10], [5, 9])).toEqual(["5:9", "5:10", "5:11", "5:12"]);
  });

  it("until the time is over", () => {
    bridged(5);
    expect(receive([5, 1], [5, 3])).toEqual([]);
    parts.passTime(REORDER.timeMs - 1);
    expect(seen(parts.expire())).toEqual([]);
    parts.passTime(1);
    expect(seen(parts.expire())).toEqual(["5:1", "5:3"]);
    expect(receive([5, 0], [5, 2], [5, 4])).toEqual(["5:4"]);
    expect(parts.drops()).toEqual({ "out-of-order-late": 2 });
  });

  it("what waits longer than its channel is there", () => {
    const channel = bridged(5);
    receive([5, 1]);
    const { spec } = parts.registry.removeChannel(channel);
    parts.writer.closeChannel(channel, spec, tunnel);
    parts.passTime(REORDER.timeMs);
    expect(parts.expire()).toEqual([]);
    expect(parts.drops()).toEqual({ stale: 1 });
  });

  it("no message from a stranger", () => {
    bridged(5);
    expect(parts.udp(tunnel, "192.0.2.9", UDP_PORT, message(5, 7))).toEqual([]);
    expect(receive([5, 0])).toEqual(["5:0"]);
    expect(parts.drops()).toEqual({ "wrong-source": 1 });
  });

  it("and sends from the peer's address of ours, with its DSCP", () => {
    const far = l2tp(8, { sequencing: "always" });
    parts.bridge(l2tp(5), far);
    const [sent] = parts.udp(tunnel, LNS, UDP_PORT, message(5, 0));
    expect(sent!.address[ADDRESS_TOS]).toBe(46 << 2);
    expect([...sent!.address.slice(ADDRESS_LOCAL, ADDRESS_LOCAL + 4)]).toEqual([192, 0, 2, 77]);
    const header = { control: false, lengthBit: true, tunnelId: 70, sessionId: 1008, priority: false };
    expect(sent!.octets).toEqual(emitL2tp({ ...header, sequence: { ns: 0, nr: 0 } }, numberedFrame(5, 0)));
  });
});
