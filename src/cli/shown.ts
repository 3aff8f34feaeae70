/** What `lacewing show` shows: where it is asked, and how it looks. */

import { counted } from "../base/words.ts";
import { type Ask, ask } from "../control/client.ts";
import type { HealthView, RatesView, SessionDetailView } from "../gateway/operations-views.ts";
import type { TunnelView } from "../gateway/views.ts";
import { printableJson } from "./printable.ts";
import type { CommandContext } from "./process.ts";
import { type Screen, screenFor } from "./screen.ts";
import { healthScreen, ratesScreen, sessionScreen, tunnelScreen } from "./screens.ts";
import {
  CAPTURE_COLUMNS,
  CHANNEL_COLUMNS,
  COUNTER_COLUMNS,
  DROP_COLUMNS,
  INTERFACE_COLUMNS,
  LNS_COLUMNS,
  PAIR_COLUMNS,
  POOL_COLUMNS,
  SESSION_COLUMNS,
  TUNNEL_COLUMNS,
  USER_COLUMNS,
  WORKER_COLUMNS,
} from "./show-tables.ts";
import { type Column, formatTable } from "./table.ts";

/** Rows of a table when nobody says how many. */
const USUAL_ROWS = 100;
/** Rows that the API gives at once. */
const PART = 1000;

/** Filters and order as they are given; the API judges them. */
export interface ShowOptions {
  readonly user?: string;
  readonly realm?: string;
  readonly lns?: string;
  readonly state?: string;
  readonly role?: string;
  readonly interface?: string;
  readonly mac?: string;
  readonly tunnel?: number;
  readonly since?: string;
  readonly peer?: string;
  readonly sort?: string;
  readonly limit?: number;
  readonly json?: true;
}

/** How one thing is asked for and shown. */
interface Shown {
  readonly path: string;
  /** Of long lists: the name of the rows in their parts. */
  readonly rows?: string;
  /** Undefined: as JSON in any case. */
  readonly text?: (value: never, screen: Screen) => string;
}

export const SHOWN = {
  health: { path: "/v1/health", text: (health: HealthView, screen: Screen) => healthScreen(health, screen) },
  sessions: { path: "/v1/sessions", rows: "sessions", text: table(SESSION_COLUMNS) },
  session: {
    path: "/v1/sessions/",
    text: (session: SessionDetailView, screen: Screen) => sessionScreen(session, screen),
  },
  tunnels: { path: "/v1/tunnels", text: table(TUNNEL_COLUMNS) },
  tunnel: {
    path: "/v1/tunnels/",
    text: (tunnel: TunnelView, screen: Screen) => tunnelScreen(tunnel, screen),
  },
  lns: { path: "/v1/lns", text: table(LNS_COLUMNS) },
  users: { path: "/v1/users", rows: "users", text: table(USER_COLUMNS) },
  interfaces: { path: "/v1/interfaces", text: table(INTERFACE_COLUMNS) },
  channels: { path: "/v1/channels", rows: "channels", text: table(CHANNEL_COLUMNS) },
  counters: { path: "/v1/counters", text: pairs(COUNTER_COLUMNS) },
  drops: { path: "/v1/drops", text: table(DROP_COLUMNS) },
  workers: { path: "/v1/workers", text: table(WORKER_COLUMNS) },
  pools: { path: "/v1/pools", text: table(POOL_COLUMNS) },
  captures: { path: "/v1/captures", text: table(CAPTURE_COLUMNS) },
  rates: { path: "/v1/rates", text: (rates: RatesView, screen: Screen) => ratesScreen(rates, screen) },
  status: { path: "/v1/status", text: pairs(PAIR_COLUMNS) },
  config: { path: "/v1/config" },
} as const satisfies Readonly<Record<string, Shown>>;

export type What = keyof typeof SHOWN;

function table<Row>(columns: readonly Column<Row>[]) {
  return (rows: readonly Row[], screen: Screen): string => formatTable(columns, rows, screen);
}

function pairs(columns: typeof PAIR_COLUMNS) {
  return (values: Readonly<Record<string, string | number | null>>, screen: Screen): string =>
    formatTable(columns, Object.entries(values), screen);
}

/** Asks for it and makes text of it. */
export async function shownText(
  what: What,
  id: string | undefined,
  { json, limit, ...query }: ShowOptions,
  socket: string,
  context: Pick<CommandContext, "stdout" | "env">,
): Promise<string> {
  const shown: Shown = SHOWN[what];
  const path = id === undefined ? shown.path : shown.path + encodeURIComponent(id);
  const asked = { path, query: given(what, query) };
  const most = limit ?? (json ? Number.POSITIVE_INFINITY : USUAL_ROWS);
  const { value, matched } =
    shown.rows === undefined
      ? { value: await ask<unknown>(socket, asked), matched: 0 }
      : await readRows(socket, asked, shown.rows, most);
  if (json || shown.text === undefined) return `${printableJson(JSON.stringify(value, null, 2))}\n`;
  const screen = screenFor(context);
  const text = shown.text(value as never, screen);
  const count = shown.rows === undefined ? 0 : (value as readonly unknown[]).length;
  const more = `${counted(count, "row")} of ${matched}; --limit ${matched} shows all\n`;
  return count < matched ? text + screen.paint("faint", more) : text;
}

/** Options of commander's own are not for the gateway. */
function given(what: What, query: Omit<ShowOptions, "json" | "limit">): NonNullable<Ask["query"]> {
  const { user, realm, lns, state, role, interface: from, mac, tunnel, since, peer, sort } = query;
  if (what === "tunnels") return { peer, state };
  return { user, realm, lns, state, role, interface: from, mac, tunnel, since, sort };
}

/** As many rows as are wanted, in parts that the gateway gives at once; `matched`: how many there are. */
async function readRows(
  socket: string,
  asked: Ask,
  name: string,
  most: number,
): Promise<{ readonly value: readonly unknown[]; readonly matched: number }> {
  const rows: unknown[] = [];
  let matched = 0;
  let cursor: string | undefined;
  do {
    const limit = Math.min(PART, most - rows.length);
    const part = await ask<Record<string, unknown>>(socket, {
      ...asked,
      query: { ...asked.query, limit, cursor },
    });
    rows.push(...(part[name] as readonly unknown[]));
    matched = part.matched as number;
    cursor = (part.next as string | null) ?? undefined;
  } while (cursor !== undefined && rows.length < most);
  return { value: rows, matched };
}
