import { block } from "./block.ts";
import { deviceName, duration, flag, integer, listOf, protocolName, text, word } from "./fields.ts";

/** How a peer proves who it is, the preferred way first. */
export function authenticationMethods() {
  const methods = word(["chap", "ms-chap-v2", "pap"]);
  return listOf(methods, "of chap, ms-chap-v2 and pap", 3).default(["chap", "pap"]);
}

/** One PPPoE access interface (RFC 2516). */
export const accessSchema = block(
  {
    interface: deviceName().describe("The Ethernet interface; it may be missing at start and come later."),
    "ac-name": protocolName().exactOptional().describe("AC-Name in PADO; the gateway's name when absent."),
    "service-names": listOf(
      text(/^[^\p{C}]{0,255}$/u, 'a service name of at most 255 characters ("" is the unnamed service)'),
      "service names",
    )
      .default([""])
      .describe(
        'The services that are offered; "" is the unnamed one, which a client gets that asks for any.',
      ),
    "any-service-name": flag()
      .default(false)
      .describe("Accept every Service-Name, also those that are not offered."),
    "sessions-per-mac": integer(1, 65_534).default(1).describe("Sessions that one MAC address may have."),
    "at-mac-limit": word(["replace", "refuse"])
      .default("replace")
      .describe("At that limit, a new call replaces the oldest session of its MAC, or is refused."),
    "max-sessions": integer(1, 1_000_000)
      .default(65_534)
      .describe("Sessions on this interface; at most 65,534 of them in one VLAN, or without any."),
    authentication: authenticationMethods().describe("What we ask subscribers for, in order of preference."),
    mru: integer(128, 1500)
      .default(1492)
      .describe(
        "Octets of the largest PPP packet; above 1492 only for clients with PPP-Max-Payload (RFC 4638).",
      ),
    "pado-delay": duration("0ms", "5s")
      .prefault("0ms")
      .describe(
        "How much later a PADI is answered at full load, in proportion below it: of two concentrators the less loaded one gets the call.",
      ),
    "padi-rate": integer(1, 1_000_000)
      .default(20_000)
      .describe("PADIs that are answered in a second on this interface; the others are passed over."),
    "padi-rate-per-mac": integer(1, 1000)
      .default(1)
      .describe(
        "PADIs that are answered in a second of one MAC address in one VLAN; five times as many at once after a silence.",
      ),
    drain: flag().default(false).describe("Take no new calls; sessions that are there go on."),
  },
  {
    mru: "mruBytes",
    "pado-delay": "padoDelayMs",
    "padi-rate": "padisPerSecond",
    "padi-rate-per-mac": "padisPerSecondPerMac",
  },
);
