import { block } from "./block.ts";
import { flag, integer, ipv4Address, ipv4Ranges, listOf, text, word } from "./fields.ts";

/** A unit group: how terminated subscribers get their device and their addresses. */
export const unitSchema = block(
  {
    mode: word(["device", "shared"])
      .default("device")
      .describe("`device`: a network device for each session. `shared`: one device for all of the group."),
    name: text(
      /^(?!\.{1,2}$)[^\s/:%\p{C}]{0,15}(%d)?[^\s/:%\p{C}]{0,15}$/u,
      "a device name, with one %d for the number where every session has its own",
    ).describe("The device's name. `%d` (up to six digits) counts sessions, and belongs to mode `device`."),
    netns: text(/^(?!\.{1,2}$)[^/\0]{1,255}$/, "the name of a network namespace")
      .exactOptional()
      .describe(
        "The named network namespace (ip netns) that devices are made in. The service needs its helper for that (lacewing-units.socket), unless it has CAP_SYS_ADMIN.",
      ),
    mtu: integer(576, 1500).default(1492).describe("Octets of the largest IP packet on the device."),
    address: ipv4Address().describe("Our end of every session."),
    pool: ipv4Ranges()
      .exactOptional()
      .describe("Addresses for subscribers: prefixes (100.64.0.0/16) and ranges (192.0.2.10-192.0.2.99)."),
    dns: listOf(ipv4Address(), "IPv4 addresses", 2)
      .default([])
      .describe("DNS servers that subscribers are told of, at most two (RFC 1877)."),
    "clamp-mss": flag().default(true).describe("Clamp the MSS of TCP connections to what the session takes."),
    ipv6: flag().default(false).describe("Negotiate IPV6CP. There are no router advertisements yet."),
  },
  { mtu: "mtuBytes" },
);
