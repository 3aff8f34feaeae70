/** What listeners are told of a session. */

import type { Journal } from "../journal/journal.ts";
import type { EndCause } from "./cause.ts";
import type { GatewayEvent } from "./events.ts";
import type { Role } from "./role.ts";
import type { Session } from "./session.ts";

/** It is open for the first time. `wallClock`: milliseconds since 1970. */
export function sessionUp(session: Session, role: Role | undefined, wallClock: number): GatewayEvent {
  return { kind: "session-up", setupMs: wallClock - session.startedAt, ...facts(session, role) };
}

/** It has ended; `openMs` is undefined when it never was open. */
export function sessionDown(
  session: Session,
  role: Role | undefined,
  cause: EndCause,
  openMs: number | undefined,
): GatewayEvent {
  return {
    kind: "session-down",
    wasUp: openMs !== undefined,
    cause: cause.code,
    reason: cause.text,
    openSeconds: Math.round((openMs ?? 0) / 1000),
    ...session.traffic,
    ...facts(session, role),
  };
}

/** For whoever asks why: it is open for the first time. */
export function noteOpen(journal: Journal, session: number, role: Role | undefined): void {
  const { kind = "", device, onward, address } = role ?? {};
  journal.note("session-open", { session }, kind, device ?? onward?.peer ?? "", address ?? "");
}

export function noteEnd(
  journal: Journal,
  session: number,
  { code, link, text }: EndCause,
  openMs: number | undefined,
): void {
  const openFor = openMs === undefined ? "" : String(Math.round(openMs));
  journal.note("session-ended", { session }, code, link ?? "", text, openFor);
}

function facts({ id, user, carrier }: Session, role: Role | undefined) {
  const origin = carrier.view();
  return {
    session: id,
    user: user ?? null,
    role: role?.kind ?? null,
    origin: origin.kind === "pppoe" ? origin.interface : origin.peer,
    mac: carrier.mac ?? null,
    lns: role?.onward?.peer ?? null,
    address: role?.address ?? null,
  };
}
