/** Names that operators type: one that is nobody's is refused, and not taken for one that has nothing at the moment. */

import type { Config } from "../config/config.ts";
import { nearMiss } from "../config/near-miss.ts";
import { OperationError } from "./operation-error.ts";
import type { SessionFilter } from "./operations.ts";
import { originOf } from "./operations-filter.ts";
import type { Session } from "./session.ts";
import type { TunnelView } from "./views.ts";

/** Names that a hint lists. */
const SHOWN_NAMES = 8;

type Names = Pick<Config, "access" | "l2tp" | "lnsGroups">;

/** Throws an OperationError when a filter names what neither the configuration nor any session has. */
export function checkSessionNames(
  { lns, interface: origin }: SessionFilter,
  config: Names,
  sessions: Iterable<Session>,
): void {
  const peers = peerNames(config);
  if (lns !== undefined && !peers.includes(lns) && !isAny(sessions, ({ onwardPeer }) => onwardPeer === lns))
    throw noSuchLns(lns, config);
  const origins = [...config.access.map((each) => each.interface), ...peers];
  if (
    origin !== undefined &&
    !origins.includes(origin) &&
    !isAny(sessions, (each) => originOf(each) === origin)
  )
    throw noSuch("access interface or L2TP peer", origin, origins);
}

function noSuchLns(name: string, config: Names): OperationError {
  const members = config.lnsGroups.get(name)?.members.map(({ peer }) => peer);
  if (members === undefined) return noSuch("LNS", name, peerNames(config));
  const hint = `its LNSes are: ${members.join(", ")}`;
  return new OperationError("no-such", `${name} is a group, and a session is carried to one LNS of it`, hint);
}

/** The same of tunnels. */
export function checkPeerName(peer: string | undefined, config: Names, tunnels: readonly TunnelView[]): void {
  const peers = peerNames(config);
  if (peer !== undefined && !peers.includes(peer) && !tunnels.some((tunnel) => tunnel.peer === peer))
    throw noSuch("L2TP peer", peer, peers);
}

/** Nothing is called so: the name that was probably meant, or those that there are. */
export function noSuch(what: string, name: string, known: readonly string[]): OperationError {
  const meant = nearMiss(name, known);
  const more = known.length - SHOWN_NAMES;
  const some = more > 0 ? `${known.slice(0, SHOWN_NAMES).join(", ")} and ${more} more` : known.join(", ");
  const hint = meant === undefined ? `there are: ${some || "none"}` : `did you mean ${meant}?`;
  return new OperationError("no-such", `there is no ${what} ${name}`, hint);
}

function peerNames({ l2tp }: Pick<Names, "l2tp">): readonly string[] {
  return l2tp.peers.map(({ name }) => name);
}

function isAny(sessions: Iterable<Session>, test: (session: Session) => boolean): boolean {
  for (const session of sessions) if (test(session)) return true;
  return false;
}
