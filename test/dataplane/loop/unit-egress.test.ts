import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { concatBytes, readU16, toHex, writeU16 } from "../../../src/base/bytes.ts";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { internetChecksum } from "../../../src/wire/checksum.ts";
import { pppoeFrame } from "../frames.ts";
import {
  ACK,
  CWR,
  cut,
  ECE,
  FIN,
  IPV6,
  PSH,
  packetOf,
  parseVnet,
  partialChecksum,
  SEGMENT,
  type Segment,
  segmentOf,
  vnetOf,
} from "../super-segments.ts";
import { makeWorkerParts, type Sent } from "./worker-parts.ts";

const OURS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 2);
const UNIT_FD = 13;
const EAGAIN = 11;
const UDP = { udp: true, options: new Uint8Array(0), sequence: 0 };

const payload = (length: number, seed = 0) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed) & 0xff);

/** What one write hands to the kernel, and what the kernel makes of it. */
function received({ octets }: Sent): { vnet: ReturnType<typeof parseVnet>; packets: Uint8Array[] } {
  const vnet = parseVnet(octets);
  const packet = octets.slice(10);
  if (vnet.gsoType === 0) {
    expect(toHex(octets.subarray(0, 10))).toBe("00".repeat(10));
    return { vnet, packets: [packet] };
  }
  const whole = segmentOf(packet);
  expect(vnet).toEqual({ ...vnetOf(whole, vnet.gsoSize), gsoType: vnet.gsoType });
  expect(readU16(packet, vnet.checksumStart + vnet.checksumOffset)).toBe(
    partialChecksum(whole, packet.length - vnet.checksumStart),
  );
  if (vnet.checksumStart === 20) expect(internetChecksum(packet, 0, 20)).toBe(0);
  return { vnet, packets: cut(whole, vnet.gsoSize) };
}

describe("packets to a unit", () => {
  let parts: ReturnType<typeof makeWorkerParts>;
  let port: number;

  function open(segmentsUdp = true): void {
    parts = makeWorkerParts();
    const spec = { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 } as const;
    port = parts.openPort(spec, laneOfPort, "packet", 10);
    const peer = parts.peer({ kind: "ethernet", port, remoteMac: THEIRS, localMac: OURS, tags: [] });
    for (const sessionId of [5, 6]) {
      const channel = parts.channel({ kind: "pppoe", peer, sessionId });
      const unitSpec = { name: `unit${sessionId}`, mtuBytes: 1500, addresses: [], routes: [], shared: false };
      const unit = parts.registry.addUnit(unitSpec);
      parts.writer.addUnit(unit, unitSpec);
      parts.units.open(unit, UNIT_FD + sessionId, segmentsUdp);
      const addresses = ["203.0.113.0/24", "2001:db8::/32"];
      const attach = { unit, addresses, mruBytes: 1500, clampMss: true, ipv6: true };
      parts.registry.attach(channel, attach);
      parts.writer.attach(channel, attach, unitSpec);
    }
  }

  beforeEach(() => open());

  const frame = (packet: Uint8Array, sessionId = 5) =>
    pppoeFrame(
      OURS,
      THEIRS,
      sessionId,
      concatBytes(Uint8Array.of(0, packet[0]! >>> 4 === 4 ? 0x21 : 0x57), packet),
    );
  /** What is written for one batch of packets of one subscriber. */
  const written = (...packets: readonly Uint8Array[]) =>
    parts.ethernet(port, ...packets.map((packet) => frame(packet)));
  /** How many packets each write stands for. */
  const sizes = (sent: readonly Sent[]) => sent.map((one) => received(one).packets.length);

  const bulk: Segment = { ...SEGMENT, flags: ACK | PSH, payload: payload(3500) };

  it.each([
    ["TCP over IPv4", bulk, 1],
    ["TCP over IPv6", { ...bulk, ...IPV6 }, 4],
    ["TCP that tells of congestion", { ...bulk, flags: ACK | ECE }, 1],
    ["UDP over IPv4", { ...bulk, ...UDP }, 5],
    ["UDP over IPv6", { ...bulk, ...UDP, ...IPV6 }, 5],
    ["IPv4 that may be fragmented", { ...bulk, dontFragment: false }, 1],
  ])("leave as one when they follow each other: %s", (_, segment, gsoType) => {
    const packets = cut(segment, 1000);
    const sent = written(...packets);
    expect(sent.map(({ fd }) => fd)).toEqual([UNIT_FD + 5]);
    const { vnet, packets: got } = received(sent[0]!);
    expect(vnet).toMatchObject({ flags: 1, gsoType, gsoSize: 1000 });
    expect(got).toEqual(packets);
  });

  it("stay apart where the cut would not give them back", () => {
    const next = { ...SEGMENT, sequence: (SEGMENT.sequence + 1000) >>> 0, payload: payload(1000, 1) };
    const first = { ...SEGMENT, payload: payload(1000) };
    const different: readonly (readonly [string, Segment, Segment])[] = [
      ["a gap", first, { ...next, sequence: next.sequence + 1 }],
      ["a repetition", first, first],
      ["another port", first, { ...next, sourcePort: 81 }],
      ["another acknowledgment", first, { ...next, acknowledgment: 1 }],
      ["another window", first, { ...next, window: 1 }],
      ["another TOS", first, { ...next, tos: 3 }],
      ["another TTL", first, { ...next, ttl: 60 }],
      ["another DF", first, { ...next, dontFragment: false }],
      ["other options", first, { ...next, options: payload(12) }],
      ["fewer options", first, { ...next, options: payload(8) }],
      ["FIN", first, { ...next, flags: ACK | FIN }],
      ["CWR", first, { ...next, flags: ACK | CWR }],
      ["ECE", first, { ...next, flags: ACK | ECE }],
      ["a larger one", first, { ...next, payload: payload(1001) }],
      ["no payload", first, { ...next, payload: new Uint8Array(0) }],
      ["after PSH", { ...first, flags: ACK | PSH }, next],
      ["a number out of sequence", { ...first, dontFragment: false }, { ...next, dontFragment: false }],
      ["another flow label", { ...first, ...IPV6 }, { ...next, ...IPV6, tos: 3 }],
      ["another hop limit", { ...first, ...IPV6 }, { ...next, ...IPV6, ttl: 60 }],
      ["another protocol", first, { ...next, ...UDP }],
    ];
    for (const [what, a, b] of different) {
      const packets = [packetOf(a), packetOf(b)];
      const sent = written(...packets);
      expect([what, ...sent.map(({ octets }) => toHex(octets.slice(10)))]).toEqual([
        what,
        ...packets.map(toHex),
      ]);
    }
    // after a shorter one nothing more
    const [a, b, c] = cut({ ...SEGMENT, payload: payload(3000) }, 1000).map(segmentOf);
    const short = { ...b!, payload: b!.payload.slice(1) };
    expect(
      sizes(written(packetOf(a!), packetOf(short), packetOf({ ...c!, sequence: c!.sequence - 1 }))),
    ).toEqual([2, 1]);
  });

  it("leave as one for each of a hundred flows whose packets come in turns", () => {
    const flows = Array.from({ length: 100 }, (_, i) =>
      cut(
        { ...SEGMENT, ...UDP, sourcePort: 1024 + ((i * i * 7919) % 60_000), payload: payload(300, i) },
        100,
      ),
    );
    const sent = written(...[0, 1, 2].flatMap((turn) => flows.map((packets) => packets[turn]!)));
    expect(sent.flatMap((one) => received(one).packets)).toHaveLength(300);
    // but for the few that meet in one place
    expect(sent.length).toBeLessThan(120);
  });

  it("are not joined across what else their flow says", () => {
    const [a, b, c, d] = cut({ ...SEGMENT, payload: payload(4000) }, 1000);
    const pure = packetOf({ ...segmentOf(b!), payload: new Uint8Array(0), sequence: segmentOf(c!).sequence });
    expect(written(a!, b!, pure, c!, d!).map((one) => received(one).packets)).toEqual([
      [a, b],
      [pure],
      [c, d],
    ]);
  });

  it.each([
    ["a fragment", SEGMENT, (packet: Uint8Array) => writeU16(packet, 6, 0x0001)],
    ["an IPv6 fragment", { ...SEGMENT, ...IPV6 }, (packet: Uint8Array) => packet.set([44], 6)],
    ["an IPv6 packet with options", { ...SEGMENT, ...IPV6 }, (packet: Uint8Array) => packet.set([60], 6)],
  ])("do not overtake what may be part of their flow: %s", (_, segment, change) => {
    const [a, b, c, d] = cut({ ...segment, payload: payload(4000) }, 1000);
    const between = b!.slice();
    change(between);
    expect(written(a!, b!, between, c!, d!).map((one) => received(one).packets)).toEqual([
      [a, b],
      [between],
      [c, d],
    ]);
  });

  it("of several flows are joined each to its own, whatever comes between", () => {
    const flows = [80, 81, 82].map((sourcePort) => cut({ ...bulk, sourcePort, flags: ACK }, 1000));
    const mixed = [0, 1, 2, 3].flatMap((i) => flows.map((packets) => packets[i]!));
    expect(written(...mixed).map((one) => received(one).packets)).toEqual(flows);
  });

  it("of several units are not mixed", () => {
    const packets = cut(bulk, 1000);
    const sent = parts.ethernet(port, ...packets.flatMap((packet) => [frame(packet, 5), frame(packet, 6)]));
    expect(sent.map(({ fd }) => fd)).toEqual([UNIT_FD + 5, UNIT_FD + 6]);
    for (const one of sent) expect(received(one).packets).toEqual(packets);
  });

  it("that are corrupt reach the host as they came, and alone: it must see that they are", () => {
    for (const at of [10, 36, 60, 1040]) {
      const packets = cut({ ...SEGMENT, payload: payload(5000) }, 1000);
      packets[2]![at]! ^= 1;
      const sent = written(...packets);
      expect(sizes([sent[0]!])).toEqual([2]);
      expect(toHex(sent[1]!.octets)).toBe("00".repeat(10) + toHex(packets[2]!));
      expect(sent.slice(2).flatMap((one) => received(one).packets)).toEqual(packets.slice(3));
    }
    // UDP without a checksum: nobody can know
    const open = packetOf({ ...SEGMENT, ...UDP, payload: payload(100) });
    writeU16(open, 26, 0);
    expect(written(open, open).map(({ octets }) => toHex(octets.slice(10)))).toEqual([
      toHex(open),
      toHex(open),
    ]);
  });

  it("never are more octets than an IP packet has", () => {
    const packets = cut({ ...SEGMENT, flags: ACK, payload: payload(100_000) }, 1400);
    const sent = written(...packets);
    expect(sent.flatMap((one) => received(one).packets)).toEqual(packets);
    expect(sent.length).toBe(2);
    for (const { octets } of sent) expect(octets.length).toBeLessThanOrEqual(10 + 65_535);
  });

  it("of UDP stay apart where the kernel does not take them joined", () => {
    open(false);
    expect(sizes(written(...cut({ ...bulk, ...UDP }, 1000)))).toEqual([1, 1, 1, 1]);
    expect(sizes(written(...cut(bulk, 1000)))).toEqual([4]);
  });

  it("that the system does not take are counted one by one, and those behind them go", () => {
    const packets = cut(bulk, 1000);
    const other = cut({ ...bulk, sourcePort: 81 }, 1000);
    parts.region.refusals.push({ takes: 0, errno: EAGAIN });
    const sent = written(...packets, ...other);
    expect(parts.drops()).toEqual({ "send-full": 4 });
    expect(sent.map((one) => received(one).packets)).toEqual([other]);
  });

  it("reach the host in the order of their flow, each as it came, whatever is sent", () => {
    const anyRun = fc
      .record({
        flow: fc.nat(3),
        ipv6: fc.boolean(),
        udp: fc.boolean(),
        size: fc.constantFrom(1, 100, 1000, 1300),
        length: fc.integer({ min: 1, max: 6000 }),
        flags: fc.constantFrom(ACK, ACK | PSH, ACK | PSH | FIN, ACK | ECE, ACK | CWR),
        corrupt: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(90) }),
        dontFragment: fc.boolean(),
      })
      .map(({ flow, ipv6, udp, size, length, corrupt, ...rest }) => {
        const base = { ...SEGMENT, ...rest, ...(ipv6 ? IPV6 : {}), ...(udp ? UDP : {}), sourcePort: flow };
        const packets = cut({ ...base, payload: payload(Math.min(length, 20 * size), length) }, size);
        const hurt = packets[packets.length >> 1]!;
        // behind the addresses, so that it is still the subscriber's
        const at = (ipv6 ? 40 : 20) + corrupt;
        if (corrupt >= 0 && at < hurt.length) hurt[at]! ^= 0x40;
        return packets;
      });
    const flowOf = (packet: Uint8Array) => {
      const v4 = packet[0]! >>> 4 === 4;
      return `${v4} ${packet[v4 ? 9 : 6]} ${toHex(packet.subarray(v4 ? 20 : 40, v4 ? 24 : 44))}`;
    };
    /** The number of a packet that is never fragmented says nothing (RFC 6864 §4.1). */
    const unnumbered = (packet: Uint8Array) => {
      const copy = packet.slice();
      if (packet[0]! >>> 4 === 4 && (packet[6]! & 0x40) !== 0 && internetChecksum(packet, 0, 20) === 0)
        copy.fill(0, 4, 6).fill(0, 10, 12);
      return copy;
    };
    const byFlow = (packets: readonly Uint8Array[]) => {
      const flows = new Map<string, string[]>();
      for (const packet of packets)
        flows.set(flowOf(packet), [...(flows.get(flowOf(packet)) ?? []), toHex(unnumbered(packet))]);
      return new Map([...flows].sort());
    };
    fc.assert(
      fc.property(fc.array(anyRun, { minLength: 1, maxLength: 6 }), fc.boolean(), (runs, interleaved) => {
        const longest = Math.max(...runs.map((packets) => packets.length));
        const packets = interleaved
          ? Array.from({ length: longest }, (_, i) => runs.flatMap((run) => run.slice(i, i + 1))).flat()
          : runs.flat();
        const got = written(...packets).flatMap((one) => received(one).packets);
        expect(byFlow(got)).toEqual(byFlow(packets));
      }),
      { numRuns: 100 },
    );
    expect(parts.drops()).toEqual({});
  });
});
