/** What operators order, and what becomes of it. */

import { z } from "zod";
import type {
  ClearedView,
  DrainedView,
  EndedView,
  EndSelector,
  ReloadView,
  TestStepView,
  TunnelTestView,
} from "../gateway/operations-views.ts";
import type { StoryCause, StoryEvidence, StoryView } from "../journal/story-view.ts";
import { sessionId, tunnelId } from "./view-schemas.ts";

export const userPattern = z
  .string()
  .min(1)
  .max(256)
  .describe("A user name, or a pattern with * and ?; in any case.");
export const realmName = z
  .string()
  .min(1)
  .max(256)
  .describe("What follows the last @ of the user name, in any case.");
export const peerName = z.string().min(1).max(64).describe("The name of an L2TP peer or LNS.");
export const interfaceName = z.string().min(1).max(64).describe("An access interface of the configuration.");

const reason = z.string().max(200).optional().describe("Why, for the log and for the peer.");

export const endOrder = z
  .union([
    z.strictObject({ session: sessionId, reason }),
    z.strictObject({ user: userPattern, reason }),
    z.strictObject({ realm: realmName, reason }),
    z.strictObject({ tunnel: tunnelId.describe("Our id of the tunnel: it ends, and its sessions."), reason }),
  ])
  .describe("Whom to end; exactly one.") satisfies z.ZodType<EndSelector>;

export const ended = z.strictObject({
  sessions: z.int().describe("How many are being ended."),
  tunnels: z.int(),
}) satisfies z.ZodType<EndedView>;

export const drainOrder = z.strictObject({
  draining: z.boolean().describe("true: no new calls, sessions go on. false: calls again."),
  interface: interfaceName
    .optional()
    .describe("This access interface only; all of them, and calls by L2TP, when absent."),
});

export const drained = z.strictObject({
  draining: z.boolean(),
  interfaces: z.array(z.string()).describe("The access interfaces that it holds for."),
  l2tp: z.boolean().describe("It holds for calls that come by L2TP, too; false where no peer may call us."),
}) satisfies z.ZodType<DrainedView>;

export const clearOrder = z.strictObject({
  lns: peerName.optional().describe("This LNS only; all of them when absent."),
});

export const cleared = z.strictObject({
  cleared: z.array(z.string()).describe("The LNSes that were locked out."),
}) satisfies z.ZodType<ClearedView>;

export const reloadOrder = z.strictObject({
  plan: z.boolean().default(false).describe("true: tell what would change, and change nothing."),
});

export const reloaded = z.strictObject({
  applied: z.boolean().describe("false of a plan."),
  changes: z.array(
    z.strictObject({
      path: z.string(),
      change: z.enum(["added", "changed", "removed"]),
      effect: z.enum(["live", "new-sessions", "ends-sessions", "restart"]),
      text: z.string().describe("The whole of it, for people."),
    }),
  ),
  endingSessions: z.int().describe("Sessions that it ends, or would."),
  problems: z.array(z.string()).describe("What the system has refused; the rest has been done."),
}) satisfies z.ZodType<ReloadView>;

const calledFrom = interfaceName.optional().describe("The access interface to call from; any when absent.");

export const tunnelTestOrder = z
  .union([
    z.strictObject({ user: z.string().min(1).max(256).describe("A user name."), interface: calledFrom }),
    z.strictObject({ realm: realmName, interface: calledFrom }),
    z.strictObject({ lns: peerName.describe("An LNS, or a group of them."), interface: calledFrom }),
  ])
  .describe("Of whom; exactly one.");

const testStep = z.strictObject({
  step: z.string(),
  ok: z.boolean(),
  text: z.string(),
  milliseconds: z.number().nullable(),
}) satisfies z.ZodType<TestStepView>;

export const tunnelTest = z.strictObject({
  ok: z.boolean().describe("Whether a subscriber's call would have got through to ICCN."),
  steps: z.array(testStep),
}) satisfies z.ZodType<TunnelTestView>;

/** In any case. */
export const macAddress = z.string().regex(/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/);

const l2tpId = z.coerce.number().int().min(1).max(65_535);

export const whyQuery = z.strictObject({
  session: sessionId.optional(),
  user: z.string().min(1).max(256).optional().describe("A user name, whole."),
  mac: macAddress.optional().describe("A subscriber's MAC address: 02:00:5e:10:00:01."),
  tunnel: l2tpId
    .optional()
    .describe("An L2TP tunnel: our id, or where we have none of that number what the other end calls it."),
  call: l2tpId.optional().describe("With `tunnel`: the L2TP session in it, by our id or the other end's."),
});

const storyEvidence = z.strictObject({
  at: z.iso.datetime(),
  direction: z.enum(["in", "out"]).nullable(),
  leg: z.enum(["access", "ppp", "tunnel", "note"]),
  name: z.string(),
  text: z.string(),
  again: z.literal(true).optional().describe("It had been sent or received before."),
});

const storyCause = z.strictObject({
  code: z.string(),
  text: z.string(),
  advice: z.array(z.string()),
}) satisfies z.ZodType<StoryCause>;

export const story = z.strictObject({
  subject: z.string(),
  found: z.boolean(),
  headline: z.string(),
  paragraphs: z.array(z.string()),
  evidence: z.array(storyEvidence as z.ZodType<StoryEvidence>),
  stoppedAt: z.enum([
    "unheard",
    "discovery",
    "lcp",
    "authentication",
    "selection",
    "tunnel",
    "call",
    "network",
    "open",
    "ended",
  ]),
  likely: z.array(storyCause),
}) satisfies z.ZodType<StoryView>;

export const failure = z.strictObject({
  error: z.strictObject({
    code: z.string().describe("A stable word to match on."),
    message: z.string().describe("What happened."),
    hint: z.string().optional().describe("What to do."),
  }),
});
