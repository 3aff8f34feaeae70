/** Lists of sessions and what belongs to them, in parts: views are made of what is shown, and of nothing else. */

import type { PageRequest, SessionQuery, SessionSortKey, UserQuery } from "./operations.ts";
import { sessionTest, userTest } from "./operations-filter.ts";
import { pageOf } from "./operations-page.ts";
import type { ChannelPage, SessionPage, UserPage, UserView } from "./operations-views.ts";
import type { Session } from "./session.ts";
import type { ChannelView } from "./views.ts";

/** Ids of a user's sessions that are shown with him. */
const SHOWN_IDS = 8;

const SORT_KEYS: Readonly<Record<SessionSortKey, (session: Session) => string | number>> = {
  id: numberOf,
  user: ({ user }) => user?.toLowerCase() ?? "",
  state: ({ state }) => state,
  started: ({ startedAt }) => startedAt,
  in: ({ traffic }) => traffic.octetsIn,
  out: ({ traffic }) => traffic.octetsOut,
};

export function sessionPage(sessions: Iterable<Session>, query: SessionQuery): SessionPage {
  const { sort = "id", descending = false } = query;
  const keyOf = SORT_KEYS[sort];
  const order = {
    name: sort,
    descending,
    rankOf: (session: Session) => ({ key: keyOf(session), number: numberOf(session) }),
  };
  const { items, ...page } = pageOf(sessions, sessionTest(query), order, query);
  return { ...page, sessions: items.map((session) => session.view()) };
}

/** `limit` counts sessions: each has a channel or two. */
export function channelPage(
  sessions: Iterable<Session>,
  channelsOf: (session: Session) => readonly ChannelView[],
  query: PageRequest,
): ChannelPage {
  const order = {
    name: "channels",
    descending: false,
    rankOf: (session: Session) => ({ key: 0, number: numberOf(session) }),
  };
  const { items, ...page } = pageOf(sessions, () => true, order, query);
  return { ...page, channels: items.flatMap(channelsOf) };
}

export function userPage(sessions: Iterable<Session>, query: UserQuery): UserPage {
  const users = new Map<string, Session[]>();
  for (const session of sessions) {
    if (session.user === undefined) continue;
    const mine = users.get(session.user);
    if (mine === undefined) users.set(session.user, [session]);
    else mine.push(session);
  }
  const isMeant = userTest(query.user, query.realm);
  const order = {
    name: "users",
    descending: false,
    rankOf: ([name]: readonly [string, readonly Session[]]) => ({ key: name, number: 0 }),
  };
  const { items, ...page } = pageOf(users, ([name]) => isMeant(name), order, query);
  return { ...page, users: items.map(([name, mine]) => userView(name, mine)) };
}

function userView(user: string, sessions: readonly Session[]): UserView {
  const newestFirst = [...sessions].sort((a, b) => numberOf(b) - numberOf(a));
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

/** "s12" without the letter: the later it began, the greater. */
function numberOf({ id }: Session): number {
  return Number(id.slice(1));
}
