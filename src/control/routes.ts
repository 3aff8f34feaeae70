/** The table of the HTTP API. Beside it there are the event stream, /metrics, /healthz and /readyz, which answer no JSON. */

import { z } from "zod";
import { OperationError } from "../gateway/operation-error.ts";
import { SESSION_SORT_KEYS, type SessionSortKey } from "../gateway/operations.ts";
import type { Subject } from "../journal/story-view.ts";
import { CAPTURE_ROUTES } from "./capture-routes.ts";
import {
  cleared,
  clearOrder,
  drained,
  drainOrder,
  ended,
  endOrder,
  interfaceName,
  macAddress,
  peerName,
  realmName,
  reloaded,
  reloadOrder,
  story,
  tunnelTest,
  tunnelTestOrder,
  userPattern,
  whyQuery,
} from "./order-schemas.ts";
import { type Route, route } from "./route.ts";
import { parseSince } from "./since.ts";
import {
  channelPage,
  counters,
  drop,
  health,
  lns,
  networkInterface,
  pool,
  rates,
  sessionDetail,
  sessionId,
  sessionPage,
  sessionRole,
  sessionState,
  status,
  tunnel,
  tunnelState,
  userPage,
  worker,
} from "./view-schemas.ts";

/** Rows of one answer: more would hold up others while they are made. */
const MOST_ROWS = 1000;

const limit = z.coerce.number().int().min(1).max(MOST_ROWS).default(100).describe("Rows of the answer.");
const cursor = z
  .string()
  .min(1)
  .max(1024)
  .optional()
  .describe("`next` of the part before, with the same order and filters.");
const number = z.coerce.number().int().min(1).max(65_535);

const sorts = SESSION_SORT_KEYS.flatMap((key) => [key, `-${key}`]) as [string, ...string[]];

const sessionQuery = z.strictObject({
  user: userPattern.optional(),
  realm: realmName.optional(),
  lns: peerName.optional().describe("The L2TP peer that it is bridged to."),
  state: sessionState.optional(),
  role: sessionRole.optional(),
  interface: interfaceName.optional().describe("The access interface, or the L2TP peer that brought it."),
  mac: macAddress.optional().describe("The subscriber's MAC address, in any case: 02:00:5e:10:00:01."),
  tunnel: number.optional().describe("Our id of a tunnel that it came by or went to."),
  since: z
    .string()
    .max(40)
    .optional()
    .describe("Begun then or later: an ISO 8601 time, or how long ago at the most (90s, 15m, 2h, 1d)."),
  sort: z.enum(sorts).default("id").describe("The order; with a minus sign, the other way round."),
  limit,
  cursor,
});

const READS: readonly Route[] = [
  route({
    method: "get",
    path: "/v1/status",
    summary: "Which gateway this is, and how much it carries.",
    answer: status,
    handle: ({ operations, version }) => ({ version, ...operations.status() }),
  }),
  route({
    method: "get",
    path: "/v1/health",
    summary: "One screen: what is wrong first.",
    answer: health,
    handle: ({ operations }) => operations.health(),
  }),
  route({
    method: "get",
    path: "/v1/sessions",
    summary: "Sessions, filtered, in order, in parts.",
    query: sessionQuery,
    answer: sessionPage,
    handle: ({ operations, wallClock }, { query: { sort, since, ...query } }) =>
      operations.sessions({
        ...query,
        sort: sort.replace("-", "") as SessionSortKey,
        descending: sort.startsWith("-"),
        ...(since !== undefined && { since: begin(since, wallClock) }),
      }),
  }),
  route({
    method: "get",
    path: "/v1/sessions/{id}",
    summary: "One session and its channels.",
    parameters: z.object({ id: sessionId }),
    answer: sessionDetail,
    handle: ({ operations }, { parameters }) => operations.session(parameters.id),
  }),
  route({
    method: "get",
    path: "/v1/users",
    summary: "User names with their sessions, in alphabetical order, in parts.",
    query: z.strictObject({ user: userPattern.optional(), realm: realmName.optional(), limit, cursor }),
    answer: userPage,
    handle: ({ operations }, { query }) => operations.users(query),
  }),
  route({
    method: "get",
    path: "/v1/channels",
    summary: "Channels of the data plane, in parts.",
    query: z.strictObject({ limit, cursor }),
    answer: channelPage,
    handle: ({ operations }, { query }) => operations.channels(query),
  }),
  route({
    method: "get",
    path: "/v1/tunnels",
    summary: "L2TP tunnels, those that are coming up or closing included.",
    query: z.strictObject({ peer: peerName.optional(), state: tunnelState.optional() }),
    answer: z.array(tunnel),
    handle: ({ operations }, { query }) => operations.tunnels(query),
  }),
  route({
    method: "get",
    path: "/v1/tunnels/{id}",
    summary: "One L2TP tunnel.",
    parameters: z.object({ id: number }),
    answer: tunnel,
    handle: ({ operations }, { parameters }) =>
      operations.tunnels({}).find(({ localTunnelId }) => localTunnelId === parameters.id),
  }),
  route({
    method: "get",
    path: "/v1/lns",
    summary: "LNSes: their groups, whether they are well, and how much they carry.",
    answer: z.array(lns),
    handle: ({ operations }) => operations.lns(),
  }),
  route({
    method: "get",
    path: "/v1/interfaces",
    summary: "Access interfaces.",
    answer: z.array(networkInterface),
    handle: ({ operations }) => operations.interfaces(),
  }),
  route({
    method: "get",
    path: "/v1/counters",
    summary: "Everything that counts.",
    answer: counters,
    handle: ({ operations }) => operations.counters(),
  }),
  route({
    method: "get",
    path: "/v1/drops",
    summary: "Dropped frames by reason, the most frequent first, and what each means.",
    answer: z.array(drop),
    handle: ({ operations }) => operations.drops(),
  }),
  route({
    method: "get",
    path: "/v1/pools",
    summary: "Address pools: how many addresses they have, and how many are given out.",
    answer: z.array(pool),
    handle: ({ operations }) => operations.pools(),
  }),
  route({
    method: "get",
    path: "/v1/workers",
    summary: "What forwards: each thread's frames, punts and drops, and the program's in the kernel.",
    answer: z.array(worker),
    handle: ({ operations }) => operations.workers(),
  }),
  route({
    method: "get",
    path: "/v1/config",
    summary: "The configuration that it runs with, without secrets and users.",
    answer: z.record(z.string(), z.unknown()),
    handle: ({ operations }) => operations.config(),
  }),
  route({
    method: "get",
    path: "/v1/rates",
    summary: "What flows, over a second: in all, by port and by LNS.",
    description:
      "Takes a second for the first one who asks; while somebody goes on asking, there is a fresh answer at once.",
    answer: rates,
    handle: ({ operations }) => operations.rates(),
  }),
  route({
    method: "get",
    path: "/v1/why",
    summary: "What became of a session, a user, a host or a tunnel: the story, and the evidence.",
    description: "One of the parameters. It works for sessions that have ended or never came up, too.",
    query: whyQuery,
    answer: story,
    handle: ({ operations }, { query }) => {
      const subject = subjectOf(query);
      if (subject === undefined)
        throw new OperationError("bad-request", "exactly one of session, user, mac and tunnel is needed");
      return operations.why(subject);
    },
  }),
];

const ORDERS: readonly Route[] = [
  route({
    method: "post",
    path: "/v1/end",
    summary: "End sessions politely, or a tunnel with its sessions.",
    body: endOrder,
    answer: ended,
    handle: ({ operations }, { body: { reason, ...selector } }) =>
      operations.end(selector, reason ?? "ended by the operator"),
  }),
  route({
    method: "post",
    path: "/v1/drain",
    summary: "Take no new calls, or take them again: on one access interface, or by PPPoE and L2TP alike.",
    body: drainOrder,
    answer: drained,
    handle: ({ operations }, { body }) => operations.drain(body.draining, body.interface),
  }),
  route({
    method: "post",
    path: "/v1/lockouts/clear",
    summary: "Let calls go to LNSes again that were locked out.",
    body: clearOrder,
    answer: cleared,
    handle: ({ operations }, { body }) => operations.clearLockout(body.lns),
  }),
  route({
    method: "post",
    path: "/v1/reload",
    summary: "Read the configuration file again: tell what is different, and go on with it.",
    description: "When the file is wrong, nothing is changed.",
    body: reloadOrder,
    answer: reloaded,
    handle: ({ operations }, { body }) => operations.reload(body.plan),
  }),
  route({
    method: "post",
    path: "/v1/tunnel-tests",
    summary: "Try the choice of an LNS, its tunnel and a call, without a subscriber.",
    description:
      "It places a real call, as for a subscriber, and hangs up before ICCN; an LNS that does not answer is locked out as usual. It takes up to 35 s.",
    body: tunnelTestOrder,
    answer: tunnelTest,
    handle: ({ operations }, { body }) => operations.testTunnel(body),
  }),
];

export const ROUTES: readonly Route[] = [...READS, ...ORDERS, ...CAPTURE_ROUTES];

/** Undefined when not exactly one is given. */
function subjectOf({ session, user, mac, tunnel, call }: z.output<typeof whyQuery>): Subject | undefined {
  const given: Subject[] = [];
  if (session !== undefined) given.push({ session });
  if (user !== undefined) given.push({ user });
  if (mac !== undefined) given.push({ mac });
  if (tunnel !== undefined) given.push({ tunnel, ...(call !== undefined && { call }) });
  const isCallAlone = call !== undefined && tunnel === undefined;
  return given.length === 1 && !isCallAlone ? given[0] : undefined;
}

function begin(since: string, wallClock: number): number {
  const at = parseSince(since, wallClock);
  if (at === undefined)
    throw new OperationError(
      "bad-request",
      `since: ${JSON.stringify(since)} is no time`,
      "an ISO 8601 time, or how long ago: 90s, 15m, 2h, 1d",
    );
  return at;
}
