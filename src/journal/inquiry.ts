import { equalBytes, utf8 } from "../base/bytes.ts";
import { macNumber, parseMac } from "../wire/ethernet.ts";
import { CDN, HELLO, TUNNEL_MESSAGES, typeAt } from "./control-fields.ts";
import { decodePppoe } from "./decode-pppoe.ts";
import { noteNumber } from "./notes.ts";
import { callsThatAre, remoteIdOf, sessionOfCall, tunnelsThatAre } from "./other-ends.ts";
import { KIND, type Ring } from "./ring.ts";
import { sessionTraces } from "./session-traces.ts";
import type { Subject } from "./story-view.ts";
import { type Archive, collect, isNote, type Trace } from "./trail.ts";

/** What was found of a subject. */
export interface Case {
  readonly kind: "session" | "host" | "tunnel";
  /** "session s12", "user alice". */
  readonly subject: string;
  /** What is to be said of who is meant. */
  readonly remarks?: readonly string[];
  /** Oldest first. */
  readonly traces: readonly Trace[];
  /** The ends, and refused logins, of other sessions of the same subject, oldest first. */
  readonly earlier: readonly Trace[];
  /** The numbers of other sessions of the same subject that have not ended. */
  readonly others?: readonly number[];
}

const NO_TRACES: readonly Trace[] = [];
const TUNNEL_NOTES = (
  [
    "tunnel-calling",
    "tunnel-up",
    "tunnel-not-answering",
    "tunnel-not-reached",
    "tunnel-answers",
    "tunnel-down",
    "caller",
  ] as const
).map(noteNumber);
/** Its own messages, HELLO, and the CDNs: what becomes of the calls in it. */
const TUNNEL_TYPES = [...TUNNEL_MESSAGES, HELLO, CDN];
const USER = noteNumber("user");
const ENDED = noteNumber("session-ended");
const REFUSED = noteNumber("login-refused");

/** Finds out whom a subject means, and all that is known of it. */
export async function inquire(archive: Archive, subject: Subject): Promise<Case> {
  const { session, user, mac, tunnel = 0, call } = subject;
  if (session !== undefined) return ofSession(archive, session);
  if (user !== undefined) return ofUser(archive, user);
  if (mac !== undefined) return ofHost(archive, mac);
  return call === undefined ? ofTunnelId(archive, tunnel) : ofCall(archive, tunnel, call);
}

async function ofSession(archive: Archive, id: string): Promise<Case> {
  const number = /^s?([1-9]\d{0,9})$/.exec(id)?.[1];
  const traces = number === undefined ? NO_TRACES : await sessionTraces(archive, Number(number));
  return { kind: "session", subject: `session ${id}`, traces, earlier: NO_TRACES };
}

async function ofUser(archive: Archive, name: string): Promise<Case> {
  const octets = utf8(name);
  const named = await collect(archive, (ring, body) => {
    if (!isNote(ring, body) || ring.octets[body] !== USER || ring.bodyBytes(body) !== 1 + octets.length)
      return false;
    return equalBytes(ring.octets.subarray(body + 1, body + 1 + octets.length), octets);
  });
  return { kind: "session", subject: `user ${name}`, ...(await latest(archive, named)) };
}

async function ofHost(archive: Archive, text: string): Promise<Case> {
  const octets = parseMac(text);
  const subject = `host ${text.toLowerCase()}`;
  if (octets === undefined) return { kind: "host", subject, traces: NO_TRACES, earlier: NO_TRACES };
  const mac = macNumber(octets);
  const high = Math.floor(mac / 65_536);
  const all = await collect(
    archive,
    (ring, body) => ring.macHigh(body) === high && ring.macLow(body) === (mac & 0xffff),
  );
  const begun = all.filter(({ note }) => note?.kind === "session-begun");
  const lastBegun = begun.at(-1);
  const calls = all.filter(({ kind, out, octets }) => kind === KIND.pppoe && !out && isCall(octets));
  const isLater =
    lastBegun !== undefined && calls.some(({ number, at }) => at > lastBegun.at && number > lastBegun.number);
  if (lastBegun === undefined || isLater) {
    const since = all.filter(({ kind, at }) => kind === KIND.pppoe && at >= (lastBegun?.at ?? 0));
    const earlier = await endsOf(archive, begun);
    return { kind: "host", subject, traces: since, earlier, others: unended(begun, earlier) };
  }
  return { kind: "session", subject, ...(await latest(archive, begun)) };
}

/** The last of the sessions that are named, and how the others ended. */
async function latest(
  archive: Archive,
  named: readonly Trace[],
): Promise<Pick<Case, "traces" | "earlier" | "others">> {
  const last = named.at(-1);
  if (last === undefined) return { traces: NO_TRACES, earlier: NO_TRACES };
  const others = named.filter(({ session }) => session !== last.session);
  const earlier = await endsOf(archive, others);
  return { traces: await sessionTraces(archive, last.session), earlier, others: unended(others, earlier) };
}

function unended(named: readonly Trace[], ends: readonly Trace[]): readonly number[] {
  const sessions = new Set(named.map(({ session }) => session));
  for (const { session, note } of ends) if (note?.kind === "session-ended") sessions.delete(session);
  return [...sessions];
}

/** A PADI or PADR, and not the last word of a session. */
function isCall(frame: Uint8Array): boolean {
  return decodePppoe(frame).name !== "PADT";
}

async function endsOf(archive: Archive, named: readonly Trace[]): Promise<readonly Trace[]> {
  if (named.length === 0) return NO_TRACES;
  const sessions = new Set(named.map(({ session }) => session));
  return collect(
    archive,
    (ring, body) => isNoteOf(ring, body, ENDED, REFUSED) && sessions.has(ring.session(body)),
  );
}

function isNoteOf(ring: Ring, body: number, ...kinds: readonly number[]): boolean {
  return isNote(ring, body) && kinds.includes(ring.octets[body]!);
}

/** A tunnel by our id or the other end's; or else a call, whose operator has read nothing but its session id. */
async function ofTunnelId(archive: Archive, id: number): Promise<Case> {
  const ours = await ofTunnel(archive, id);
  const theirs = id === 0 ? [] : (await tunnelsThatAre(archive, id)).filter((tunnel) => tunnel !== id);
  if (ours.traces.length > 0) {
    const remote = await remoteIdOf(archive, id);
    const remarks = remote === 0 ? [] : [`The other end calls it tunnel ${remote}.`];
    if (theirs.length > 0) remarks.push(`${id} is also what another end calls ${ourTunnels(theirs)}.`);
    return { ...ours, remarks };
  }
  const [meant, ...others] = theirs;
  if (meant !== undefined) {
    const found = await ofTunnel(archive, meant);
    const remarks = [`We have no tunnel ${id}: it is what the other end calls our tunnel ${meant}.`];
    if (others.length > 0) remarks.push(`So do others call ${ourTunnels(others)}.`);
    return { ...found, remarks };
  }
  const called = id === 0 ? undefined : await callNamed(archive, id);
  return called ?? ours;
}

function ourTunnels(tunnels: readonly number[]): string {
  return `our ${tunnels.length === 1 ? "tunnel" : "tunnels"} ${tunnels.join(", ")}`;
}

/** A call by the ids of its tunnel and session: both ours, both the other end's, or one of each. */
async function ofCall(archive: Archive, tunnel: number, call: number): Promise<Case> {
  const tunnels = [tunnel, ...(await tunnelsThatAre(archive, tunnel))];
  const found = await callNamed(archive, call, tunnels);
  const subject = `session ${call} of tunnel ${tunnel}`;
  return found ?? { kind: "session", subject, traces: NO_TRACES, earlier: NO_TRACES };
}

async function callNamed(
  archive: Archive,
  id: number,
  tunnels?: readonly number[],
): Promise<Case | undefined> {
  for (const whose of ["ours", "theirs"] as const) {
    const [place] = await callsThatAre(archive, id, whose, tunnels);
    const number = place && (await sessionOfCall(archive, place));
    if (place === undefined || number === undefined) continue;
    const name = whose === "ours" ? "Our L2TP session" : "The other end's L2TP session";
    const remote = await remoteIdOf(archive, place.tunnel);
    const remarks = [
      `${name} ${id} is our session ${place.session} in tunnel ${place.tunnel} (tunnel ${remote} at the other end).`,
    ];
    return { ...(await ofSession(archive, `s${number}`)), remarks };
  }
  return undefined;
}

/** The life of a tunnel id that began last; a call in it is told by its own session's story. */
async function ofTunnel(archive: Archive, tunnel: number): Promise<Case> {
  const all = await collect(archive, (ring, body) => {
    if (ring.tunnel(body) !== tunnel) return false;
    if (isNote(ring, body)) return TUNNEL_NOTES.includes(ring.octets[body]!);
    return (
      ring.kind(body) === KIND.l2tp &&
      TUNNEL_TYPES.includes(typeAt(ring.octets, body, body + ring.bodyBytes(body)))
    );
  });
  const start = all.findLastIndex(({ note }) => note?.kind === "tunnel-calling" || note?.kind === "caller");
  const traces = tunnel === 0 ? NO_TRACES : all.slice(Math.max(0, start));
  return { kind: "tunnel", subject: `tunnel ${tunnel}`, traces, earlier: NO_TRACES };
}
