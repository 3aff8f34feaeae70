import { type Instant, NEVER } from "../base/time.ts";
import type { PppTimers } from "./timers.ts";

/** Plain data of the LCP Echo keepalive (RFC 1661 §5.8). */
export interface EchoState {
  nextAt: Instant;
  /** Echo-Requests since the peer was last heard of. */
  misses: number;
  /** The peer code-rejected Echo-Request: it is never asked again. */
  refused: boolean;
}

export const SILENT_ECHO: EchoState = { nextAt: NEVER, misses: 0, refused: false };

/** The peer is there (LCP opened, an Echo-Reply, traffic): nothing to ask for one interval. */
export function echoHeard(echo: EchoState, now: Instant, timers: PppTimers): void {
  echo.misses = 0;
  echo.nextAt = echo.refused || timers.echoIntervalMs === 0 ? NEVER : now + timers.echoIntervalMs;
}

export function echoStop(echo: EchoState): void {
  echo.misses = 0;
  echo.nextAt = NEVER;
}

/** Called at any time: whether an Echo-Request is due, or one too many has gone unanswered. */
export function echoTimeout(echo: EchoState, now: Instant, timers: PppTimers): "nothing" | "send" | "dead" {
  if (now < echo.nextAt) return "nothing";
  if (echo.misses >= timers.echoMisses) return "dead";
  echo.misses += 1;
  echo.nextAt = now + timers.echoIntervalMs;
  return "send";
}
