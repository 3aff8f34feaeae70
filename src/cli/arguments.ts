/** What people type for a session, a tunnel and the like: read as the API takes it, or refused with an example. */

import { InvalidArgumentError } from "commander";
import { parseSince } from "../control/since.ts";
import type { SessionView, TunnelView } from "../gateway/views.ts";

const MOST_TUNNELS = 65_535;

/** Every one: what is missing, or is none, does not compile. */
const SESSION_STATES: Readonly<Record<SessionView["state"], true>> = {
  authenticating: true,
  calling: true,
  network: true,
  open: true,
  closing: true,
};
const TUNNEL_STATES: Readonly<Record<TunnelView["state"], true>> = {
  "wait-ctl-reply": true,
  "wait-ctl-conn": true,
  established: true,
  closing: true,
};

/** Of each thing that has states, which. */
export const STATES: Readonly<Partial<Record<string, readonly string[]>>> = {
  sessions: Object.keys(SESSION_STATES),
  tunnels: Object.keys(TUNNEL_STATES),
};
export const ALL_STATES: readonly string[] = [
  ...new Set(Object.values(STATES).flatMap((each) => each ?? [])),
];

/** What there may be of each, with an example. */
export const WANTED = {
  session: "A session is s and its number, as in s12; `lacewing show sessions` lists them.",
  tunnel: `A tunnel is a number from 1 to ${MOST_TUNNELS}, as in 4711; \`lacewing show tunnels\` lists them.`,
} as const;

export function isSession(text: string): boolean {
  return /^s\d{1,15}$/.test(text);
}

/** Undefined when it is none. */
export function tunnelOf(text: string): number | undefined {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= MOST_TUNNELS ? value : undefined;
}

export function sessionId(text: string): string {
  if (isSession(text)) return text;
  throw new InvalidArgumentError(WANTED.session);
}

export function tunnelId(text: string): number {
  const tunnel = tunnelOf(text);
  if (tunnel !== undefined) return tunnel;
  throw new InvalidArgumentError(WANTED.tunnel);
}

/** A MAC address in any of the usual notations, as the API has it; undefined when it is none. */
export function macOf(text: string): string | undefined {
  const isMac = /^([0-9a-f]{2}([:-])[0-9a-f]{2}(\2[0-9a-f]{2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2})$/i.test(
    text,
  );
  const digits = text.toLowerCase().replaceAll(/[^0-9a-f]/g, "");
  return isMac ? (digits.match(/../g) ?? []).join(":") : undefined;
}

export function macAddress(text: string): string {
  const mac = macOf(text);
  if (mac !== undefined) return mac;
  throw new InvalidArgumentError(
    "A MAC address has six pairs of hexadecimal digits, as in 02:00:5e:10:00:01.",
  );
}

/** A time, or how long ago: the gateway's clock decides. */
export function since(text: string): string {
  if (parseSince(text, 0) !== undefined) return text;
  throw new InvalidArgumentError(
    "How long ago, as in 90s, 15m, 2h or 1d, or a time, as in 2026-01-31T12:00:00Z.",
  );
}

/** A whole number from 1. */
export function rowCount(text: string): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : 0;
  if (value >= 1) return value;
  throw new InvalidArgumentError("A number of rows is a whole number from 1, as in 500.");
}

/** Seconds between two looks. */
export function interval(text: string): number {
  const value = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) : 0;
  if (value >= 0.1 && value <= 86_400) return value;
  throw new InvalidArgumentError("Seconds between two looks are from 0.1 to 86400, as in 5.");
}
