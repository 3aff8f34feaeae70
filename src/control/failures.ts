/** What an asker is told when it does not get what it asked for. */

import { STATUS_CODES } from "node:http";

export interface Failure {
  readonly status: number;
  /** A stable word to match on. */
  readonly code: string;
  readonly message: string;
  /** What to do. */
  readonly hint?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** JSON is never kept by anybody between: it is of this moment. */
export const JSON_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "application/json",
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
};

/** The connection ends with it: what a refused asker still sends is not read. */
export function failureResponse(failure: Failure): Response {
  return new Response(bodyOf(failure), { status: failure.status, headers: headersOf(failure) });
}

/** The same as octets, for who is not even listened to. */
export function rawFailure(failure: Failure): string {
  const body = bodyOf(failure);
  const headers = Object.entries({ ...headersOf(failure), "Content-Length": Buffer.byteLength(body) });
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${failure.status} ${STATUS_CODES[failure.status]}\r\n${lines.join("")}\r\n${body}`;
}

function bodyOf({ code, message, hint }: Failure): string {
  return `${JSON.stringify({ error: { code, message, ...(hint !== undefined && { hint }) } })}\n`;
}

function headersOf({ headers }: Failure): Readonly<Record<string, string>> {
  return { ...JSON_HEADERS, ...headers, Connection: "close" };
}
