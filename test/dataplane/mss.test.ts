import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concatBytes, readU16, writeU16 } from "../../src/base/bytes.ts";
import { clampMss } from "../../src/dataplane/mss.ts";

const SYN = 0x02;
const ACK = 0x10;

/** The Internet checksum over pseudo-header and segment (RFC 793 §3.1): 0 when the segment's own is right. */
function checksumOf(addresses: Uint8Array, segment: Uint8Array): number {
  const padded = concatBytes(addresses, Uint8Array.of(0, 6, segment.length >>> 8, segment.length), segment);
  const even = padded.length % 2 === 0 ? padded : concatBytes(padded, Uint8Array.of(0));
  let sum = 0;
  for (let i = 0; i < even.length; i += 2) sum += readU16(even, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function packet(
  version: 4 | 6,
  flags: number,
  options: readonly number[],
  payload = new Uint8Array(3),
): Uint8Array {
  const padded = [...options, ...new Array((4 - (options.length % 4)) % 4).fill(0)];
  const segment = concatBytes(new Uint8Array(20), Uint8Array.from(padded), payload);
  segment.set([0x12, 0x34, 0, 80, 1, 2, 3, 4, 5, 6, 7, 8]);
  segment[12] = ((20 + padded.length) / 4) << 4;
  segment[13] = flags;
  const header = new Uint8Array(version === 4 ? 20 : 40).fill(0x5a);
  header[0] = version === 4 ? 0x45 : 0x60;
  header[version === 4 ? 9 : 6] = 6;
  if (version === 4) header.fill(0, 6, 8);
  const all = concatBytes(header, segment);
  writeU16(all, header.length + 16, checksumOf(addressesOf(all), segment));
  return all;
}

function headerBytes(bytes: Uint8Array): number {
  return bytes[0]! >>> 4 === 4 ? 20 : 40;
}

function addressesOf(bytes: Uint8Array): Uint8Array {
  return bytes[0]! >>> 4 === 4 ? bytes.subarray(12, 20) : bytes.subarray(8, 40);
}

function clamped(bytes: Uint8Array, mtu: number): Uint8Array {
  const copy = concatBytes(new Uint8Array(7), bytes);
  clampMss(copy, 7, bytes.length, mtu);
  return copy.subarray(7);
}

describe("the MSS clamp", () => {
  it.each([
    [4, 1452],
    [6, 1432],
  ] as const)(
    "lowers the option of an IPv%i SYN to what fits and keeps the checksum right",
    (version, mss) => {
      fc.assert(
        fc.property(
          fc.integer({ min: 0, max: 0xffff }),
          fc.integer({ min: 0, max: 5 }),
          fc.constantFrom(SYN, SYN | ACK),
          (announced, nops, flags) => {
            const before = packet(version, flags, [
              ...new Array(nops).fill(1),
              2,
              4,
              announced >>> 8,
              announced & 0xff,
            ]);
            const after = clamped(before, 1492);
            const at = headerBytes(after) + 20 + nops + 2;
            expect(readU16(after, at)).toBe(Math.min(announced, mss));
            expect(checksumOf(addressesOf(after), after.subarray(headerBytes(after)))).toBe(0);
          },
        ),
      );
    },
  );

  const MSS_1460 = [2, 4, 0x05, 0xb4];

  it("is done on SYNs only, and not on later fragments or other protocols", () => {
    const plain = packet(4, ACK, MSS_1460);
    expect(clamped(plain, 1000)).toEqual(plain);
    const fragment = packet(4, SYN, MSS_1460);
    fragment[7] = 1;
    expect(clamped(fragment, 1000)).toEqual(fragment);
    const udp = packet(4, SYN, MSS_1460);
    udp[9] = 17;
    expect(clamped(udp, 1000)).toEqual(udp);
  });

  it.each([
    ["the option list ends first", [0, ...MSS_1460]],
    ["an option has no length", [1, 1, 1, 5]],
    ["an option's length is 0", [5, 0, ...MSS_1460]],
    ["an option's length is 1", [5, 1, ...MSS_1460]],
    ["an option reaches beyond the header", [5, 40, ...MSS_1460]],
    ["the MSS option is too short", [2, 3, 5, 1]],
  ])("leaves a SYN alone when %s", (_, options) => {
    const before = packet(4, SYN, options);
    expect(clamped(before, 1000)).toEqual(before);
  });

  it("never reads or writes beyond the packet, whatever is in it", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 40, maxLength: 120 }),
        fc.constantFrom(4, 6),
        (noise, version) => {
          const bytes = Uint8Array.from(noise);
          bytes[0] = (version << 4) | 5;
          bytes[version === 4 ? 9 : 6] = 6;
          const around = concatBytes(new Uint8Array(64).fill(0xaa), bytes, new Uint8Array(64).fill(0xaa));
          clampMss(around, 64, bytes.length, 576);
          expect(around.subarray(0, 64)).toEqual(new Uint8Array(64).fill(0xaa));
          expect(around.subarray(64 + bytes.length)).toEqual(new Uint8Array(64).fill(0xaa));
        },
      ),
    );
  });
});
