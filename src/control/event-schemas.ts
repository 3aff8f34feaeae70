/** Events of the gateway as the event stream tells them (src/gateway/events.ts). */

import { z } from "zod";
import type { GatewayEvent } from "../gateway/events.ts";
import { sessionId, sessionRole, tunnelId } from "./view-schemas.ts";

const text = z.string();

const sessionFacts = {
  session: sessionId,
  user: text.nullable(),
  role: sessionRole.nullable(),
  origin: text.describe("The access interface, or the L2TP peer that brought it."),
  mac: text.nullable(),
  lns: text.nullable(),
  address: text.nullable(),
};

const result = z.int().nullable().describe("The Result Code; null when it ended without.");
const by = z.enum(["peer", "us", "nobody"]).describe("Who sent it.");

const gatewayEvent = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("session-up"), setupMs: z.number(), ...sessionFacts }),
  z.strictObject({
    kind: z.literal("session-down"),
    wasUp: z.boolean().describe("false: it was refused, or given up."),
    cause: text.describe("A stable word to count by."),
    reason: text,
    openSeconds: z.number(),
    octetsIn: z.number(),
    octetsOut: z.number(),
    framesIn: z.number(),
    framesOut: z.number(),
    ...sessionFacts,
  }),
  z.strictObject({
    kind: z.literal("tunnel-up"),
    tunnel: tunnelId,
    peer: text,
    address: text,
    setupMs: z.number().nullable().describe("From our SCCRQ on; null of a tunnel that the peer opened."),
  }),
  z.strictObject({
    kind: z.literal("tunnel-down"),
    tunnel: tunnelId,
    peer: text,
    wasUp: z.boolean(),
    reason: text,
    sessions: z.int(),
    result,
    by,
  }),
  z.strictObject({
    kind: z.literal("tunnel-not-answering"),
    tunnel: tunnelId,
    peer: text,
    reason: text.describe("What was sent, repeated and not acknowledged."),
  }),
  z.strictObject({
    kind: z.literal("tunnel-answers"),
    tunnel: tunnelId,
    peer: text,
    afterSeconds: z.number(),
  }),
  z.strictObject({
    kind: z.literal("tunnel-refused"),
    address: text,
    hostName: text.nullable().describe("The Host Name AVP."),
    reason: text,
  }),
  z.strictObject({
    kind: z.literal("call-down"),
    tunnel: tunnelId,
    peer: text,
    connected: z.boolean(),
    reason: text,
    result,
    by,
  }),
  z.strictObject({ kind: z.literal("lns-locked-out"), peer: text, reason: text, seconds: z.number() }),
  z.strictObject({ kind: z.literal("lns-back"), peer: text }),
]) satisfies z.ZodType<GatewayEvent>;

/** The data of one server-sent event; its `id` is the number, its `event` the kind. */
export const eventData = gatewayEvent.and(z.object({ at: z.iso.datetime() }));
