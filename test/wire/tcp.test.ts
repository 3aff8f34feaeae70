import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, fromHex, readU16, toHex } from "../../src/base/bytes.ts";
import { addToSum, checksumOf, fillTransportChecksum, pseudoHeaderSum } from "../../src/wire/checksum.ts";
import { emitIpv4 } from "../../src/wire/ipv4.ts";
import { emitIpv6 } from "../../src/wire/ipv6.ts";
import { clampMss } from "../../src/wire/tcp.ts";

const SYN = 0x02;
const SYN_ACK = 0x12;
const ACK = 0x10;
const MSS_1460 = "020405b4";

const ADDRESSES4 = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(198, 51, 100, 2)] as const;
const ADDRESSES6 = [
  fromHex("20010db8000000000000000000000001"),
  fromHex("20010db8000000000000000000000002"),
] as const;

/** A TCP segment with its checksum; `options` in hexadecimal, a multiple of four octets. */
function segment(flags: number, options: string, [source, destination]: readonly [Uint8Array, Uint8Array]) {
  const optionBytes = fromHex(options);
  const header = fromHex("c000 0050 00000001 00000000 0000 ffff 0000 0000");
  header[12] = ((20 + optionBytes.length) / 4) << 4;
  header[13] = flags;
  const bytes = concatBytes(header, optionBytes);
  fillTransportChecksum(bytes, 16, source, destination, 6);
  return bytes;
}

function ipv4(tcp: Uint8Array, fragmentOffset = 0): Uint8Array {
  const [source, destination] = ADDRESSES4;
  const flags = { dontFragment: fragmentOffset === 0, moreFragments: false, fragmentOffset };
  const packet = { tos: 0, identification: 1, ...flags, ttl: 64, protocol: 6, source, destination };
  return emitIpv4({ ...packet, payload: tcp });
}

function ipv6(tcp: Uint8Array, nextHeader = 6): Uint8Array {
  const [source, destination] = ADDRESSES6;
  const packet = { trafficClass: 0, flowLabel: 0, nextHeader, hopLimit: 64, source, destination };
  return emitIpv6({ ...packet, payload: tcp });
}

function checksumIsRight(tcp: Uint8Array, [source, destination]: readonly [Uint8Array, Uint8Array]): boolean {
  return checksumOf(addToSum(pseudoHeaderSum(source, destination, 6, tcp.length), tcp, 0, tcp.length)) === 0;
}

describe("clamping the MSS", () => {
  it.each([
    ["of a SYN", SYN, MSS_1460, 22],
    ["of a SYN-ACK", SYN_ACK, MSS_1460, 22],
    ["behind other options", SYN, `0402 080a 0000000100000000 ${MSS_1460}`, 34],
    ["behind one NOP", SYN, `01 ${MSS_1460} 010101`, 23],
  ])("%s lowers it and mends the checksum, on IPv4 and IPv6", (_name, flags, options, at) => {
    const packet4 = ipv4(segment(flags, options, ADDRESSES4));
    expect(clampMss(packet4, 0, packet4.length, 1452, 1432)).toBe(true);
    expect(readU16(packet4, 20 + at)).toBe(1452);
    expect(checksumIsRight(packet4.subarray(20), ADDRESSES4)).toBe(true);

    const packet6 = ipv6(segment(flags, options, ADDRESSES6));
    expect(clampMss(packet6, 0, packet6.length, 1452, 1432)).toBe(true);
    expect(readU16(packet6, 40 + at)).toBe(1432);
    expect(checksumIsRight(packet6.subarray(40), ADDRESSES6)).toBe(true);
  });

  it.each([
    ["an acknowledgement", ipv4(segment(ACK, MSS_1460, ADDRESSES4))],
    ["a SYN that asks for less", ipv4(segment(SYN, "02040218", ADDRESSES4))],
    ["a SYN that asks for as much", ipv4(segment(SYN, "020405ac", ADDRESSES4))],
    ["a SYN without the option", ipv4(segment(SYN, "01010402", ADDRESSES4))],
    ["an option behind the end of the list", ipv4(segment(SYN, `00000000 ${MSS_1460}`, ADDRESSES4))],
    ["an option of length zero", ipv4(segment(SYN, `0300 0000 ${MSS_1460}`, ADDRESSES4))],
    ["an option of length one", ipv4(segment(SYN, `0301 0000 ${MSS_1460}`, ADDRESSES4))],
    ["an option beyond the header", ipv4(segment(SYN, "03ff 0101", ADDRESSES4))],
    ["an MSS option of another length", ipv4(segment(SYN, "0203 05b4", ADDRESSES4))],
    ["an option without a length", ipv4(segment(SYN, "01010102", ADDRESSES4))],
    ["a later fragment", ipv4(segment(SYN, MSS_1460, ADDRESSES4), 8)],
    [
      "an IPv6 fragment",
      ipv6(concatBytes(fromHex("0600000000000001"), segment(SYN, MSS_1460, ADDRESSES6)), 44),
    ],
    ["UDP", ipv6(segment(SYN, MSS_1460, ADDRESSES6), 17)],
    ["options that are cut off", ipv4(segment(SYN, MSS_1460, ADDRESSES4).subarray(0, 22))],
    ["a segment of 19 octets", ipv4(segment(SYN, MSS_1460, ADDRESSES4).subarray(0, 19))],
    ["a packet that is cut off", ipv4(segment(SYN, MSS_1460, ADDRESSES4)).subarray(0, 43)],
    ["nothing", new Uint8Array(0)],
  ])("leaves %s as it is", (_name, packet) => {
    const before = toHex(packet);
    expect(clampMss(packet, 0, packet.length, 1452, 1432)).toBe(false);
    expect(toHex(packet)).toBe(before);
  });

  it("finds the SYN behind IPv6 destination options", () => {
    const packet = ipv6(concatBytes(fromHex("0600010400000000"), segment(SYN, MSS_1460, ADDRESSES6)), 60);
    expect(clampMss(packet, 0, packet.length, 1452, 1432)).toBe(true);
    expect(readU16(packet, 40 + 8 + 22)).toBe(1432);
  });

  it("keeps every checksum right, wherever the packet is and the option stands", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 537, max: 0xffff }),
        fc.nat(3),
        fc.integer({ min: 1, max: 536 }),
        fc.nat(9),
        (asked, nops, mss, offset) => {
          const option = `0204${asked.toString(16).padStart(4, "0")}`;
          const options = "01".repeat(nops) + option + "00".repeat((4 - nops) % 4);
          const packet = ipv4(segment(SYN, options, ADDRESSES4));
          const bytes = concatBytes(new Uint8Array(offset), packet, new Uint8Array(3));
          expect(clampMss(bytes, offset, packet.length + 3, mss, 1)).toBe(true);
          const tcp = bytes.subarray(offset + 20, offset + packet.length);
          expect(readU16(tcp, 22 + nops)).toBe(mss);
          expect(checksumIsRight(tcp, ADDRESSES4)).toBe(true);
        },
      ),
    );
  });

  it("of random octets never reads or writes beyond them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.constantFrom(0x45, 0x4f, 0x60), (bytes, first) => {
        if (bytes.length > 0) bytes[0] = first;
        const framed = concatBytes(new Uint8Array(8).fill(0xaa), bytes, new Uint8Array(8).fill(0xaa));
        clampMss(framed, 8, bytes.length, 1, 1);
        expect(toHex(framed.subarray(0, 8)) + toHex(framed.subarray(-8))).toBe("aa".repeat(16));
      }),
    );
  });
});
