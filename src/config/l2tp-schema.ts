import { z } from "zod";
import { authenticationMethods } from "./access-schema.ts";
import { block } from "./block.ts";
import { callingNumberTemplate, connectSpeed } from "./call-fields.ts";
import { destinationSchema } from "./destination-schema.ts";
import {
  deviceName,
  duration,
  durationOrNever,
  filePath,
  flag,
  integer,
  ipAddress,
  label,
  protocolName,
  secret,
  word,
} from "./fields.ts";
import { switchAvpsSchema } from "./switch-schema.ts";

/** A local address that L2TP is spoken on. */
const listenSchema = block(
  {
    address: ipAddress().describe(
      "The local address; 0.0.0.0 or :: is every one. The host may get it later: until then `lacewing show` and `/readyz` say so.",
    ),
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
    "local-host-name": protocolName()
      .exactOptional()
      .describe("The Host Name AVP that we send to it; the gateway's name when absent."),
    "source-address": ipAddress()
      .exactOptional()
      .describe(
        "The local address that we speak to it from: one of `listen`, or any if `listen` has 0.0.0.0 or ::.",
      ),
    "follow-address": flag()
      .default(false)
      .describe("Take the answer to SCCRQ from another address too; from another port it is always taken."),
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
    "hello-interval": duration("1s", "1h")
      .prefault("60s")
      .describe(
        "Silence after which HELLO is sent; ten seconds are enough where data leaves in a tunnel and none comes.",
      ),
    "receive-window": integer(1, 1024)
      .default(128)
      .describe("Control messages that we let it have outstanding."),
    "initial-retransmissions": integer(0, 10)
      .default(2)
      .describe("Retransmissions of SCCRQ, before the peer counts as dead; other messages have five."),
    retransmissions: integer(1, 10)
      .default(5)
      .describe("Retransmissions of every other message, 1 s apart doubling to 8 s."),
    "retransmission-cycle": duration("31s", "10m")
      .prefault("31s")
      .describe(
        "How long the peer repeats a message of its own: state and id of a closed tunnel are kept for so long (§5.7).",
      ),
    "tie-breaker": flag()
      .default(false)
      .describe(
        "Send a Tie Breaker in SCCRQ: there is then one tunnel with this peer, whoever called. Needs max-tunnels 1.",
      ),
    "unknown-mandatory-avp": word(["refuse", "ignore"])
      .default("refuse")
      .describe(
        "What an unknown AVP with the M bit does: end its session or tunnel (§4.1), or nothing but be counted.",
      ),
    "outgoing-calls": word(["refuse", "accept"])
      .default("refuse")
      .describe(
        "What becomes of calls that it asks us to make (OCRQ): refused as a facility that we do not have, or taken as if its subscriber had called us.",
      ),
    "max-sessions": integer(1, 65_535)
      .default(65_535)
      .describe("Sessions in one tunnel; when it is full, the next tunnel is opened."),
    "max-tunnels": integer(1, 256)
      .exactOptional()
      .describe("Tunnels that we open to it; 16 when absent, and 1 with tie-breaker."),
    "max-sessions-per-lns": integer(1, 1_048_576)
      .exactOptional()
      .describe("Sessions that we place with it, in all its tunnels; calls beyond go to the next LNS."),
    "tunnel-idle-timeout": durationOrNever("1s", "24h")
      .prefault("60s")
      .describe("How long a tunnel that we opened stays without a session."),
    "replay-authentication": word(["never", "pap", "always"])
      .default("never")
      .describe(
        "Send the subscriber's authentication frame again once the bridge stands and the LNS has been silent for 1 s: for an LNS that ignores the proxy AVPs.",
      ),
    "address-control": flag().default(true).describe("Send FF03 before the PPP protocol; both are accepted."),
    "length-bit": flag().default(true).describe("Send the length field in data messages."),
    "udp-checksum": flag().default(true).describe("Send UDP checksums on data; only IPv4 can do without."),
    dscp: integer(0, 63).default(0).describe("DSCP of data messages."),
    "control-dscp": integer(0, 63)
      .default(48)
      .describe("DSCP of control messages, CS6 by default; for a peer with an address."),
    sequencing: word(["never", "follow", "required", "always"])
      .default("follow")
      .describe(
        "Sequence numbers on data messages (§5.4). never: we send none; follow: while the peer does; required: as its LAC, we ask for them by Sequencing Required; always: as its LNS, we send them.",
      ),
    oversize: word(["fragment", "drop"])
      .default("fragment")
      .describe("What happens to a frame that does not fit the path: outer fragments, or a counted drop."),
    "path-mtu": integer(576, 65_535)
      .exactOptional()
      .describe("Octets of the largest outer IP packet; that of the route when absent."),
    "connect-speed": connectSpeed()
      .prefault("line")
      .describe(
        "As its LAC: what ICCN says the subscriber's line runs at. line: what the access node said, or else the interface's speed; port: the interface's speed; or a fixed rate such as 100M.",
      ),
    "calling-number": callingNumberTemplate()
      .exactOptional()
      .describe(
        "As its LAC: the Calling Number AVP, text with {mac}, {interface}, {vlan}, {outer-vlan}, {circuit-id}, {remote-id} and {name}, our own name. When absent: the circuit id, or else the MAC address.",
      ),
    "physical-channel-id": word(["none", "vlan", "pppoe-session"])
      .default("none")
      .describe(
        "As its LAC: the Physical Channel ID AVP. vlan: the outer VLAN id in the upper 16 bits and the inner or only one in the lower.",
      ),
    "access-line-avps": flag()
      .default(true)
      .describe("As its LAC: pass on what the access node said of the subscriber's line (RFC 5515)."),
    "connect-speed-update": flag()
      .default(false)
      .describe("As its LAC: announce Connect-Speed-Update messages (RFC 5515 §6.2)."),
    proxy: word(["accept", "renegotiate", "never"])
      .default("accept")
      .describe(
        "As its LNS: take over LCP and authentication from its proxy AVPs where they fit our policy (accept), start anew in any case (renegotiate), or never start anew and refuse what we cannot live with (never).",
      ),
    authentication: authenticationMethods().describe(
      "As its LNS: what we ask subscribers for, in order of preference.",
    ),
    destination: destinationSchema
      .exactOptional()
      .describe(
        "As its LNS: where the subscribers go whose calls it brings, whatever their names are; by their realm when absent. To an LNS, they go as they come: we negotiate nothing.",
      ),
    "switch-avps": switchAvpsSchema
      .prefault({})
      .describe(
        "As the LAC of an LNS to which we send on calls that another LAC has placed with us: what becomes of each AVP. relay: it goes on as it came; regenerate: it is made as for a subscriber of our own; drop: it is left out. What came hidden is hidden again, whatever hide-avps says, if there is a secret; without one, it goes on in the clear unless it is dropped here.",
      ),
  },
  {
    port: "udpPort",
    "hello-interval": "helloIntervalMs",
    "retransmission-cycle": "peerRetransmissionCycleMs",
    "path-mtu": "pathMtuBytes",
    "tunnel-idle-timeout": "tunnelIdleTimeoutMs",
  },
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
  drain: flag()
    .default(false)
    .describe(
      "Take no new calls by L2TP: who calls is told by CDN result 4, and goes to another LNS; sessions that are there go on.",
    ),
});
