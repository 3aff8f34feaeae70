/** What those ask who may: Prometheus, people with the page before them, and somebody at a terminal. */

/** One after the other, as often as each wants it. */
export interface Habit {
  readonly path: string;
  readonly everyMs: number;
  /** On the socket, with a connection for each request, as the command does; else on the port, which keeps them. */
  readonly asCommand?: boolean;
  /** It is answered when what is asked for has been looked at for a while. */
  readonly takesItsTime?: boolean;
}

const PAGES = 3;

const OF_PAGE: readonly Habit[] = [
  { path: "/v1/rates", everyMs: 1000, takesItsTime: true },
  { path: "/v1/health", everyMs: 2000 },
  { path: "/v1/lns", everyMs: 2000 },
  { path: "/v1/drops", everyMs: 2000 },
  { path: "/v1/sessions?limit=100", everyMs: 4000 },
];

export const HABITS: readonly Habit[] = [
  // oftener than any Prometheus: so that every run has some
  { path: "/metrics", everyMs: 1000 },
  { path: "/v1/sessions?limit=100", everyMs: 1000, asCommand: true },
  { path: "/v1/sessions?limit=100&sort=user", everyMs: 1000, asCommand: true },
  { path: "/v1/users?limit=100", everyMs: 2000, asCommand: true },
  { path: "/healthz", everyMs: 500, asCommand: true },
  ...Array.from({ length: PAGES }, () => OF_PAGE).flat(),
];

export const EVENTS_PATH = "/v1/events";
