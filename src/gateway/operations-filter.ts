/** Which sessions an operator means. Asked of tens of thousands at once: it looks at what costs nothing, and makes no view. */

import { realmOf } from "./destination.ts";
import type { SessionFilter } from "./operations.ts";
import type { Session } from "./session.ts";

/** Whether a session is among those that `filter` describes. */
export function sessionTest(filter: SessionFilter): (session: Session) => boolean {
  const tests: ((session: Session) => boolean)[] = [];
  const { state, role, interface: origin, lns, tunnel, since } = filter;
  if (state !== undefined) tests.push((session) => session.state === state);
  if (role !== undefined) tests.push((session) => session.role === role);
  if (since !== undefined) tests.push((session) => session.startedAt >= since);
  if (filter.user !== undefined || filter.realm !== undefined) {
    const isMeant = userTest(filter.user, filter.realm);
    tests.push((session) => session.user !== undefined && isMeant(session.user));
  }
  if (filter.mac !== undefined) {
    const mac = filter.mac.toLowerCase();
    tests.push((session) => session.carrier.mac === mac);
  }
  if (origin !== undefined) tests.push((session) => originOf(session) === origin);
  if (lns !== undefined) tests.push((session) => session.onwardPeer === lns);
  if (tunnel !== undefined) tests.push((session) => isIn(session, tunnel));
  return (session) => tests.every((test) => test(session));
}

/** Whether a user name is meant: by a name or pattern, and by its realm; in any case. */
export function userTest(user: string | undefined, realm: string | undefined): (name: string) => boolean {
  const pattern = user?.toLowerCase();
  const wanted = realm?.toLowerCase();
  return (name) =>
    (pattern === undefined || matchesPattern(pattern, name.toLowerCase())) &&
    (wanted === undefined || realmOf(name) === wanted);
}

/** The access interface, or the L2TP peer that brought it. */
export function originOf({ carrier }: Session): string {
  if (carrier.portName !== undefined) return carrier.portName;
  const origin = carrier.view();
  return origin.kind === "l2tp" ? origin.peer : origin.interface;
}

function isIn({ carrier, onward }: Session, tunnel: number): boolean {
  if (onward?.localTunnelId === tunnel) return true;
  if (carrier.kind === "pppoe") return false;
  const origin = carrier.view();
  return origin.kind === "l2tp" && origin.localTunnelId === tunnel;
}

/**
 * Whether `text` is what a pattern says: * is any number of characters, ? is one. In time proportional to the product of
 * the lengths at the worst: regular expressions go through all combinations of what several stars may stand for.
 */
function matchesPattern(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let afterStar = 0;
  let i = 0;
  while (i < text.length) {
    if (pattern[at] === "*") {
      star = at;
      at += 1;
      afterStar = i;
    } else if (at < pattern.length && (pattern[at] === "?" || pattern[at] === text[i])) {
      at += 1;
      i += 1;
    } else if (star >= 0) {
      // the last star takes one character more
      at = star + 1;
      afterStar += 1;
      i = afterStar;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}
