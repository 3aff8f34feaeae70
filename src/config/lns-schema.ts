import { z } from "zod";
import { block } from "./block.ts";
import { duration, flag, integer, label, mapOf, word } from "./fields.ts";

const memberSchema = block({
  peer: label().describe("The name of the L2TP peer."),
  preference: integer(0, 65_535)
    .default(0)
    .describe("Members with a lower number are tried first; those with the same number share the calls."),
  weight: integer(1, 1000)
    .default(1)
    .describe("The share of the calls among members with the same preference."),
});

/** LNSes that can stand in for each other. */
const lnsGroupSchema = block(
  {
    members: z
      .array(memberSchema, { error: "a list of members, each with a peer" })
      .min(1, { error: "a list of at least one member" })
      .readonly()
      .describe("The LNSes of the group."),
    strategy: word(["weight", "sessions"])
      .default("weight")
      .describe(
        "Who gets the next call within a preference: in proportion to the weights, or who has the fewest sessions for its weight.",
      ),
    lockout: duration("1s", "24h")
      .prefault("5m")
      .describe(
        "How long an LNS is passed over that did not answer SCCRQ, whose tunnel was lost, or that refused the tunnel. When all are locked out, the one locked longest is tried.",
      ),
    "lockout-on-cdn": flag()
      .default(false)
      .describe(
        "Lock out also an LNS that refuses a call for want of resources, or does not answer it; otherwise only that call goes to the next.",
      ),
  },
  { lockout: "lockoutMs", "lockout-on-cdn": "lockoutOnCdn" },
);

export const lnsGroupsSchema = mapOf(lnsGroupSchema, "names to groups of LNSes");
