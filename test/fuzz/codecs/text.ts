/** What people write, and so what files and command lines hold: addresses as text. */

import { equalBytes, fromUtf8, utf8 } from "../../../src/base/bytes.ts";
import {
  cidrContains,
  cidrNetwork,
  formatCidr,
  formatIpAddress,
  parseCidr,
  parseIpAddress,
  parseIpv4Address,
  parseIpv6Address,
} from "../../../src/wire/ip-address.ts";
import { ipv4FromNumber, ipv4ToNumber, parseIpv4Range } from "../../../src/wire/ipv4-range.ts";
import { type Marker, samples } from "../sample.ts";
import { type CodecTarget, ensure } from "../target.ts";
import { codec } from "./codec.ts";

const everywhere: Marker = (bytes) => Array.from(bytes, (_, i) => i);
const texts = (...list: string[]) => samples(list.map(utf8), everywhere);

export const TEXT_CODECS: readonly CodecTarget[] = [
  codec(
    "ip-address",
    [parseIpAddress, parseIpv4Address, parseIpv6Address, formatIpAddress],
    texts(
      "192.0.2.1",
      "0.0.0.0",
      "255.255.255.255",
      "2001:db8::1",
      "::",
      "::ffff:192.0.2.1",
      "1:2:3:4:5:6:7:8",
    ),
    (input) => {
      const text = fromUtf8(input);
      const address = parseIpAddress(text);
      ensure(
        (parseIpv4Address(text) ?? parseIpv6Address(text)) === undefined || address !== undefined,
        "disagree",
      );
      if (address === undefined) return;
      ensure(equalBytes(parseIpAddress(formatIpAddress(address))!, address), "another address");
    },
  ),
  codec(
    "cidr",
    [parseCidr, formatCidr, cidrNetwork, cidrContains],
    texts("192.0.2.0/24", "0.0.0.0/0", "10.0.0.1/32", "2001:db8::/32", "::/0", "fe80::1/128"),
    (input) => {
      const cidr = parseCidr(fromUtf8(input));
      if (cidr === undefined) return;
      ensure(formatCidr(parseCidr(formatCidr(cidr))!) === formatCidr(cidr), "another prefix");
      ensure(cidrContains(cidrNetwork(cidr), cidr.address), "an address outside its own network");
    },
  ),
  codec(
    "ipv4-range",
    [parseIpv4Range, ipv4FromNumber, ipv4ToNumber],
    texts("192.0.2.0/24", "192.0.2.10-192.0.2.99", "192.0.2.7", "0.0.0.1-255.255.255.254", "0.0.0.0/0"),
    (input) => {
      const range = parseIpv4Range(fromUtf8(input));
      if (range === undefined) return;
      ensure(range.first <= range.last && range.prefixes.length <= 64, "a range that is none");
      ensure(ipv4ToNumber(ipv4FromNumber(range.first)) === range.first, "another address");
    },
  ),
];
