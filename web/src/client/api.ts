/** Asks the gateway, and knows whether it can be reached. */

import type { Answer, Failure } from "./answer.ts";
import { Store } from "./store.ts";
import { forgetToken, savedToken, saveToken } from "./token.ts";

type Reach =
  | { readonly state: "connecting" | "live" }
  /** Since when, milliseconds since 1970. */
  | { readonly state: "away"; readonly since: number }
  /** `refused`: a token was shown, and it was not the right one. */
  | { readonly state: "unauthorized"; readonly refused: boolean };

const TIMEOUT_MS = 10_000;
/** A test of a tunnel takes up to 35 s. */
const ORDER_TIMEOUT_MS = 45_000;
/** What a proxy says in place of a gateway that is away. */
const PROXY_ERRORS = [502, 503, 504];

export const reach = new Store<Reach>({ state: "connecting" });

export function logIn(token: string): void {
  saveToken(token);
  reach.set({ state: "connecting" });
}

export function headersWithToken(): Record<string, string> {
  const token = savedToken();
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

export function unauthorized(): void {
  const refused = savedToken() !== undefined;
  forgetToken();
  if (reach.value.state !== "unauthorized") reach.set({ state: "unauthorized", refused });
}

/** `path` is relative to the page's own: a proxy may serve it under a prefix. */
export function read<Value>(path: string, signal?: AbortSignal): Promise<Answer<Value>> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return ask(path, {
    headers: headersWithToken(),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
}

export function order<Value>(path: string, body: unknown): Promise<Answer<Value>> {
  return ask(path, {
    method: "POST",
    headers: { ...headersWithToken(), "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(ORDER_TIMEOUT_MS),
  });
}

async function ask<Value>(path: string, request: RequestInit): Promise<Answer<Value>> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(path, { ...request, cache: "no-store", credentials: "omit" });
    body = await response.json().catch(() => undefined);
  } catch {
    // fetch() tells all failures of the network, and the time that is up, as one
    return { ok: false, failure: { kind: "away" } };
  }
  if (response.status === 401) {
    unauthorized();
    return { ok: false, failure: { kind: "unauthorized" } };
  }
  if (response.ok && body !== undefined) {
    reach.set(reach.value.state === "live" ? reach.value : { state: "live" });
    return { ok: true, value: body as Value };
  }
  return { ok: false, failure: failureOf(response.status, body) };
}

/** What the gateway says in place of an answer; `body` is what could be read of it. */
export function failureOf(status: number, body: unknown): Failure {
  const error = (body as { error?: { message?: unknown; hint?: unknown } } | undefined)?.error;
  if (typeof error?.message !== "string")
    return PROXY_ERRORS.includes(status) || status === 200
      ? { kind: "away" }
      : { kind: "refused", status, message: `the gateway answered with status ${status}` };
  return {
    kind: "refused",
    status,
    message: error.message,
    ...(typeof error.hint === "string" && { hint: error.hint }),
  };
}

/** Who asks again and again says so: the page tells it once, whoever notices first. */
export function noticeAway(): void {
  if (reach.value.state === "live" || reach.value.state === "connecting")
    reach.set({ state: "away", since: Date.now() });
}
