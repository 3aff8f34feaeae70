/** Lists of sessions and what belongs to them, in parts: views are made of what is shown, and of nothing else. */

import type { PageRequest, SessionQuery, SessionSortKey, UserQuery } from "./operations.ts";
import { sessionTest, userTest } from "./operations-filter.ts";
import { pageOf } from "./operations-page.ts";
import type { ChannelPage, SessionPage, UserPage, UserView } from "./operations-views.ts";
import type { Session } from "./session.ts";
import { inTurns } from "./turns.ts";
import type { ChannelView } from "./views.ts";

/** Ids of a user's sessions that are shown with him. */
const SHOWN_IDS = 8;

const SORT_KEYS: Readonly<Record<SessionSortKey, (session: Session) => string | number>> = {
  id: ({ number }) => number,
  user: ({ user }) => user?.toLowerCase() ?? "",
  state: ({ state }) => state,
  started: ({ startedAt }) => startedAt,
  in: ({ traffic }) => traffic.octetsIn,
  out: ({ traffic }) => traffic.octetsOut,
};

export async function sessionPage(sessions: Iterable<Session>, query: SessionQuery): Promise<SessionPage> {
  const { sort = "id", descending = false } = query;
  const keyOf = SORT_KEYS[sort];
  const order = {
    name: sort,
    descending,
    rankOf: (session: Session) => ({ key: keyOf(session), number: session.number }),
  };
  const { items, ...page } = await pageOf(sessions, sessionTest(query), order, query);
  return { ...page, sessions: items.map((session) => session.view()) };
}

/** `limit` counts sessions: each has a channel or two. */
export async function channelPage(
  sessions: Iterable<Session>,
  channelsOf: (session: Session) => readonly ChannelView[],
  query: PageRequest,
): Promise<ChannelPage> {
  const order = {
    name: "channels",
    descending: false,
    rankOf: ({ number }: Session) => ({ key: 0, number }),
  };
  const { items, ...page } = await pageOf(sessions, () => true, order, query);
  return { ...page, channels: items.flatMap(channelsOf) };
}

/** Sessions are only gathered for the users that are shown. */
export async function userPage(sessions: Iterable<Session>, query: UserQuery): Promise<UserPage> {
  const all = [...sessions];
  const names = new Set<string>();
  await inTurns(all, ({ user }) => {
    if (user !== undefined) names.add(user);
  });
  const order = { name: "users", descending: false, rankOf: (name: string) => ({ key: name, number: 0 }) };
  const { items, ...page } = await pageOf(names, userTest(query.user, query.realm), order, query);
  const shown = new Map(items.map((name): [string, Session[]] => [name, []]));
  await inTurns(all, (session) => {
    if (session.user !== undefined) shown.get(session.user)?.push(session);
  });
  return { ...page, users: [...shown].map(([name, mine]) => userView(name, mine)) };
}

function userView(user: string, sessions: readonly Session[]): UserView {
  const newestFirst = [...sessions].sort((a, b) => b.number - a.number);
  const traffic = sessions.map((session) => session.traffic);
  return {
    user,
    sessions: sessions.length,
    openSessions: sessions.filter(({ isOpen }) => isOpen).length,
    ids: newestFirst.slice(0, SHOWN_IDS).map(({ id }) => id),
    lastStartedAt: new Date(newestFirst[0]?.startedAt ?? 0).toISOString(),
    octetsIn: traffic.reduce((sum, { octetsIn }) => sum + octetsIn, 0),
    octetsOut: traffic.reduce((sum, { octetsOut }) => sum + octetsOut, 0),
  };
}
