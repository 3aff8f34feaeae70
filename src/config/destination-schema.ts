import { z } from "zod";
import { label } from "./fields.ts";

/** Where a subscriber's PPP goes. */
type Destination =
  /** Carried, unchanged, to the L2TP peer of that name. */
  | { readonly kind: "lns"; readonly peer: string }
  /** Terminated here, on a device of that unit group. */
  | { readonly kind: "terminate"; readonly unit: string }
  /** Told that there is no service. */
  | { readonly kind: "refuse" };

const ALLOWED = "exactly one of lns: PEER, terminate: UNIT-GROUP and refuse: true";

export const destinationSchema = z
  .strictObject(
    {
      lns: label().exactOptional().describe("The name of the L2TP peer that terminates it."),
      terminate: label().exactOptional().describe("The unit group here that terminates it."),
      refuse: z.literal(true, { error: "true" }).exactOptional().describe("It is refused."),
    },
    { error: (issue) => (issue.code === "unrecognized_keys" ? "lns, terminate, refuse" : ALLOWED) },
  )
  .refine((given) => Object.keys(given).length === 1, { error: ALLOWED })
  .transform((given): Destination => {
    if (given.lns !== undefined) return Object.freeze({ kind: "lns", peer: given.lns });
    if (given.terminate !== undefined) return Object.freeze({ kind: "terminate", unit: given.terminate });
    return Object.freeze({ kind: "refuse" });
  });
