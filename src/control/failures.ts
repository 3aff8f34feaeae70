/** What an asker is told when it does not get what it asked for. */

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
export function failureResponse({ status, code, message, hint, headers }: Failure): Response {
  const error = { code, message, ...(hint !== undefined && { hint }) };
  return new Response(`${JSON.stringify({ error })}\n`, {
    status,
    headers: { ...JSON_HEADERS, ...headers, Connection: "close" },
  });
}
