import { block } from "./block.ts";
import { deviceName, flag, integer, listOf, protocolName, text, word } from "./fields.ts";

/** How a peer proves who it is, the preferred way first. */
export function authenticationMethods() {
  return listOf(word(["chap", "pap"]), "of chap and pap", 2).default(["chap", "pap"]);
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
    "max-sessions": integer(1, 65_534).default(65_534).describe("Sessions on this interface."),
    authentication: authenticationMethods().describe("What we ask subscribers for, in order of preference."),
    mru: integer(128, 1500)
      .default(1492)
      .describe(
        "Octets of the largest PPP packet; above 1492 only for clients with PPP-Max-Payload (RFC 4638).",
      ),
  },
  { mru: "mruBytes" },
);
