import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, toHex } from "../../src/base/bytes.ts";
import {
  cidrContains,
  cidrNetwork,
  formatCidr,
  formatIpAddress,
  parseCidr,
  parseIpAddress,
  parseIpv4Address,
  parseIpv6Address,
} from "../../src/wire/ip-address.ts";

const octets4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const octets16 = fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 });

describe("IP addresses", () => {
  it.each([
    ["192.0.2.1", "c0000201"],
    ["0.0.0.0", "00000000"],
    ["255.255.255.255", "ffffffff"],
    ["::", "00000000000000000000000000000000"],
    ["::1", "00000000000000000000000000000001"],
    ["2001:db8::", "20010db8000000000000000000000000"],
    ["2001:db8::1", "20010db8000000000000000000000001"],
    // RFC 5952 §4.2.2: one zero group is not shortened; §4.2.3: the first of two equal runs is
    ["2001:db8:0:1:1:1:1:1", "20010db8000000010001000100010001"],
    ["2001:db8::1:0:0:1", "20010db8000000000001000000000001"],
    ["2001:0:0:1::1", "20010000000000010000000000000001"],
    ["::ffff:192.0.2.128", "00000000000000000000ffffc0000280"],
    ["fe80::4b:b4ff:fe90:61a6", "fe80000000000000004bb4fffe9061a6"],
  ])("%s is read and written", (text, hex) => {
    expect(toHex(parseIpAddress(text)!)).toBe(hex);
    expect(formatIpAddress(fromHex(hex))).toBe(text);
  });

  it.each([
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["::13.1.68.3", "::d01:4403"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
  ])("%s is another way to write %s", (text, canonical) => {
    expect(formatIpAddress(parseIpAddress(text)!)).toBe(canonical);
  });

  it.each([
    "",
    "010.0.0.1",
    "10.0.0.01",
    "1.2.3",
    "1.2.3.4.5",
    "256.0.0.1",
    "1.2.3.-4",
    "1.2.3.4 ",
    "0x1.2.3.4",
    "1e1.2.3.4",
    "16909060",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::",
    ":1::",
    "1::2:",
    "fe80::1%eth0",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
  ])("%j is no address", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  it("come back from their text, which the system reads too", () => {
    fc.assert(
      fc.property(octets4, (octets) => {
        expect(isIPv4(formatIpAddress(octets))).toBe(true);
        expect(parseIpv4Address(formatIpAddress(octets))).toEqual(octets);
      }),
    );
    fc.assert(
      fc.property(octets16, (array) => {
        const octets = Uint8Array.from(array);
        expect(isIPv6(formatIpAddress(octets))).toBe(true);
        expect(parseIpv6Address(formatIpAddress(octets))).toEqual(octets);
      }),
    );
  });

  it("are accepted exactly where the system's parser does, but for zones", () => {
    const text = fc.string({ unit: fc.constantFrom(..."0123abf:.:.".split("")), maxLength: 24 });
    fc.assert(
      fc.property(text, (candidate) => {
        expect(parseIpv4Address(candidate) !== undefined).toBe(isIPv4(candidate));
        expect(parseIpv6Address(candidate) !== undefined).toBe(isIPv6(candidate));
      }),
      { numRuns: 2000 },
    );
  });

  it("have four or sixteen octets", () => {
    expect(() => formatIpAddress(new Uint8Array(5))).toThrow(RangeError);
  });
});

describe("prefixes", () => {
  it.each([
    ["192.0.2.0/24", "192.0.2.255", true],
    ["192.0.2.0/24", "192.0.3.0", false],
    ["192.0.2.77/28", "192.0.2.64", true],
    ["192.0.2.77/28", "192.0.2.80", false],
    ["0.0.0.0/0", "255.255.255.255", true],
    ["192.0.2.1/32", "192.0.2.1", true],
    ["192.0.2.1/32", "192.0.2.0", false],
    ["2001:db8::/33", "2001:db8:7fff::1", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["::/0", "1.2.3.4", false],
    ["0.0.0.0/0", "::", false],
  ])("%s and %s: %s", (prefix, address, inside) => {
    expect(cidrContains(parseCidr(prefix)!, parseIpAddress(address)!)).toBe(inside);
  });

  it.each([
    "192.0.2.0",
    "192.0.2.0/33",
    "192.0.2.0/",
    "192.0.2.0/08",
    "192.0.2.0/-1",
    "::/129",
    "/8",
    "::/1/2",
  ])("%j is no prefix", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });

  it("keep host bits until they are asked not to", () => {
    const cidr = parseCidr("192.0.2.77/27")!;
    expect(formatCidr(cidr)).toBe("192.0.2.77/27");
    expect(formatCidr(cidrNetwork(cidr))).toBe("192.0.2.64/27");
    expect(formatCidr(cidrNetwork(parseCidr("2001:db8:ffff::1/34")!))).toBe("2001:db8:c000::/34");
  });

  it("contain their own address and their network", () => {
    fc.assert(
      fc.property(octets4, fc.nat(32), (address, prefixLength) => {
        const cidr = { address, prefixLength };
        expect(cidrContains(cidr, address)).toBe(true);
        expect(cidrContains(cidr, cidrNetwork(cidr).address)).toBe(true);
      }),
    );
  });
});
