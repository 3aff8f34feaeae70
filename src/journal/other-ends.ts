/** Tunnels and calls by the ids that the other end gave them: what its operator reads from his own screen. */

import { assignedAt, isReply, sessionAt, tunnelAt, typeAt } from "./control-fields.ts";
import { noteNumber } from "./notes.ts";
import { FLAG_OUT, KIND, type Ring } from "./ring.ts";
import { type Archive, collect, isNote } from "./trail.ts";

/** A call in a tunnel, by our ids. */
export interface CallPlace {
  readonly tunnel: number;
  readonly session: number;
}

const PLACED = noteNumber("call-placed");
const BEGUN = noteNumber("session-begun");

/** Our ids of the tunnels that the other end calls so, the one that was used last first. */
export async function tunnelsThatAre(archive: Archive, remote: number): Promise<readonly number[]> {
  const usedAt = new Map<number, number>();
  await look(archive, (ring, body) => {
    // what we send names the tunnel as the peer does
    if (!isControl(ring, body) || !isOut(ring, body) || tunnelAt(ring.octets, body) !== remote) return;
    const tunnel = ring.tunnel(body);
    usedAt.set(tunnel, Math.max(ring.time(body), usedAt.get(tunnel) ?? 0));
  });
  return [...usedAt].sort(([, a], [, b]) => b - a).map(([tunnel]) => tunnel);
}

/** What the other end calls a tunnel of ours; 0 when it is not known. */
export async function remoteIdOf(archive: Archive, tunnel: number): Promise<number> {
  let remote = 0;
  let at = 0;
  await look(archive, (ring, body) => {
    if (ring.tunnel(body) !== tunnel || !isControl(ring, body) || !isOut(ring, body)) return;
    const named = tunnelAt(ring.octets, body);
    if (named === 0 || ring.time(body) < at) return;
    remote = named;
    at = ring.time(body);
  });
  return remote;
}

/** The calls that have an id, ours or the other end's, in one of `tunnels` or in any; the last first. */
export async function callsThatAre(
  archive: Archive,
  id: number,
  whose: "ours" | "theirs",
  tunnels?: readonly number[],
): Promise<readonly CallPlace[]> {
  const answeredAt = new Map<string, readonly [number, CallPlace]>();
  await look(archive, (ring, body) => {
    const tunnel = ring.tunnel(body);
    if (!isControl(ring, body) || (tunnels !== undefined && !tunnels.includes(tunnel))) return;
    const end = body + ring.bodyBytes(body);
    if (!isReply(typeAt(ring.octets, body, end))) return;
    const named = sessionAt(ring.octets, body);
    const assigned = assignedAt(ring.octets, body, end);
    const [session, remote] = isOut(ring, body) ? [assigned, named] : [named, assigned];
    if ((whose === "ours" ? session : remote) !== id) return;
    answeredAt.set(`${tunnel}/${session}`, [ring.time(body), { tunnel, session }]);
  });
  return [...answeredAt.values()].sort(([a], [b]) => b - a).map(([, place]) => place);
}

/** The number of the session that a call was for, the last one; undefined when none is known. */
export async function sessionOfCall(
  archive: Archive,
  { tunnel, session }: CallPlace,
): Promise<number | undefined> {
  let found: number | undefined;
  let at = 0;
  await look(archive, (ring, body) => {
    if (!isNote(ring, body) || ring.tunnel(body) !== tunnel || ring.within(body) !== session) return;
    const kind = ring.octets[body];
    if ((kind !== PLACED && kind !== BEGUN) || ring.time(body) < at) return;
    found = ring.session(body);
    at = ring.time(body);
  });
  return found;
}

async function look(archive: Archive, at: (ring: Ring, body: number) => void): Promise<void> {
  await collect(archive, (ring, body) => {
    at(ring, body);
    return false;
  });
}

function isControl(ring: Ring, body: number): boolean {
  return ring.kind(body) === KIND.l2tp && ring.tunnel(body) !== 0;
}

function isOut(ring: Ring, body: number): boolean {
  return (ring.flags(body) & FLAG_OUT) !== 0;
}
