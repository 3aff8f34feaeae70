import { CaptureRecorder } from "../../src/gateway/capture-recorder.ts";
import type { OpenCapture } from "../../src/gateway/capture-request.ts";
import { EventBus } from "../../src/gateway/events.ts";
import { OperationError } from "../../src/gateway/operation-error.ts";
import type { Operations } from "../../src/gateway/operations.ts";
import type {
  InterfaceView,
  ListenerView,
  PoolView,
  WorkerView,
} from "../../src/gateway/operations-views.ts";
import type { ChannelView, LnsView, SessionView, StatusView, TunnelView } from "../../src/gateway/views.ts";
import { LINKTYPE_ETHERNET } from "../../src/wire/pcapng.ts";

export const lacSession: SessionView = {
  id: "s1",
  role: "lac",
  state: "open",
  user: "alice@isp.example",
  origin: {
    kind: "pppoe",
    interface: "acc0",
    mac: "02:00:5e:10:00:01",
    vlans: [100, 7],
    pppoeSessionId: 4711,
    serviceName: "",
  },
  onward: {
    kind: "l2tp",
    peer: "lns1",
    localTunnelId: 11,
    remoteTunnelId: 12,
    localSessionId: 13,
    remoteSessionId: 14,
  },
  unit: null,
  device: null,
  address: null,
  startedAt: "2026-01-02T03:04:05.678Z",
  openForSeconds: 3725.5,
  octetsIn: 1234,
  octetsOut: 56_789_000,
  framesIn: 10,
  framesOut: 20,
};

export const sampleStatus: StatusView = {
  name: "lac1",
  pid: 42,
  engine: "xdp",
  interfaces: "acc0 (native), core0 (generic)",
  startedAt: "2026-01-02T03:00:00.000Z",
  uptimeSeconds: 4000,
  sessions: 1,
  openSessions: 1,
  preallocatedBytes: 1_000_000,
  preallocatedBytesPerChannel: 500,
  tunnels: 1,
  channels: 2,
};

export const sampleTunnels: readonly TunnelView[] = [
  {
    localTunnelId: 11,
    remoteTunnelId: 12,
    peer: "lns1",
    hostName: "lns1.isp.example",
    localAddress: "2001:db8::1",
    remoteAddress: "2001:db8::2",
    remotePort: 1701,
    state: "established",
    initiator: true,
    sessions: 1,
    establishedForSeconds: 59,
    notAnsweringForSeconds: null,
    retransmitted: 2,
    roundTripMs: 12.5,
    peerWindow: 128,
    windowStalls: 1,
  },
];

const LNSES: readonly LnsView[] = [
  {
    group: "wholesale",
    peer: "lns1",
    preference: 0,
    weight: 1,
    state: "up",
    notAnsweringForSeconds: null,
    lockedForSeconds: null,
    reason: null,
    tunnels: 1,
    sessions: 1,
  },
  {
    group: "wholesale",
    peer: "lns2",
    preference: 1,
    weight: 1,
    state: "locked-out",
    notAnsweringForSeconds: null,
    lockedForSeconds: 212,
    reason: "SCCRQ sent 3 times, no SCCRP, nothing ever came back",
    tunnels: 0,
    sessions: 0,
  },
];

export const sampleChannels: readonly ChannelView[] = [
  {
    channel: 1,
    kind: "pppoe",
    state: "bridged",
    bridgedTo: 2,
    device: null,
    session: "s1",
    framesIn: 10,
    octetsIn: 1234,
    framesOut: 20,
    octetsOut: 5678,
  },
  {
    channel: 2,
    kind: "l2tp",
    state: "bridged",
    bridgedTo: 1,
    device: null,
    session: "s1",
    framesIn: 20,
    octetsIn: 5678,
    framesOut: 10,
    octetsOut: 1234,
  },
];

const INTERFACE: InterfaceView = {
  interface: "acc0",
  state: "open",
  linkBitsPerSecond: 1_000_000_000,
  sessions: 1,
  settingUp: 0,
  waiting: 0,
  load: 0.25,
  padiReceived: 5,
  padoSent: 4,
  padsSent: 3,
  padsRefused: 2,
};

const LISTENERS: readonly ListenerView[] = [
  { listener: "192.0.2.2:1701", address: "192.0.2.2", state: "open" },
  { listener: "[2001:db8::b]:1701", address: "2001:db8::b", state: "no-address" },
];

const POOLS: readonly PoolView[] = [{ pool: "local", size: 253, used: 17 }];

const WORKERS: readonly WorkerView[] = [
  {
    engine: "loop",
    worker: "0",
    running: true,
    deaths: 1,
    frames: 100,
    punts: 7,
    drops: { truncated: 0, "wrong-source": 12, policed: 30 },
  },
  {
    engine: "xdp",
    worker: "program",
    running: true,
    deaths: 0,
    frames: 90_000,
    punts: 0,
    drops: { truncated: 0, "wrong-source": 0, policed: 0 },
  },
];

const FLOW = { framesIn: 10, octetsIn: 1000, framesOut: 20, octetsOut: 3000, sessions: 1 };
const RATE = {
  octetsInPerSecond: 125,
  octetsOutPerSecond: 1e6,
  framesInPerSecond: 1,
  framesOutPerSecond: 900,
};

/** A gateway with one session, one tunnel and two channels; what it is told is kept in `orders`. */
export function sampleOperations(
  change: Partial<Operations> = {},
): Operations & { readonly orders: readonly unknown[] } {
  const orders: unknown[] = [];
  let capture: OpenCapture | undefined;
  const told = <Result>(result: Result, ...order: unknown[]): Result => {
    orders.push(order);
    return result;
  };
  return {
    orders,
    events: new EventBus(() => Date.parse("2026-01-02T03:04:05.678Z")),
    identity: () => sampleStatus,
    census: () => [{ state: "open", role: "lac", count: 1 }],
    status: () => sampleStatus,
    health: () => ({
      status: sampleStatus,
      problems: [
        {
          severity: "warning",
          code: "lns-locked-out",
          text: "LNS lns2 is locked out for 3m32s more: SCCRQ sent 3 times, no SCCRP, nothing ever came back.",
          hint: "lacewing test tunnel --lns lns2 tries it; lacewing lockout clear lns2 ends the lockout.",
        },
      ],
      sessionsByState: { open: 1 },
      sessionsByRole: { lac: 1 },
      tunnelsByState: { established: 1 },
      interfaces: [INTERFACE],
      pools: POOLS,
      drops: [{ reason: "wrong-source", frames: 12, meaning: "frames of a session from somebody else" }],
    }),
    readiness: () => ({ ready: true, reasons: [] }),
    sessions: async (query) => {
      orders.push(["sessions", query]);
      return { total: 1, matched: 1, next: null, sessions: [lacSession] };
    },
    session: (id) => (id === "s1" ? { ...lacSession, channels: sampleChannels } : undefined),
    users: async () => ({
      total: 1,
      matched: 1,
      next: null,
      users: [
        {
          user: "alice@isp.example",
          sessions: 1,
          openSessions: 1,
          ids: ["s1"],
          lastStartedAt: "2026-01-02T03:04:05.678Z",
          octetsIn: 1234,
          octetsOut: 56_789_000,
        },
      ],
    }),
    channels: async () => ({ total: 1, matched: 1, next: null, channels: sampleChannels }),
    tunnels: () => sampleTunnels,
    lns: () => LNSES,
    peers: () => LNSES.map(({ peer }) => peer),
    interfaces: () => [INTERFACE],
    l2tpDraining: () => true,
    listeners: () => LISTENERS,
    counters: () => ({
      "drops.truncated": 0,
      "sessions.opened": 3,
      "sessions.ended.hung-up": 2,
      "pppoe.acc0.padiReceived": 5,
      "pppoe.acc0.padsRefused.no-resources": 2,
      "pppoe.acc0.discarded.no-cookie": 7,
      "l2tp.retransmitted": 4,
      "l2tp.discarded.malformed": 1,
      "l2tp.refused.draining": 6,
      "lns.lns2.calls": 3,
      "lns.lns2.lockouts": 1,
    }),
    drops: () => [{ reason: "wrong-source", frames: 12, meaning: "frames of a session from somebody else" }],
    pools: () => POOLS,
    workers: async () => WORKERS,
    journal: () => ({ sizeBytes: 1 << 20, usedBytes: 4096, records: 40, passedOver: 2 }),
    config: () => ({ name: "lac1" }),
    flows: async () => ({
      total: FLOW,
      ports: new Map([["acc0", FLOW]]),
      lnses: new Map([["lns1", FLOW]]),
    }),
    rates: async () => ({
      at: "2026-01-02T03:04:05.678Z",
      seconds: 1.001,
      total: RATE,
      ports: [{ name: "acc0", sessions: 1, ...RATE }],
      lnses: [{ name: "lns1", sessions: 1, ...RATE }],
      setupsPerSecond: 2,
    }),
    why: async (subject) =>
      told(
        {
          subject: `session ${subject.session}`,
          found: true,
          headline: "The LNS refused the call.",
          paragraphs: ["lns1 was asked first.", "It said: no facilities."],
          evidence: [
            {
              at: "2026-01-02T03:04:05.678Z",
              direction: "out",
              leg: "tunnel",
              name: "ICRQ",
              text: "session 13",
              again: true,
            },
            { at: "2026-01-02T03:04:05.690Z", direction: "in", leg: "tunnel", name: "CDN", text: "result 4" },
          ],
          stoppedAt: "call",
          likely: [{ code: "lns-full", text: "The LNS is full.", advice: ["Look at its sessions."] }],
        },
        "why",
        subject,
      ),
    end: async (selector, reason) => {
      if ("session" in selector && selector.session !== "s1")
        throw new OperationError("no-such", `there is no session ${selector.session}`, "it may have ended");
      return told({ sessions: 1, tunnels: 0 }, "end", selector, reason);
    },
    drain: (draining, accessInterface) =>
      told(
        { draining, interfaces: ["acc0"], l2tp: accessInterface === undefined },
        "drain",
        draining,
        accessInterface,
      ),
    clearLockout: (lns) => told({ cleared: ["lns2"] }, "clearLockout", lns),
    reload: async (planOnly) =>
      told(
        {
          applied: !planOnly,
          changes: [
            {
              path: "l2tp.peers[lns1].dscp",
              change: "changed",
              effect: "live",
              text: "l2tp.peers[lns1].dscp: 0 becomes 46, at once",
            },
            {
              path: "access[acc1]",
              change: "removed",
              effect: "ends-sessions",
              text: "access[acc1] is removed, which ends the sessions that go through it",
            },
          ],
          endingSessions: 3,
          problems: [],
        },
        "reload",
        planOnly,
      ),
    testTunnel: async (request) =>
      told(
        {
          ok: true,
          steps: [
            { step: "tunnel", ok: true, text: "There is a tunnel with lns1 already.", milliseconds: null },
            { step: "call", ok: true, text: "lns1 took the call: ICRP came after ICRQ.", milliseconds: 12 },
          ],
        },
        "testTunnel",
        request,
      ),
    capture: (request, sink, { by, application }) => {
      orders.push(["capture", request, by]);
      if (request.session !== "s1")
        throw new OperationError("no-such", `there is no session ${request.session}`, "it may have ended");
      const recorder = new CaptureRecorder(sink, request, { application });
      recorder.addInterface({ linkType: LINKTYPE_ETHERNET, snapBytes: request.snap, name: "acc0" }, 1e15);
      recorder.take(0, [
        { timeUs: 1e15, lengthBytes: 1500, frame: new Uint8Array(64).fill(7), direction: "in" },
      ]);
      recorder.flush();
      capture = {
        id: "c1",
        end(reason) {
          if (capture === undefined) return;
          orders.push(["captureEnded", reason]);
          recorder.end(reason, 1e15 + 1, [3]);
          capture = undefined;
        },
      };
      return capture;
    },
    captures: () => [
      {
        id: "c1",
        session: "s1",
        user: "alice@isp.example",
        legs: ["access", "tunnel"],
        by: "the local socket, lacewing capture",
        startedAt: "2026-01-02T03:04:05.678Z",
        endsAt: "2026-01-02T03:14:05.678Z",
        frames: 12,
        octets: 3456,
        passedOver: 0,
      },
    ],
    endCapture: (id, reason) => {
      if (id !== "c1") throw new OperationError("no-such", `there is no capture ${id}`, "it may have ended");
      orders.push(["endCapture", id, reason]);
      capture?.end(reason);
    },
    endCaptures: async (reason) => capture?.end(reason),
    ...change,
  };
}
