import { z } from "zod";
import { authenticationMethods } from "./access-schema.ts";
import { block } from "./block.ts";
import {
  deviceName,
  duration,
  filePath,
  flag,
  integer,
  ipAddress,
  label,
  protocolName,
  secret,
  word,
} from "./fields.ts";

/** A local address that L2TP is spoken on. */
const listenSchema = block(
  {
    address: ipAddress().describe("The local address; 0.0.0.0 or :: is every one."),
    port: integer(1, 65_535).default(1701).describe("The local UDP port."),
    interface: deviceName().exactOptional().describe("Bind to this device, a VRF mostly."),
  },
  { port: "udpPort" },
);

/** One LNS or LAC that we speak with (RFC 2661). */
export const peerSchema = block(
  {
    name: label().describe("Our name for it, in this file, in logs and in tables."),
    address: ipAddress()
      .exactOptional()
      .describe("Its address. Needed to call it; a peer that calls us is told apart by it when it is there."),
    port: integer(1, 65_535).default(1701).describe("The UDP port that we call it on."),
    "host-name": protocolName()
      .exactOptional()
      .describe(
        "The Host Name AVP that it must send. A peer with neither address nor host-name is everyone else.",
      ),
    role: word(["lns", "lac", "both"])
      .default("lns")
      .describe("What it is to us: an LNS, which we call; a LAC, which calls us; or both."),
    "secret-file": filePath()
      .exactOptional()
      .describe(
        "The file with the tunnel secret, relative to this file. Nobody but its owner may have access to it.",
      ),
    secret: secret()
      .exactOptional()
      .describe(
        "The tunnel secret itself; this file must then be its owner's alone. Without any: no tunnel authentication.",
      ),
    "hide-avps": flag()
      .default(false)
      .describe("Hide AVPs that carry names and passwords (§4.3); needs a secret."),
    "hello-interval": duration("1s", "1h").default(60_000).describe("Silence after which HELLO is sent."),
    "receive-window": integer(1, 32_768)
      .default(128)
      .describe("Control messages that we let it have outstanding."),
    "initial-retransmissions": integer(0, 10)
      .default(2)
      .describe("Retransmissions of SCCRQ, before the peer counts as dead; other messages have five."),
    "replay-authentication": word(["never", "pap", "always"])
      .default("never")
      .describe(
        "Send the subscriber's authentication frame again once the bridge stands and the LNS has been silent for 1 s: for an LNS that ignores the proxy AVPs.",
      ),
    "address-control": flag().default(true).describe("Send FF03 before the PPP protocol; both are accepted."),
    "length-bit": flag().default(true).describe("Send the length field in data messages."),
    "udp-checksum": flag().default(true).describe("Send UDP checksums on data; only IPv4 can do without."),
    oversize: word(["fragment", "drop"])
      .default("fragment")
      .describe("What happens to a frame that does not fit the path: outer fragments, or a counted drop."),
    "path-mtu": integer(576, 65_535)
      .exactOptional()
      .describe("Octets of the largest outer IP packet; that of the route when absent."),
    proxy: word(["accept", "renegotiate"])
      .default("accept")
      .describe("As its LNS: take over LCP and authentication from its proxy AVPs, or start anew."),
    authentication: authenticationMethods().describe(
      "As its LNS: what we ask subscribers for, in order of preference.",
    ),
  },
  { port: "udpPort", "hello-interval": "helloIntervalMs", "path-mtu": "pathMtuBytes" },
);

export const l2tpSchema = block({
  listen: z
    .array(listenSchema, { error: "a list of local addresses" })
    .readonly()
    .default([])
    .describe("The local addresses that L2TP is spoken on."),
  peers: z
    .array(peerSchema, { error: "a list of peers" })
    .readonly()
    .default([])
    .describe("The LNSes and LACs that we speak with."),
});
