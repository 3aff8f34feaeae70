import { useEffect, useState } from "preact/hooks";
import type { Failure } from "./answer.ts";
import { noticeAway, read } from "./api.ts";
import { backOffMs } from "./back-off.ts";

export interface Polled<Value> {
  /** The last answer, also when the gateway has gone away since; undefined before the first. */
  readonly value: Value | undefined;
  /** When it came, performance.now(). */
  readonly at: number;
  /** What the last request came to, when it was no answer. */
  readonly failure: Failure | undefined;
}

/** Reads `path` again and again while the page is seen; undefined: nothing. */
export function usePoll<Value>(path: string | undefined, intervalMs: number): Polled<Value> {
  const [polled, setPolled] = useState<Polled<Value> & { readonly path?: string | undefined }>(NOTHING);
  useEffect(() => {
    if (path === undefined) return;
    const loop = new AbortController();
    void poll<Value>(path, intervalMs, loop.signal, (change) =>
      setPolled((before) => ({ ...(before.path === path ? before : NOTHING), ...change, path })),
    );
    return () => loop.abort();
  }, [path, intervalMs]);
  return polled.path === path ? polled : NOTHING;
}

const NOTHING = { value: undefined, at: 0, failure: undefined } as const;

async function poll<Value>(
  path: string,
  intervalMs: number,
  signal: AbortSignal,
  tell: (change: Partial<Polled<Value>>) => void,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    const answer = await read<Value>(path, signal);
    if (signal.aborted) return;
    if (answer.ok) {
      failures = 0;
      tell({ value: answer.value, at: performance.now(), failure: undefined });
    } else {
      if (answer.failure.kind === "unauthorized") return;
      failures += 1;
      if (answer.failure.kind === "away") noticeAway();
      tell({ failure: answer.failure });
    }
    await pause(failures === 0 ? intervalMs : Math.max(intervalMs, backOffMs(failures)), signal);
    await seen(signal);
  }
}

export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
}

/** Nobody looks: nothing is asked. */
export function seen(signal: AbortSignal): Promise<void> {
  if (!document.hidden || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      document.removeEventListener("visibilitychange", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    document.addEventListener("visibilitychange", done);
    signal.addEventListener("abort", done);
  });
}
