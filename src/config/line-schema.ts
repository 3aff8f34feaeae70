import { z } from "zod";
import { block } from "./block.ts";
import { destinationSchema } from "./destination-schema.ts";
import { deviceName, vlanRanges } from "./fields.ts";

/** Where the subscribers of some access lines go. */
const lineSchema = block({
  interface: deviceName().exactOptional().describe("Lines on this access interface; on any when absent."),
  vlans: vlanRanges()
    .exactOptional()
    .describe(
      "Lines under these VLAN ids, the inner ones where there are two tags: 100, 100-199, or a list.",
    ),
  "outer-vlans": vlanRanges()
    .exactOptional()
    .describe("Lines under two tags of which the outer VLAN id is one of these."),
  to: destinationSchema.describe("Where their subscribers go."),
});

export const linesSchema = z.array(lineSchema, { error: "a list of lines" }).readonly();
