import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { concatBytes, toHex } from "../../../src/base/bytes.ts";
import { laneOfPort } from "../../../src/dataplane/loop/tables.ts";
import { readPppoe } from "../frames.ts";
import {
  ACK,
  CWR,
  cut,
  ECE,
  emitVnet,
  FIN,
  IPV6,
  PSH,
  packetOf,
  SEGMENT,
  type Segment,
  SYN,
  segmentOf,
  unfinished,
  vnetOf,
} from "../super-segments.ts";
import { makeWorkerParts } from "./worker-parts.ts";

const OURS = Uint8Array.of(2, 0, 0, 0, 0, 1);
const THEIRS = Uint8Array.of(2, 0, 0, 0, 0, 2);
const MRU = 1400;

const payload = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >>> 8)) & 0xff);

const anySegment: fc.Arbitrary<Segment> = fc
  .record({
    ipv6: fc.boolean(),
    udp: fc.boolean(),
    tos: fc.nat(255),
    identification: fc.nat(0xffff),
    dontFragment: fc.boolean(),
    sequence: fc.nat(0xffff_ffff),
    flags: fc.constantFrom(
      ACK,
      ACK | PSH,
      ACK | FIN,
      ACK | PSH | FIN | ECE,
      ACK | CWR,
      CWR | ECE | PSH | ACK,
    ),
    options: fc.nat(10).map((words) => payload(4 * words)),
    // all ones and zeroes add up to the sums that are special
    payload: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.nat(20_000).map((n) => new Uint8Array(n + 1).fill(0xff)),
      fc.nat(20_000).map((n) => payload(n + 1)),
    ),
  })
  .map(({ ipv6, ...rest }) => ({ ...SEGMENT, ...rest, ...(ipv6 ? IPV6 : {}) }));

describe("packets from a unit", () => {
  let parts: ReturnType<typeof makeWorkerParts>;
  let unit: number;
  let channel: number;

  beforeEach(() => {
    parts = makeWorkerParts();
    const spec = { kind: "ethernet", ifindex: 1, name: "acc0", mtuBytes: 1500 } as const;
    const port = parts.openPort(spec, laneOfPort, "packet", 10);
    const peer = parts.peer({ kind: "ethernet", port, remoteMac: THEIRS, localMac: OURS, tags: [] });
    channel = parts.channel({ kind: "pppoe", peer, sessionId: 5 });
    const unitSpec = { name: "unit0", mtuBytes: 1500, addresses: [], routes: [], shared: false };
    unit = parts.registry.addUnit(unitSpec);
    parts.writer.addUnit(unit, unitSpec);
    const attach = { unit, addresses: [], mruBytes: MRU, clampMss: true, ipv6: true };
    parts.registry.attach(channel, attach);
    parts.writer.attach(channel, attach, unitSpec);
  });

  /** The IP packets that leave to the subscriber. */
  function forwarded(...packets: readonly Uint8Array[]): Uint8Array[] {
    return parts.host(unit, ...packets).map(({ octets }) => {
      const { sessionId, ppp } = readPppoe(octets);
      expect(sessionId).toBe(5);
      expect(toHex(ppp.subarray(0, 2))).toBe(ppp[2]! >>> 4 === 4 ? "0021" : "0057");
      return ppp.slice(2);
    });
  }

  it("are cut up as the plain reference does it, whatever is in them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anySegment, fc.integer({ min: 0, max: 1280 })), { minLength: 1, maxLength: 5 }),
        (packets) => {
          // one that stays whole is no larger than the subscriber takes, and few are cut into thousands
          const inputs = packets.map(([segment, size]): [Segment, number] =>
            size === 0
              ? [{ ...segment, payload: segment.payload.slice(0, 1200) }, 0]
              : [segment, Math.max(size, segment.payload.length >>> 8)],
          );
          const expected = inputs.flatMap(([segment, size]) => cut(segment, size || segment.payload.length));
          const got = forwarded(...inputs.map(([segment, size]) => unfinished(segment, size)));
          for (const [i, packet] of expected.entries())
            if (got[i] === undefined || toHex(got[i]) !== toHex(packet))
              throw new Error(`segment ${i} is ${got[i] && toHex(got[i])}, not ${toHex(packet)}`);
          if (got.length !== expected.length) throw new Error("more segments than there are");
        },
      ),
      { numRuns: 100 },
    );
    expect(parts.drops()).toEqual({});
  });

  it("carry PSH and FIN in their last segment and CWR in their first only, and ECE in all", () => {
    const segment = { ...SEGMENT, flags: ACK | PSH | FIN | ECE | CWR, payload: payload(2500) };
    const segments = forwarded(unfinished(segment, 1000)).map(segmentOf);
    expect(segments.map(({ flags }) => flags)).toEqual([ACK | ECE | CWR, ACK | ECE, ACK | ECE | PSH | FIN]);
    expect(segments.map(({ sequence }) => sequence)).toEqual([0xffff_ff00, 744, 1744]);
    expect(segments.map(({ identification }) => identification)).toEqual([0xfffe, 0xffff, 0]);
    expect(segments.map((one) => one.payload.length)).toEqual([1000, 1000, 500]);
  });

  it("are cut into more segments than there is room for headers at one time", () => {
    const segment = { ...SEGMENT, payload: payload(30_000) };
    const got = forwarded(unfinished(segment, 8));
    expect(got.length).toBe(3750);
    expect(toHex(concatBytes(...got))).toBe(toHex(concatBytes(...cut(segment, 8))));
  });

  it("are counted segment by segment on their channel", () => {
    const whole = packetOf({ ...SEGMENT, payload: payload(10) });
    forwarded(unfinished({ ...SEGMENT, payload: payload(2500) }, 1000));
    expect(parts.counted()).toBe(3);
    parts.host(unit, concatBytes(new Uint8Array(10), whole.subarray(1)), new Uint8Array(3));
    expect(parts.counted()).toBe(2);
    const octets = 2500 + 3 * (2 + 20 + 20 + SEGMENT.options.length);
    expect([...parts.tables.counters[0]!.subarray(channel * 4, channel * 4 + 4)]).toEqual([0, 0, 3, octets]);
  });

  it("get an MSS that fits though their checksum is unfinished", () => {
    const syn = { ...SEGMENT, flags: SYN, options: Uint8Array.of(2, 4, 5, 0xb4) };
    expect(forwarded(unfinished(syn, 0))).toEqual([
      packetOf({ ...syn, options: Uint8Array.of(2, 4, (MRU - 40) >>> 8, (MRU - 40) & 0xff) }),
    ]);
  });

  it("are too big segment by segment: the last may fit, and the sender is told once, of the first", () => {
    const segment = { ...SEGMENT, payload: payload(3 * MRU + 10) };
    const all = cut(segment, MRU);
    expect(forwarded(unfinished(segment, MRU))).toEqual(all.slice(3));
    expect(parts.drops()).toEqual({ "too-big": 3 });
    expect(parts.punts()).toEqual([
      { kind: "too-big", unit, channel, mruBytes: MRU, packet: all[0]!.slice(0, 1280) },
    ]);
  });

  it("are malformed when what the kernel says of them contradicts them, and nothing leaves", () => {
    const segment = { ...SEGMENT, payload: payload(2500) };
    const good = vnetOf(segment, 1000);
    const udp = { ...segment, udp: true, options: new Uint8Array(0) };
    const with4 = (change: Partial<typeof good>, of: Segment = segment) =>
      concatBytes(emitVnet({ ...vnetOf(of, 1000), ...change }), packetOf(of));
    const bad = [
      with4({ flags: 0 }),
      with4({ gsoType: 2 }),
      with4({ gsoType: 4 }),
      with4({ gsoType: 3 }),
      with4({ gsoType: 1 }, { ...segment, ...IPV6 }),
      with4({ gsoType: 1 }, udp),
      with4({ gsoType: 5 }),
      with4({ gsoSize: 0 }),
      with4({ checksumStart: 24 }),
      with4({ checksumStart: 0 }),
      with4({ checksumStart: 0xffff }),
      with4({ checksumOffset: 6 }),
      with4({ checksumOffset: 0xffff }),
      with4({ gsoType: 0, checksumStart: packetOf(segment).length - 17 }),
      with4({}, { ...segment, flags: SYN | ACK }),
      with4({}, { ...segment, payload: new Uint8Array(0) }),
      // more segments than any sender makes
      with4({ gsoSize: 1 }, { ...segment, payload: payload(10_000) }),
    ];
    // a data offset that is too small, and one that is behind the end
    for (const offset of [0x40, 0xf0]) {
      const packet = unfinished({ ...segment, payload: payload(1) }, 1000);
      packet[10 + 20 + 12] = offset;
      bad.push(packet);
    }
    // a fragment
    const fragment = unfinished(segment, 1000);
    fragment[10 + 6]! |= 0x20;
    bad.push(fragment);
    expect(parts.host(unit, ...bad)).toEqual([]);
    expect(parts.drops()).toEqual({ "malformed-ip": bad.length });
    expect(parts.host(unit, new Uint8Array(0), new Uint8Array(9), new Uint8Array(10))).toEqual([]);
    expect(parts.drops()).toEqual({ "malformed-ip": bad.length, truncated: 3 });
  });

  it("never are an exception, whatever the kernel says: each leaves or is counted", () => {
    const anyHeader = fc.uint8Array({ minLength: 10, maxLength: 10 });
    const lies = fc.oneof(
      { weight: 1, arbitrary: fc.tuple(anyHeader, fc.uint8Array({ maxLength: 200 })) },
      // one field wrong, in header or packet
      {
        weight: 4,
        arbitrary: fc
          .tuple(anySegment, fc.integer({ min: 1, max: 1400 }), fc.nat(80), fc.nat(255))
          .map(([segment, size, at, value]): [Uint8Array, Uint8Array] => {
            const octets = unfinished(segment, size);
            octets[Math.min(at, octets.length - 1)] = value;
            return [octets.slice(0, 10), octets.slice(10)];
          }),
      },
    );
    const counted = () => Object.values(parts.drops()).reduce((sum, count) => sum + count, 0);
    fc.assert(
      fc.property(lies, ([header, packet]) => {
        const before = counted();
        const sent = parts.host(unit, concatBytes(header, packet));
        parts.punts();
        if (sent.length + counted() - before < 1) throw new Error("lost without a word");
      }),
      { numRuns: 500 },
    );
  });
});
