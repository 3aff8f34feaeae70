import { z } from "zod";
import { duration, label } from "./fields.ts";

/** How long sessions may last; undefined is for ever. */
export interface SessionLimits {
  readonly sessionTimeoutMs?: number;
  readonly idleTimeoutMs?: number;
}

/** Where a subscriber's PPP goes. */
type Destination =
  /** Carried, unchanged, to an LNS: the peer or the group of LNSes of that name. */
  | ({ readonly kind: "lns"; readonly lns: string } & SessionLimits)
  /** Terminated here, on a device of that unit group. */
  | ({ readonly kind: "terminate"; readonly unit: string } & SessionLimits)
  /** Told that there is no service. */
  | { readonly kind: "refuse" };

const KINDS = ["lns", "terminate", "refuse"] as const;
const ALLOWED = "exactly one of lns: PEER-OR-GROUP, terminate: UNIT-GROUP and refuse: true";

export const destinationSchema = z
  .strictObject(
    {
      lns: label()
        .exactOptional()
        .describe("The name of the L2TP peer, or group of LNSes, that terminates it."),
      terminate: label().exactOptional().describe("The unit group here that terminates it."),
      refuse: z
        .literal(true, { error: "true" })
        .meta({ errorMessage: "true" })
        .exactOptional()
        .describe("It is refused."),
      "session-timeout": duration("1s", "8760h")
        .exactOptional()
        .describe("A session ends when it has been open for so long; never when absent."),
      "idle-timeout": duration("1s", "8760h")
        .exactOptional()
        .describe(
          "A session ends that has carried no network-layer packet, either way, for so long; never when absent. LCP echo does not count.",
        ),
    },
    {
      error: (issue) =>
        issue.code === "unrecognized_keys" ? `${KINDS.join(", ")}, session-timeout, idle-timeout` : ALLOWED,
    },
  )
  .refine((given) => KINDS.filter((kind) => given[kind] !== undefined).length === 1, { error: ALLOWED })
  .transform((given): Destination => {
    const limits = {
      ...(given["session-timeout"] !== undefined && { sessionTimeoutMs: given["session-timeout"] }),
      ...(given["idle-timeout"] !== undefined && { idleTimeoutMs: given["idle-timeout"] }),
    };
    if (given.lns !== undefined) return Object.freeze({ kind: "lns", lns: given.lns, ...limits });
    if (given.terminate !== undefined)
      return Object.freeze({ kind: "terminate", unit: given.terminate, ...limits });
    return Object.freeze({ kind: "refuse" });
  })
  .meta({ id: "destination", errorMessage: ALLOWED });
