import { z } from "zod";
import { accessSchema } from "./access-schema.ts";
import { block } from "./block.ts";
import { controlSchema } from "./control-schema.ts";
import { destinationSchema } from "./destination-schema.ts";
import { filePath, integer, mapOf, memory, protocolName, word } from "./fields.ts";
import { l2tpSchema } from "./l2tp-schema.ts";
import { linesSchema } from "./line-schema.ts";
import { lnsGroupsSchema } from "./lns-schema.ts";
import { unitSchema } from "./unit-schema.ts";

const logSchema = block({
  level: word(["debug", "info", "warn", "error"])
    .default("info")
    .describe("The least grave events that are logged."),
});

const journalSchema = block(
  {
    size: memory("256KiB", "1GiB", "which keeps none")
      .prefault("32MiB")
      .describe(
        "Memory for the messages that were sent and received, without their secrets, so that `lacewing why` can tell what became of a call. When it is full, the oldest are forgotten.",
      ),
  },
  { size: "sizeBytes" },
);

const dataPlaneSchema = block({
  engine: word(["auto", "loop", "xdp"])
    .default("loop")
    .describe(
      "What forwards frames: `loop` is the forwarding loop in worker threads; `xdp` lets a program in the kernel forward what is bridged, above the loop, which does everything else; `auto` is `xdp` where the kernel and our privileges allow it. Where they do not, `loop` runs, and the log says why. The host's packet filters and captures do not see what the program forwards: where L2TP needs them, `loop` it must be. L2TP peers that an IPsec policy of the host applies to are left to the loop.",
    ),
  workers: z
    .union([z.literal("auto"), integer(1, 64)], { error: "a whole number from 1 to 64, or auto" })
    .meta({ errorMessage: "a whole number from 1 to 64, or auto" })
    .default(1)
    .describe(
      "Forwarding threads. `auto`: one less than there are processors, and one at least. A reload can make them as many as there were at the start, or as there are processors, up to 16; for more it takes a restart, which the plan says.",
    ),
  "max-channels": integer(2, 1_048_576)
    .default(131_072)
    .describe("Channels that there is room for: a bridged subscriber needs two, a terminated one needs one."),
});

/** The configuration file. */
export const configSchema = block({
  name: protocolName().describe(
    "Who we are to others: L2TP Host Name, PPPoE AC-Name unless an access interface says otherwise, CHAP name.",
  ),
  log: logSchema
    .prefault({})
    .describe("What is logged. Durations in this file are text with a unit: 500ms, 60s, 5m, 1h."),
  control: controlSchema.prefault({}).describe("Where operators' tools ask the gateway."),
  journal: journalSchema.prefault({}).describe("What is remembered of the protocols' messages."),
  "data-plane": dataPlaneSchema.prefault({}).describe("The engine that forwards frames."),
  access: z
    .array(accessSchema, { error: "a list of access interfaces" })
    .readonly()
    .default([])
    .describe("Interfaces on which subscribers call by PPPoE."),
  l2tp: l2tpSchema.prefault({}).describe("L2TPv2: our addresses and our peers."),
  "lns-groups": lnsGroupsSchema
    .prefault({})
    .describe("LNSes that can stand in for each other; a destination names a group as it names a peer."),
  realms: mapOf(destinationSchema, "realms to destinations")
    .transform(
      (realms): typeof realms => new Map([...realms].map(([realm, to]) => [realm.toLowerCase(), to])),
    )
    .prefault({})
    .describe(
      "Where a subscriber goes, by the realm of its user name: what follows the last @, in any case.",
    ),
  services: mapOf(destinationSchema, "PPPoE service names to destinations")
    .prefault({})
    .describe(
      "Where a subscriber goes, by the Service-Name that it asked for. What is asked for goes before `lines`, where it comes from; that goes before `realms`, which anybody may type.",
    ),
  lines: linesSchema
    .default([])
    .describe(
      "Where a subscriber goes whose service is not among `services`, by its access interface and VLANs; the first that fits.",
    ),
  default: destinationSchema
    .prefault({ refuse: true })
    .describe("Where a subscriber goes whom neither `services` nor `lines` nor `realms` know."),
  units: mapOf(unitSchema, "names to unit groups")
    .prefault({})
    .describe("How terminated subscribers get their device and their addresses."),
  "users-file": filePath()
    .exactOptional()
    .describe("The local users, relative to this file. Nobody but its owner may have access to it."),
});
