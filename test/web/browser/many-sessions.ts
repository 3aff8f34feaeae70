/** A gateway with 64,000 sessions, played: lists are made as a real one's are. */

import type { Operations, SessionQuery } from "../../../src/gateway/operations.ts";
import { userTest } from "../../../src/gateway/operations-filter.ts";
import { pageOf } from "../../../src/gateway/operations-page.ts";
import type { RatesView, RateView, SessionPage } from "../../../src/gateway/operations-views.ts";
import type { LnsView, SessionState, SessionView } from "../../../src/gateway/views.ts";
import {
  lacSession,
  sampleChannels,
  sampleOperations,
  sampleStatus,
} from "../../control/sample-operations.ts";

export const MANY = 64_000;
const LNSES = ["lns1", "lns2", "lns3"];
const PORTS = ["acc0", "acc1"];
const BEGAN = Date.UTC(2026, 0, 2, 3, 4, 5);

const KEYS: Readonly<Record<string, (session: SessionView) => string | number>> = {
  id: numberOf,
  user: ({ user }) => user?.toLowerCase() ?? "",
  state: ({ state }) => state,
  started: ({ startedAt }) => startedAt,
  in: ({ octetsIn }) => octetsIn,
  out: ({ octetsOut }) => octetsOut,
};

function sessionNumber(number: number): SessionView {
  const mac = number.toString(16).padStart(6, "0").match(/../g)?.join(":");
  const state: SessionState = number % 500 === 0 ? "authenticating" : "open";
  return {
    ...lacSession,
    id: `s${number}`,
    state,
    user: `user${number}@isp${number % 7}.example`,
    origin: {
      kind: "pppoe",
      interface: PORTS[number % 2]!,
      mac: `02:00:5e:${mac}`,
      vlans: [100 + (number % 30), 7],
      pppoeSessionId: number,
      serviceName: "",
    },
    onward: { ...lacSession.onward!, peer: LNSES[number % 3]!, localSessionId: number % 65_535 },
    startedAt: new Date(BEGAN + number * 100).toISOString(),
    openForSeconds: state === "open" ? 3600 + number : null,
    octetsIn: number * 1000,
    octetsOut: number * 17_000,
  };
}

const RATE: RateView = {
  octetsInPerSecond: 125_000_000,
  octetsOutPerSecond: 1_250_000_000,
  framesInPerSecond: 400_000,
  framesOutPerSecond: 1_100_000,
};

const part = (share: number): RateView => ({
  octetsInPerSecond: RATE.octetsInPerSecond * share,
  octetsOutPerSecond: RATE.octetsOutPerSecond * share,
  framesInPerSecond: RATE.framesInPerSecond * share,
  framesOutPerSecond: RATE.framesOutPerSecond * share,
});

const lns = (peer: string, sessions: number): LnsView => ({
  group: "wholesale",
  peer,
  preference: 0,
  weight: 1,
  state: "up",
  notAnsweringForSeconds: null,
  lockedForSeconds: null,
  reason: null,
  tunnels: 1,
  sessions,
});

export function manySessions(): Operations & { readonly orders: readonly unknown[] } {
  const sessions = Array.from({ length: MANY }, (_, i) => sessionNumber(i + 1));
  const status = { ...sampleStatus, sessions: MANY, openSessions: MANY - 128, tunnels: 3 };
  const sample = sampleOperations();
  const ports = PORTS.map((name) => ({ name, sessions: MANY / 2, ...part(0.5) }));
  const rates = (): RatesView => ({
    at: new Date().toISOString(),
    seconds: 1,
    total: RATE,
    ports,
    lnses: LNSES.map((name, i) => ({ name, sessions: 21_333, ...part([0.6, 0.3, 0.1][i]!) })),
    setupsPerSecond: 812,
  });
  const locked: LnsView = {
    ...lns("lns4", 0),
    state: "locked-out",
    lockedForSeconds: 212,
    reason: "SCCRQ sent 3 times, no SCCRP, nothing ever came back",
    tunnels: 0,
  };
  const interfaces = PORTS.map((name) => ({
    ...sample.interfaces()[0]!,
    interface: name,
    sessions: MANY / 2,
    settingUp: 64,
  }));
  return {
    ...sample,
    status: () => status,
    health: () => ({
      ...sample.health(),
      status,
      sessionsByState: { open: MANY - 128, authenticating: 128 },
      tunnelsByState: { established: 3 },
      interfaces,
    }),
    interfaces: () => interfaces,
    lns: () => [...LNSES.map((peer) => lns(peer, 21_333)), locked],
    rates: async () => rates(),
    sessions: (query) => sessionPage(sessions, query),
    session: (id) => {
      const session = sessions[numberOf({ id }) - 1];
      return session && { ...session, channels: sampleChannels };
    },
    end: async (selector, reason) => {
      await sample.end({ session: "s1" }, JSON.stringify([selector, reason]));
      return { sessions: 1, tunnels: 0 };
    },
  };
}

async function sessionPage(sessions: readonly SessionView[], query: SessionQuery): Promise<SessionPage> {
  const { user, realm, state, lns: peer, interface: port, sort = "id", descending = false } = query;
  const isUser = userTest(user, realm);
  const isMeant = (session: SessionView): boolean =>
    isUser(session.user ?? "") &&
    (state === undefined || session.state === state) &&
    (peer === undefined || session.onward?.peer === peer) &&
    (port === undefined || (session.origin.kind === "pppoe" && session.origin.interface === port)) &&
    (query.mac === undefined || (session.origin.kind === "pppoe" && session.origin.mac === query.mac));
  const order = {
    name: sort,
    descending,
    rankOf: (session: SessionView) => ({ key: KEYS[sort]!(session), number: numberOf(session) }),
  };
  const { items, ...page } = await pageOf(sessions, isMeant, order, query);
  return { ...page, sessions: items };
}

function numberOf({ id }: { readonly id: string }): number {
  return Number(id.slice(1));
}
