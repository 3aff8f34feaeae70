import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, toHex } from "../../src/base/bytes.ts";
import { emitIpv4, type Ipv4Packet, ipv4PacketBytes, parseIpv4 } from "../../src/wire/ipv4.ts";
import {
  emitIpv6,
  type Ipv6Packet,
  ipv6PacketBytes,
  ipv6UpperOffset,
  parseIpv6,
} from "../../src/wire/ipv6.ts";
import { emitUdp, parseUdp } from "../../src/wire/udp.ts";

const address4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const address16 = fc.uint8Array({ minLength: 16, maxLength: 16 });
const payload = fc.uint8Array({ maxLength: 60 });

const packet4: fc.Arbitrary<Ipv4Packet> = fc.record({
  tos: fc.nat(255),
  identification: fc.nat(0xffff),
  dontFragment: fc.boolean(),
  moreFragments: fc.boolean(),
  fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
  ttl: fc.nat(255),
  protocol: fc.nat(255),
  source: address4,
  destination: address4,
  payload,
});
const packet6: fc.Arbitrary<Ipv6Packet> = fc.record({
  trafficClass: fc.nat(255),
  flowLabel: fc.nat(0xfffff),
  nextHeader: fc.nat(255),
  hopLimit: fc.nat(255),
  source: address16,
  destination: address16,
  payload,
});

/** The header that every text on the checksum works through: 172.16.10.99 to 172.16.10.12. */
const HEADER4 = "4500 003c 1c46 4000 4006 b1e6 ac100a63 ac100a0c";

describe("IPv4 packets", () => {
  it("are read and written", () => {
    const bytes = concatBytes(fromHex(HEADER4), new Uint8Array(40).fill(7));
    const value = {
      tos: 0,
      identification: 0x1c46,
      dontFragment: true,
      moreFragments: false,
      fragmentOffset: 0,
      ttl: 64,
      protocol: 6,
      source: Uint8Array.of(172, 16, 10, 99),
      destination: Uint8Array.of(172, 16, 10, 12),
      payload: new Uint8Array(40).fill(7),
    };
    expect(parseIpv4(bytes)).toEqual(value);
    expect(toHex(emitIpv4(value))).toBe(toHex(bytes));
  });

  it("come back from what was written, padding left out", () => {
    fc.assert(
      fc.property(packet4, fc.nat(9), (value, padding) => {
        expect(parseIpv4(concatBytes(emitIpv4(value), new Uint8Array(padding)))).toEqual(value);
      }),
    );
  });

  it.each([
    ["nothing", ""],
    ["19 octets", "45000013000000004006000000000000000000"],
    ["version 6", "65000014000000004006000000000000 00000000"],
    ["a header of 16 octets", "44000014000000004006000000000000 00000000"],
    ["options that are not there", "46000014000000004006000000000000 00000000"],
    ["a total length within the header", "45000013000000004006000000000000 00000000"],
    ["a total length beyond the end", "45000015000000004006000000000000 00000000"],
  ])("are refused: %s", (_name, hex) => {
    const bytes = fromHex(hex);
    expect(ipv4PacketBytes(bytes, 0, bytes.length)).toBe(-1);
    expect(parseIpv4(bytes)).toBeUndefined();
  });

  it("with a wrong checksum are refused", () => {
    const bytes = concatBytes(fromHex(HEADER4), new Uint8Array(40));
    bytes[8] = 63;
    expect(parseIpv4(bytes)).toBeUndefined();
  });
});

describe("IPv6 packets", () => {
  it("are read and written", () => {
    const hex = `6ab12345 0002 3a40 ${"20010db8".padEnd(31, "0")}1 ${"20010db8".padEnd(31, "0")}2 abcd`;
    const value = {
      trafficClass: 0xab,
      flowLabel: 0x12345,
      nextHeader: 58,
      hopLimit: 64,
      source: fromHex(`${"20010db8".padEnd(31, "0")}1`),
      destination: fromHex(`${"20010db8".padEnd(31, "0")}2`),
      payload: fromHex("abcd"),
    };
    expect(parseIpv6(fromHex(hex))).toEqual(value);
    expect(emitIpv6(value)).toEqual(fromHex(hex));
  });

  it("come back from what was written, padding left out", () => {
    fc.assert(
      fc.property(packet6, fc.nat(9), (value, padding) => {
        expect(parseIpv6(concatBytes(emitIpv6(value), new Uint8Array(padding)))).toEqual(value);
      }),
    );
  });

  it("that are cut off or another version are refused", () => {
    const whole = new Uint8Array(44);
    whole[0] = 0x60;
    whole[5] = 4;
    expect(ipv6PacketBytes(whole, 0, 44)).toBe(44);
    expect(ipv6PacketBytes(whole, 0, 43)).toBe(-1);
    expect(ipv6PacketBytes(whole, 0, 39)).toBe(-1);
    whole[0] = 0x40;
    expect(ipv6PacketBytes(whole, 0, 44)).toBe(-1);
  });

  it.each([
    [[], 6, 40],
    [[[0, 0]], 6, 48],
    [
      [
        [0, 1],
        [43, 0],
        [60, 2],
      ],
      6,
      40 + 16 + 8 + 24,
    ],
    [[[44, 0]], 6, -1],
    [[[0, 200]], 6, -1],
    [[], 17, -1],
  ] as const)("with extension headers %j: protocol %d carries TCP at %d", (headers, last, at) => {
    const kinds = [...headers.map(([kind]) => kind), last];
    const parts = headers.map(([, units], i) => {
      const header = new Uint8Array(Math.min(units, 10) * 8 + 8);
      header[0] = kinds[i + 1]!;
      header[1] = units;
      return header;
    });
    const bytes = concatBytes(new Uint8Array(40), ...parts, new Uint8Array(20));
    bytes[6] = kinds[0]!;
    expect(ipv6UpperOffset(bytes, 0, bytes.length, 6)).toBe(at);
  });
});

describe("UDP datagrams", () => {
  const source = Uint8Array.of(192, 0, 2, 1);
  const destination = Uint8Array.of(192, 0, 2, 2);

  it("come back from what was written, on IPv4 and IPv6", () => {
    const ports = [fc.nat(0xffff), fc.nat(0xffff)] as const;
    fc.assert(
      fc.property(
        fc.oneof(fc.tuple(address4, address4), fc.tuple(address16, address16)),
        ...ports,
        payload,
        ([from, to], sourcePort, destinationPort, data) => {
          const datagram = { source: from, destination: to, sourcePort, destinationPort, payload: data };
          expect(parseUdp(emitUdp(datagram), from, to)).toEqual(datagram);
        },
      ),
    );
  });

  it("without a checksum are taken on IPv4 and refused on IPv6", () => {
    const segment = fromHex("06a5 06a5 000a 0000 abcd");
    expect(parseUdp(segment, source, destination)?.payload).toEqual(fromHex("abcd"));
    expect(parseUdp(segment, new Uint8Array(16), new Uint8Array(16))).toBeUndefined();
  });

  it.each(["06a506a5000a00", "06a506a500070000", "06a506a5000b0000abcd", "06a506a5000a1234abcd"])(
    "are refused: %s",
    (hex) => {
      expect(parseUdp(fromHex(hex), source, destination)).toBeUndefined();
    },
  );

  it("whose checksum comes out as zero carry all ones", () => {
    const datagram = { source, destination, sourcePort: 0, destinationPort: 0, payload: new Uint8Array(2) };
    const bare = emitUdp(datagram);
    const complement = fromHex(toHex(bare.subarray(6, 8)));
    const segment = emitUdp({ ...datagram, payload: complement });
    expect(toHex(segment.subarray(6, 8))).toBe("ffff");
    expect(parseUdp(segment, source, destination)?.payload).toEqual(complement);
  });
});
