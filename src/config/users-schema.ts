import { z } from "zod";
import { block } from "./block.ts";
import { ipv4Address, label, listOf, secret, text } from "./fields.ts";

/** One local user. */
export const userSchema = block({
  name: text(/^[^\p{C}]{1,253}$/u, "a user name of 1 to 253 characters").describe(
    "The whole user name as the subscriber sends it, with its realm if it has one.",
  ),
  password: secret().describe("The password, of 1 to 255 octets."),
  address: ipv4Address()
    .exactOptional()
    .describe(
      "A fixed IPv4 address; one of the pool when absent. A new login takes it over from the old one, also from one in another unit group of the same network namespace.",
    ),
  dns: listOf(ipv4Address(), "IPv4 addresses", 2)
    .exactOptional()
    .describe("DNS servers; those of the unit group when absent."),
  unit: label().exactOptional().describe("The unit group, whatever the realm says."),
});

/** The users file: a list of users. */
export const usersSchema = z
  .array(userSchema, { error: "a list of users" })
  .readonly()
  .describe("The local users.");
