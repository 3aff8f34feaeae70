import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, readU16, readU32 } from "../../src/base/bytes.ts";
import { addToSum, checksumOf, internetChecksum, pseudoHeaderSum } from "../../src/wire/checksum.ts";
import { fragmentationNeeded, packetTooBig, unreachableReason } from "../../src/wire/icmp.ts";
import { parseIpAddress } from "../../src/wire/ip-address.ts";
import { emitIpv4, type Ipv4Packet, parseIpv4 } from "../../src/wire/ipv4.ts";
import { emitIpv6, type Ipv6Packet, parseIpv6 } from "../../src/wire/ipv6.ts";

const ip = (text: string) => parseIpAddress(text)!;
const OUR4 = ip("192.0.2.254");
const OUR6 = ip("2001:db8::fe");

function big4(change: Partial<Ipv4Packet> = {}): Uint8Array {
  return emitIpv4({
    tos: 0,
    identification: 7,
    dontFragment: true,
    moreFragments: false,
    fragmentOffset: 0,
    ttl: 60,
    protocol: 17,
    source: ip("198.51.100.1"),
    destination: ip("192.0.2.1"),
    payload: new Uint8Array(1480).fill(0x11),
    ...change,
  });
}

function big6(change: Partial<Ipv6Packet> = {}): Uint8Array {
  return emitIpv6({
    trafficClass: 0,
    flowLabel: 0,
    nextHeader: 17,
    hopLimit: 60,
    source: ip("2001:db8:1::1"),
    destination: ip("2001:db8:2::1"),
    payload: new Uint8Array(1460).fill(0x11),
    ...change,
  });
}

describe("Fragmentation Needed", () => {
  it("goes to the sender with the MTU and as much of the packet as 576 octets take", () => {
    const offending = big4();
    const error = parseIpv4(fragmentationNeeded(offending, OUR4, 1492)!)!;
    expect(error).toMatchObject({ source: OUR4, destination: ip("198.51.100.1"), protocol: 1, tos: 0xc0 });
    expect(error.payload.length).toBe(576 - 20);
    expect([...error.payload.subarray(0, 2)]).toEqual([3, 4]);
    expect([readU16(error.payload, 4), readU16(error.payload, 6)]).toEqual([0, 1492]);
    expect(internetChecksum(error.payload, 0, error.payload.length)).toBe(0);
    expect(error.payload.subarray(8)).toEqual(offending.subarray(0, 548));
  });

  it("is sent about an Echo-Request, and about no ICMP error", () => {
    const echo = big4({ protocol: 1, payload: fromHex("0800000000000000") });
    expect(fragmentationNeeded(echo, OUR4, 1492)).toBeDefined();
    for (const type of [3, 4, 5, 11, 12])
      expect(
        fragmentationNeeded(big4({ protocol: 1, payload: Uint8Array.of(type) }), OUR4, 1492),
      ).toBeUndefined();
    expect(
      fragmentationNeeded(big4({ protocol: 1, payload: new Uint8Array(0) }), OUR4, 1492),
    ).toBeUndefined();
  });

  it.each([
    ["a later fragment", big4({ fragmentOffset: 8 })],
    ["a packet from nobody", big4({ source: ip("0.0.0.0") })],
    ["a packet from loopback", big4({ source: ip("127.0.0.1") })],
    ["a packet from a group", big4({ source: ip("224.0.0.5") })],
    ["a packet from everybody", big4({ source: ip("255.255.255.255") })],
    ["a packet to a group", big4({ destination: ip("239.1.1.1") })],
    ["a broadcast", big4({ destination: ip("255.255.255.255") })],
    ["an IPv6 packet", big6()],
    ["half a header", big4().subarray(0, 19)],
    ["nothing", new Uint8Array(0)],
  ])("is not sent about %s", (_name, packet) => {
    expect(fragmentationNeeded(packet, OUR4, 1492)).toBeUndefined();
  });
});

describe("Packet Too Big", () => {
  it("goes to the sender with the MTU and as much of the packet as 1280 octets take", () => {
    const offending = big6();
    const bytes = packetTooBig(offending, OUR6, 1280)!;
    expect(bytes.length).toBe(1280);
    const error = parseIpv6(bytes)!;
    expect(error).toMatchObject({ source: OUR6, destination: ip("2001:db8:1::1"), nextHeader: 58 });
    expect([...error.payload.subarray(0, 2)]).toEqual([2, 0]);
    expect(readU32(error.payload, 4)).toBe(1280);
    const pseudo = pseudoHeaderSum(error.source, error.destination, 58, error.payload.length);
    expect(checksumOf(addToSum(pseudo, error.payload, 0, error.payload.length))).toBe(0);
    expect(error.payload.subarray(8)).toEqual(offending.subarray(0, 1232));
  });

  it("is sent about multicast and Echo-Requests, and about no ICMPv6 error or redirect", () => {
    expect(packetTooBig(big6({ destination: ip("ff0e::1") }), OUR6, 1280)).toBeDefined();
    const about = (type: number) =>
      packetTooBig(big6({ nextHeader: 58, payload: Uint8Array.of(type) }), OUR6, 1280);
    expect(about(128)).toBeDefined();
    for (const type of [1, 2, 3, 4, 127, 137]) expect(about(type)).toBeUndefined();
  });

  it.each([
    ["a packet from nobody", big6({ source: ip("::") })],
    ["a packet from a group", big6({ source: ip("ff02::1") })],
    ["an IPv4 packet", big4()],
    ["half a header", big6().subarray(0, 39)],
  ])("is not sent about %s", (_name, packet) => {
    expect(packetTooBig(packet, OUR6, 1280)).toBeUndefined();
  });
});

describe("ICMP errors about random octets", () => {
  it("are whole packets or none", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.constantFrom(0x45, 0x4f, 0x60), (bytes, first) => {
        if (bytes.length > 0) bytes[0] = first;
        const four = fragmentationNeeded(bytes, OUR4, 1400);
        if (four !== undefined) expect(parseIpv4(four)).toBeDefined();
        const six = packetTooBig(bytes, OUR6, 1400);
        if (six !== undefined) expect(parseIpv6(six)).toBeDefined();
      }),
    );
  });
});

describe("what an ICMP error says", () => {
  it.each([
    ["port unreachable", 3, 3, 1, 4, "port"],
    ["host, or address, unreachable", 3, 1, 1, 3, "host"],
    ["no route", 3, 0, 1, 0, "network"],
    ["administratively prohibited", 3, 13, 1, 1, "prohibited"],
    ["time exceeded", 11, 0, 3, 0, "expired"],
    ["anything else", 12, 0, 4, 1, "other"],
    ["a code that there is not yet", 3, 99, 1, 99, "other"],
  ] as const)("is told apart, of both families: %s", (_, type4, code4, type6, code6, reason) => {
    expect(unreachableReason(false, type4, code4)).toBe(reason);
    expect(unreachableReason(true, type6, code6)).toBe(reason);
  });
});
