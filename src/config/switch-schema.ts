import { block } from "./block.ts";
import { word } from "./fields.ts";

const RELAY = ["relay", "drop"] as const;
const ANY = ["relay", "regenerate", "drop"] as const;

/** What a tunnel switch does with the AVPs of a call that it sends on. */
export const switchAvpsSchema = block({
  "bearer-type": word(ANY)
    .default("relay")
    .describe("Bearer Type. regenerate: digital, as for a subscriber of our own."),
  "calling-number": word(ANY)
    .default("relay")
    .describe("Calling Number. regenerate: by the peer's calling-number, or else as it came."),
  "called-number": word(RELAY).default("relay").describe("Called Number."),
  "sub-address": word(RELAY).default("relay").describe("Sub-Address."),
  "physical-channel-id": word(RELAY).default("relay").describe("Physical Channel ID."),
  "tx-connect-speed": word(["relay", "regenerate"])
    .default("relay")
    .describe("(Tx) Connect Speed, and later changes of it. regenerate: by the peer's connect-speed."),
  "rx-connect-speed": word(ANY)
    .default("relay")
    .describe("Rx Connect Speed, and later changes of it. regenerate: by the peer's connect-speed."),
  "connect-speed-update": word(ANY)
    .default("relay")
    .describe(
      "Whether changes of the speeds are announced (RFC 5515 §6.2). relay: where the LAC has announced them; regenerate: by the peer's connect-speed-update.",
    ),
  "access-line": word(RELAY)
    .default("relay")
    .describe("What is known of the subscriber's line (RFC 5515 §5); access-line-avps keeps it back, too."),
  "proxy-lcp": word(RELAY)
    .default("relay")
    .describe("The three AVPs of LCP that has been negotiated already. drop: the LNS negotiates anew."),
  "proxy-authentication": word(RELAY)
    .default("relay")
    .describe("The five AVPs of the subscriber's authentication. drop: the LNS asks for it anew."),
  "private-group-id": word(RELAY).default("relay").describe("Private Group ID."),
  "sequencing-required": word(["relay", "regenerate"])
    .default("regenerate")
    .describe(
      "Sequencing Required. regenerate: by the peer's sequencing alone; relay: also where the LAC asks for it.",
    ),
  other: word(RELAY)
    .default("relay")
    .describe("AVPs that we do not know, of any vendor, unless they have the M bit: those never go on."),
});
