/** Those who may ask nothing, and what they send. */

import type { ApiPlace } from "./places.ts";

/** One kind of them: each sends something on a connection of its own, and waits until that is closed. */
export interface Nuisance {
  readonly perSecond: number;
  /** What the next of them sends. */
  readonly text: (number: number) => string;
  /** An octet of it at a time, with so long between them. */
  readonly dribbleMs?: number;
  /** Of those who dribble or say nothing: so many at a time. */
  readonly atOnce?: number;
}

const HOST = "Host: 127.0.0.1\r\n";
const MALFORMED = [
  "\0\x01\x02 nonsense\r\n\r\n",
  `GET /v1/status HTTP/9.9\r\n${HOST}\r\n`,
  `GET /v1/status HTTP/1.1\r\n${HOST}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  `GET /v1/status HTTP/1.1\r\n${HOST}X: ${"x".repeat(20_000)}\r\n\r\n`,
  `POST /v1/end HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\n`,
  `GET / HTTP/1.1\r\n\r\n`,
];
const TRICKS = ["/%2e%2e/%2e%2e/etc/passwd", "//v1/status", "/v1/%00", "/x/../v1/sessions", "/metrics/..%2f"];
const HUGE = " ".repeat(64 * 1024);

export function rabble({ token }: ApiPlace): readonly Nuisance[] {
  const wrong = token.replace(/.$/, "#");
  const get = (path: string, headers = ""): string => `GET ${path} HTTP/1.1\r\n${HOST}${headers}\r\n`;
  return [
    { perSecond: 20, text: (number) => MALFORMED[number % MALFORMED.length]! },
    { perSecond: 10, text: (number) => get(TRICKS[number % TRICKS.length]!) },
    { perSecond: 20, text: () => get("/v1/sessions?limit=1000") },
    { perSecond: 10, text: () => get("/metrics", `Authorization: Bearer ${wrong}\r\n`) },
    {
      perSecond: 4,
      text: () =>
        `POST /v1/end HTTP/1.1\r\n${HOST}Content-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n${HUGE}`,
    },
    { perSecond: 40, atOnce: 60, dribbleMs: 250, text: () => get("/v1/status", "X-Slow: 0123456789") },
    { perSecond: 10, atOnce: 60, text: () => "" },
  ];
}
