/*
 * The rows that operators read, as schemas: what src/gateway/views.ts and operations-views.ts say as types. They describe
 * answers in the OpenAPI document and judge them in tests; no answer is checked while the gateway runs.
 */

import { z } from "zod";
import type {
  DropView,
  HealthView,
  InterfaceView,
  NamedRateView,
  PoolView,
  ProblemView,
  RatesView,
  RateView,
  SessionDetailView,
  SessionPage,
  UserPage,
  UserView,
  WorkerView,
} from "../gateway/operations-views.ts";
import type {
  ChannelView,
  L2tpLegView,
  LnsView,
  PppoeOriginView,
  SessionView,
  StatusView,
  TunnelView,
} from "../gateway/views.ts";

const count = z.int().min(0);
const seconds = z.number().min(0);
const octets = z.number().min(0).describe("PPP octets.");
const frames = z.number().min(0);
const instant = z.iso.datetime().describe("ISO 8601, UTC.");
export const sessionId = z
  .string()
  .regex(/^s\d{1,15}$/)
  .describe("The session's id, unique while the process lives: s12.");
export const tunnelId = z.int().min(1).max(65_535).describe("Our L2TP tunnel id.");
const l2tpId = z.int().min(0).max(65_535);

export const sessionRole = z.enum(["lac", "lts", "lns", "pta"]);
export const sessionState = z.enum(["authenticating", "calling", "network", "open", "closing"]);
export const tunnelState = z.enum(["wait-ctl-reply", "wait-ctl-conn", "established", "closing"]);

const pppoeOrigin = z.strictObject({
  kind: z.literal("pppoe"),
  interface: z.string(),
  mac: z.string(),
  vlans: z.array(z.int()).describe("VLAN ids, outermost first."),
  pppoeSessionId: z.int(),
  serviceName: z.string(),
}) satisfies z.ZodType<PppoeOriginView>;

const l2tpLeg = z.strictObject({
  kind: z.literal("l2tp"),
  peer: z.string(),
  localTunnelId: l2tpId,
  remoteTunnelId: l2tpId,
  localSessionId: l2tpId,
  remoteSessionId: l2tpId,
}) satisfies z.ZodType<L2tpLegView>;

const traffic = { framesIn: frames, octetsIn: octets, framesOut: frames, octetsOut: octets };

const sessionShape = {
  id: sessionId,
  role: sessionRole.nullable().describe("What the session is to us; null until that is decided."),
  state: sessionState,
  user: z.string().nullable(),
  origin: z.discriminatedUnion("kind", [pppoeOrigin, l2tpLeg]).describe("Where it comes from."),
  onward: l2tpLeg.nullable().describe("The call to the LNS; null where we terminate."),
  unit: z.string().nullable().describe("The unit group, where we terminate."),
  device: z.string().nullable(),
  address: z.string().nullable(),
  startedAt: instant,
  openForSeconds: seconds.nullable().describe("Null before it is open."),
  ...traffic,
};

const session = z
  .strictObject(sessionShape)
  .describe("One subscriber. In is from him, out is to him.") satisfies z.ZodType<SessionView>;

const channel = z
  .strictObject({
    channel: z.int(),
    kind: z.enum(["pppoe", "l2tp"]),
    state: z.enum(["punted", "bridged", "attached"]),
    bridgedTo: z.int().nullable(),
    device: z.string().nullable(),
    session: sessionId.nullable(),
    ...traffic,
  })
  .describe("One channel of the data plane.") satisfies z.ZodType<ChannelView>;

export const sessionDetail = z.strictObject({
  ...sessionShape,
  channels: z.array(channel),
}) satisfies z.ZodType<SessionDetailView>;

const page = {
  total: count.describe("How many there are."),
  matched: count.describe("How many of them the filters let through."),
  next: z.string().nullable().describe("The cursor of the next part; null at the end."),
};

export const sessionPage = z.strictObject({
  ...page,
  sessions: z.array(session),
}) satisfies z.ZodType<SessionPage>;

export const channelPage = z.strictObject({ ...page, channels: z.array(channel) });

const user = z.strictObject({
  user: z.string(),
  sessions: count,
  openSessions: count,
  ids: z.array(sessionId).max(8).describe("The newest ones."),
  lastStartedAt: instant,
  octetsIn: octets,
  octetsOut: octets,
}) satisfies z.ZodType<UserView>;

export const userPage = z.strictObject({ ...page, users: z.array(user) }) satisfies z.ZodType<UserPage>;

export const tunnel = z
  .strictObject({
    localTunnelId: l2tpId,
    remoteTunnelId: l2tpId,
    peer: z.string().nullable(),
    hostName: z.string().nullable().describe("The peer's Host Name AVP."),
    localAddress: z.string(),
    remoteAddress: z.string(),
    remotePort: z.int(),
    state: tunnelState,
    initiator: z.boolean().describe("Whether we called."),
    sessions: count,
    establishedForSeconds: seconds.nullable(),
    notAnsweringForSeconds: seconds
      .nullable()
      .describe("Since we sent what is not acknowledged although it was repeated twice; null while it is."),
    retransmitted: count.describe("Control messages that we had to send again."),
    roundTripMs: z
      .number()
      .nullable()
      .describe("From a control message to its acknowledgement, smoothed; null before the first."),
    peerWindow: count.describe("Control messages that the peer takes at a time."),
    windowStalls: count.describe("How often we had to wait for it to take more."),
  })
  .describe("One L2TP tunnel.") satisfies z.ZodType<TunnelView>;

export const lns = z
  .strictObject({
    group: z.string().nullable(),
    peer: z.string(),
    preference: z.int(),
    weight: z.int(),
    state: z.enum(["up", "calling", "idle", "slow", "not-answering", "locked-out"]),
    notAnsweringForSeconds: seconds
      .nullable()
      .describe("As of the tunnel that has not answered for the longest; null while one of them answers."),
    lockedForSeconds: seconds.nullable(),
    reason: z.string().nullable().describe("Why it is locked out."),
    tunnels: count,
    sessions: count.describe("That we have placed with it."),
  })
  .describe(
    "One LNS as a member of a group; one that is in none stands by itself.",
  ) satisfies z.ZodType<LnsView>;

export const networkInterface = z
  .strictObject({
    interface: z.string(),
    state: z.enum(["open", "draining", "waiting"]).describe("waiting: it is not there, or not up."),
    linkBitsPerSecond: z.number().nullable(),
    sessions: count,
    settingUp: count,
    waiting: count.describe("Calls that wait for their turn."),
    load: z.number().min(0).max(1).describe("How busy it is with setting up."),
    padiReceived: count,
    padoSent: count,
    padsSent: count,
    padsRefused: count,
  })
  .describe("One access interface of the configuration.") satisfies z.ZodType<InterfaceView>;

export const pool = z
  .strictObject({
    pool: z.string().describe("The name of its unit group."),
    size: count.describe("Addresses for whoever comes; fixed ones of users are not among them."),
    used: count.describe("Of them, those that somebody has."),
  })
  .describe("One address pool.") satisfies z.ZodType<PoolView>;

export const worker = z
  .strictObject({
    engine: z.string().describe("loop, or xdp of the program in the kernel."),
    worker: z
      .string()
      .describe(
        "A thread's number; control: the control plane's thread, which only sends; program: the kernel's.",
      ),
    running: z.boolean().describe("Whether it forwards now."),
    deaths: count.describe("How often it has ended by itself; another one takes its place."),
    frames: frames.describe("Received, from wires and units, whatever became of them."),
    punts: count.describe("Of them, those that went to the control plane."),
    drops: z.record(z.string(), z.number()).describe("Frames dropped, by why."),
  })
  .describe("What forwards, since the start.") satisfies z.ZodType<WorkerView>;

export const counters = z.record(z.string(), z.number()).describe("Everything that counts, by name.");

export const drop = z
  .strictObject({ reason: z.string(), frames, meaning: z.string() })
  .describe("Frames that were dropped for one reason, since the start.") satisfies z.ZodType<DropView>;

const statusShape = {
  name: z.string(),
  pid: z.int(),
  engine: z.string(),
  interfaces: z.string().nullable().describe("Of the engine xdp: its interfaces and how each is attached."),
  startedAt: instant,
  uptimeSeconds: seconds,
  sessions: count,
  openSessions: count,
  tunnels: count,
  channels: count,
  preallocatedBytes: z.number().describe("Address space of the data plane's tables and rings."),
  preallocatedBytesPerChannel: z.number(),
};

const gatewayStatus = z.strictObject(statusShape) satisfies z.ZodType<StatusView>;
export const status = z.strictObject({ version: z.string(), ...statusShape });

const problem = z.strictObject({
  severity: z.enum(["error", "warning"]),
  code: z.string().describe("A stable word to match on."),
  text: z.string(),
  hint: z.string().describe("What to do."),
}) satisfies z.ZodType<ProblemView>;

const tally = z.record(z.string(), count);

export const health = z.strictObject({
  status: gatewayStatus,
  problems: z.array(problem).describe("The gravest first."),
  sessionsByState: tally,
  sessionsByRole: tally,
  tunnelsByState: tally,
  interfaces: z.array(networkInterface),
  pools: z.array(pool),
  drops: z.array(drop).describe("The five most frequent reasons."),
}) satisfies z.ZodType<HealthView>;

const rateShape = {
  octetsInPerSecond: z.number().min(0),
  octetsOutPerSecond: z.number().min(0),
  framesInPerSecond: z.number().min(0),
  framesOutPerSecond: z.number().min(0),
};
const rate = z.strictObject(rateShape) satisfies z.ZodType<RateView>;
const namedRate = z.strictObject({
  name: z.string(),
  sessions: count,
  ...rateShape,
}) satisfies z.ZodType<NamedRateView>;

export const rates = z.strictObject({
  at: instant,
  seconds: z.number(),
  total: rate.describe("All subscribers: in is from them, out is to them."),
  ports: z.array(namedRate).describe("By access interface, and by L2TP peer that brings subscribers."),
  lnses: z
    .array(namedRate)
    .describe("By the LNS that they are bridged to; in is still from the subscribers."),
  setupsPerSecond: z.number().min(0),
}) satisfies z.ZodType<RatesView>;
