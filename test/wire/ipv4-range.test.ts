import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipv4FromNumber, ipv4ToNumber, parseIpv4Range } from "../../src/wire/ipv4-range.ts";

/** First and last address and the prefixes of a range, as text. */
function read(text: string): string | undefined {
  const range = parseIpv4Range(text);
  if (range === undefined) return undefined;
  return `${ipv4FromNumber(range.first)} ${ipv4FromNumber(range.last)} ${range.prefixes.join(" ")}`;
}

describe("an IPv4 range", () => {
  it.each([
    ["192.0.2.0/24", "192.0.2.1 192.0.2.254 192.0.2.0/24"],
    ["192.0.2.4/30", "192.0.2.5 192.0.2.6 192.0.2.4/30"],
    ["192.0.2.4/31", "192.0.2.4 192.0.2.5 192.0.2.4/31"],
    ["192.0.2.4/32", "192.0.2.4 192.0.2.4 192.0.2.4/32"],
    ["0.0.0.0/0", "0.0.0.1 255.255.255.254 0.0.0.0/0"],
    ["192.0.2.7", "192.0.2.7 192.0.2.7 192.0.2.7/32"],
    [
      "192.0.2.10-192.0.2.99",
      "192.0.2.10 192.0.2.99 192.0.2.10/31 192.0.2.12/30 192.0.2.16/28 192.0.2.32/27 192.0.2.64/27 192.0.2.96/30",
    ],
    ["0.0.0.0-255.255.255.255", "0.0.0.0 255.255.255.255 0.0.0.0/0"],
  ])("%s is read", (text, expected) => {
    expect(read(text)).toBe(expected);
  });

  it.each([
    "",
    "192.0.2.1/24",
    "192.0.2.0/33",
    "192.0.2.9-192.0.2.8",
    "192.0.2.1-",
    "-192.0.2.1",
    "1.2.3",
    "192.0.2.1-192.0.2.2-192.0.2.3",
    "2001:db8::/64",
    "192.0.2.1 - 192.0.2.2",
  ])("%j is none", (text) => {
    expect(parseIpv4Range(text)).toBeUndefined();
  });

  it("has prefixes that hold exactly its addresses, in order and without gaps", () => {
    const address = fc.nat(0xffffffff);
    fc.assert(
      fc.property(address, address, (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        const range = parseIpv4Range(`${ipv4FromNumber(first)}-${ipv4FromNumber(last)}`)!;
        let next = first;
        for (const prefix of range.prefixes) {
          const [start = "", length] = prefix.split("/");
          const size = 2 ** (32 - Number(length));
          expect(ipv4ToNumber(start)).toBe(next);
          expect(next % size).toBe(0);
          next += size;
        }
        expect(next).toBe(last + 1);
        expect(range.prefixes.length).toBeLessThanOrEqual(62);
      }),
    );
  });
});
