import { type IncomingMessage, request } from "node:http";
import { ControlError, RefusedError } from "./control-error.ts";
import type { ResourceName, Resources } from "./resources.ts";

const TIMEOUT_MS = 10_000;
/** A test of a tunnel takes up to 35 s, and says nothing meanwhile. */
const ORDER_TIMEOUT_MS = 45_000;
/** Rows of one part of a list that is read whole. */
const PART = 1000;

/** What is asked of the gateway. */
export interface Ask {
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** An order; its JSON. */
  readonly body?: unknown;
}

/**
 * Asks the gateway that listens on `socketPath`, and gives its answer, which is of the type that the API's table says.
 * Rejects with a ControlError that says what to do about it.
 */
export async function ask<Answer>(socketPath: string, { path, query = {}, body }: Ask): Promise<Answer> {
  const { status, text } = await exchange(socketPath, target(path, query), body);
  const value = answerOf(socketPath, text);
  if (status === 200) return value as Answer;
  throw refusal(socketPath, status, text);
}

/** A path with its query. */
export function target(path: string, query: NonNullable<Ask["query"]>): string {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, String(value)]],
  );
  const search = new URLSearchParams(given).toString();
  return search === "" ? path : `${path}?${search}`;
}

/** Why the gateway said no, in its own words. Throws a ControlError when these are no gateway's. */
export function refusal(socketPath: string, status: number, text: string): RefusedError {
  const { error = {} } = answerOf(socketPath, text) as { error?: { message?: string; hint?: string } };
  const { message = text.trim(), hint } = error;
  return new RefusedError(socketPath, status, hint === undefined ? message : `${message} (${hint})`);
}

function answerOf(socketPath: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ControlError("control-answer", `${socketPath} answered what is not JSON`, { cause: error });
  }
}

/** Which version answers there; undefined when it does not say so. */
export async function gatewayVersion(socketPath: string): Promise<string | undefined> {
  try {
    const { version } = await ask<{ readonly version?: unknown }>(socketPath, { path: "/v1/status" });
    return typeof version === "string" ? version : undefined;
  } catch (error) {
    if (error instanceof ControlError) return undefined;
    throw error;
  }
}

/** All of a resource: long lists are read in parts. */
export async function readResource<Name extends ResourceName>(
  socketPath: string,
  name: Name,
): Promise<Resources[Name]> {
  if (name !== "sessions" && name !== "channels") return ask(socketPath, { path: `/v1/${name}` });
  const rows: unknown[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: PART, cursor };
    const part = await ask<Record<string, unknown>>(socketPath, { path: `/v1/${name}`, query });
    rows.push(...(part[name] as unknown[]));
    cursor = (part.next as string | null) ?? undefined;
  } while (cursor !== undefined);
  return rows as unknown as Resources[Name];
}

async function exchange(
  socketPath: string,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await send(socketPath, path, body);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch (error) {
    throw failure(socketPath, error as Error);
  }
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") };
}

function send(socketPath: string, path: string, body: unknown): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const timeout = json === undefined ? TIMEOUT_MS : ORDER_TIMEOUT_MS;
    const asked = request(
      {
        socketPath,
        path,
        agent: false,
        timeout,
        method: json === undefined ? "GET" : "POST",
        headers: json === undefined ? {} : { "Content-Type": "application/json" },
      },
      resolve,
    );
    asked.on("error", (error) => reject(failure(socketPath, error)));
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${timeout / 1000} s`)));
    asked.end(json);
  });
}

const NOBODY =
  "nobody listens; is the gateway running? (systemctl status lacewing; --socket PATH or LACEWING_SOCKET=PATH for another one)";
const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: NOBODY,
  ECONNREFUSED: NOBODY,
  EACCES:
    "permission denied; ask as root, or as a member of its group, which the package calls lacewing (sudo usermod -aG lacewing USER, then log in anew)",
};

/** Of Node's HTTP parser: what has answered speaks something else. */
const NOT_HTTP = /^HPE_/;

/** What could not be asked, and what to do about it. */
export function failure(socketPath: string, error: NodeJS.ErrnoException): ControlError {
  const { code = "", message } = error;
  const text = NOT_HTTP.test(code)
    ? "what listens there is no gateway; --socket PATH names the socket of one"
    : (REFUSALS[code] ?? message);
  return new ControlError("control-connect", `${socketPath}: ${text}`, { cause: error });
}
