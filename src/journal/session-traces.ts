import { parseEthernet } from "../wire/ethernet.ts";
import { NO_SESSION, PADI, PADT, parseDiscovery } from "../wire/pppoe.ts";
import { assignedAt, isReply, isRequest, sessionAt, TUNNEL_MESSAGES, typeAt } from "./control-fields.ts";
import { decodePppoe } from "./decode-pppoe.ts";
import { noteNumber } from "./notes.ts";
import { FLAG_OUT, KIND, type Ring } from "./ring.ts";
import { type Archive, collect, type Trace } from "./trail.ts";

/** PADI to PADS takes no longer, and who has waited in a line longer than that calls again. */
const DISCOVERY_MS = 15_000;
/** Last words: Terminate-Ack, PADT, the acknowledged CDN. */
const AFTERMATH_MS = 4000;
/** A tunnel that has died has been silent for so long before; a call that waits for one has waited as long. */
const TUNNEL_LIFE_MS = 60_000;

/** A call is placed as soon as its tunnel is up. */
const JUST_BEFORE_MS = 500;

const CALLING = noteNumber("tunnel-calling");
const TUNNEL_UP = noteNumber("tunnel-up");
const TUNNEL_DOWN = noteNumber("tunnel-down");
const NOT_ANSWERING = noteNumber("tunnel-not-answering");
const ANSWERS = noteNumber("tunnel-answers");
const NOT_REACHED = noteNumber("tunnel-not-reached");

/** What ends an earlier call's discovery. */
const ENDS = ["PADS", "PADT"];

/** A session's call in a tunnel. */
interface Leg {
  readonly tunnel: number;
  readonly session: number;
  readonly from: number;
  to: number;
  /** The peer's id of it; 0 while it is not known. */
  remote: number;
}

/** Everything that belongs to a session: its own records, its host's discovery, its calls, and their tunnels' troubles. */
export async function sessionTraces(archive: Archive, session: number): Promise<readonly Trace[]> {
  const own = await collect(
    archive,
    (ring, body) => ring.session(body) === session && ring.kind(body) !== KIND.pppoe,
  );
  const begun = own.find(({ note }) => note?.kind === "session-begun") ?? own[0];
  if (begun === undefined) return own;
  const ended = own.findLast(({ note }) => note?.kind === "session-ended");
  const opened = own.find(({ note }) => note?.kind === "session-open");
  const from = begun.at - DISCOVERY_MS;
  const to = (ended?.at ?? Number.POSITIVE_INFINITY) + AFTERMATH_MS;
  const legs = legsOf(own, begun, to);
  await findRemotes(archive, legs);
  /** When the state of a tunnel mattered to it: while it was set up, and at its end. */
  const matters = (at: number): boolean =>
    at <= (opened?.at ?? to) || (ended !== undefined && at >= ended.at - TUNNEL_LIFE_MS);
  const high = Math.floor(begun.mac / 65_536);
  const low = begun.mac & 0xffff;
  const earliest = begun.at - TUNNEL_LIFE_MS;
  const around = await collect(archive, (ring, body) => {
    const kind = ring.kind(body);
    if (kind === KIND.ppp) return false;
    const at = ring.time(body);
    if (at > to || at < earliest) return false;
    if (kind === KIND.pppoe)
      return begun.mac !== 0 && at >= from && ring.macHigh(body) === high && ring.macLow(body) === low;
    if (ring.session(body) !== 0 || !isOnLeg(ring, body, legs)) return false;
    if (kind === KIND.note) return (matters(at) && isTunnelNote(ring, body)) || isSilenceOf(ring, body, legs);
    return isOfCalls(ring, body, legs) || (matters(at) && isOfTunnel(ring, body));
  });
  const theirs = untilNextCall(sinceCall(withoutFormerLife(around, begun), begun), begun);
  return [...theirs, ...own].sort((a, b) => a.at - b.at || a.number - b.number);
}

function legsOf(own: readonly Trace[], begun: Trace, to: number): readonly Leg[] {
  const legs: Leg[] = [];
  for (const { note, tunnel, l2tpSession, at } of own) {
    if (note?.kind !== "call-placed" && !(note?.kind === "session-begun" && tunnel !== 0)) continue;
    legs.push({
      tunnel,
      session: l2tpSession,
      from: note.kind === "call-placed" ? at : begun.at,
      to,
      remote: 0,
    });
  }
  return legs;
}

/** The peers' session ids: what we send in a call has no other. */
async function findRemotes(archive: Archive, legs: readonly Leg[]): Promise<void> {
  if (legs.length === 0) return;
  await collect(archive, (ring, body) => {
    if (ring.kind(body) !== KIND.l2tp || !isOnLeg(ring, body, legs)) return false;
    const end = body + ring.bodyBytes(body);
    if (!isReply(typeAt(ring.octets, body, end))) return false;
    const named = sessionAt(ring.octets, body);
    const out = isOut(ring, body);
    for (const leg of legs) {
      if (leg.tunnel !== ring.tunnel(body) || !isWithin(ring.time(body), leg)) continue;
      if (!out && named === leg.session) leg.remote = assignedAt(ring.octets, body, end);
      if (out && assignedAt(ring.octets, body, end) === leg.session) leg.remote = named;
    }
    return false;
  });
}

function isWithin(at: number, { from, to }: Leg): boolean {
  return at >= from - 1000 && at <= to;
}

function isOut(ring: Ring, body: number): boolean {
  return (ring.flags(body) & FLAG_OUT) !== 0;
}

function isOnLeg(ring: Ring, body: number, legs: readonly Leg[]): boolean {
  const tunnel = ring.tunnel(body);
  for (const leg of legs) if (leg.tunnel === tunnel) return true;
  return false;
}

function isOfCalls(ring: Ring, body: number, legs: readonly Leg[]): boolean {
  for (const leg of legs) if (isOfCall(ring, body, leg)) return true;
  return false;
}

function isOfCall(ring: Ring, body: number, leg: Leg): boolean {
  if (ring.tunnel(body) !== leg.tunnel || !isWithin(ring.time(body), leg)) return false;
  const named = sessionAt(ring.octets, body);
  const out = isOut(ring, body);
  if (named !== 0) return named === (out ? leg.remote : leg.session);
  const end = body + ring.bodyBytes(body);
  const type = typeAt(ring.octets, body, end);
  if (!isRequest(type) && !out) return false;
  // ICRQ, and the CDN of a call whose peer has not said its id
  const assigned = assignedAt(ring.octets, body, end);
  return assigned !== 0 && assigned === (out ? leg.session : leg.remote);
}

function isOfTunnel(ring: Ring, body: number): boolean {
  return TUNNEL_MESSAGES.includes(typeAt(ring.octets, body, body + ring.bodyBytes(body)));
}

function isTunnelNote(ring: Ring, body: number): boolean {
  const kind = ring.octets[body];
  return kind === CALLING || kind === TUNNEL_UP || kind === TUNNEL_DOWN || kind === NOT_REACHED;
}

/** While it was in a tunnel, that tunnel's peer did not answer, or did again: of the longest session, too. */
function isSilenceOf(ring: Ring, body: number, legs: readonly Leg[]): boolean {
  const kind = ring.octets[body];
  if (kind !== NOT_ANSWERING && kind !== ANSWERS && kind !== NOT_REACHED) return false;
  for (const leg of legs) if (leg.tunnel === ring.tunnel(body) && isWithin(ring.time(body), leg)) return true;
  return false;
}

/** Without what was said to bring a tunnel up that was up before he called. */
function withoutFormerLife(around: readonly Trace[], begun: Trace): readonly Trace[] {
  const upAt = new Map<number, number>();
  for (const { note, tunnel, at } of around)
    if (note?.kind === "tunnel-up" && at < begun.at - JUST_BEFORE_MS) upAt.set(tunnel, at);
  return around.filter(({ kind, tunnel, at }) => {
    const up = upAt.get(tunnel);
    // SCCCN leaves with the same turn of the machine as the note is written
    return kind === KIND.pppoe || up === undefined || at > up + JUST_BEFORE_MS;
  });
}

/** Without the discovery of a session that the same host had before. */
function sinceCall(around: readonly Trace[], begun: Trace): readonly Trace[] {
  const last = around.findLastIndex(
    ({ kind, at, number, octets }) =>
      kind === KIND.pppoe &&
      (at < begun.at || number < begun.number) &&
      ENDS.includes(decodePppoe(octets).name),
  );
  return around.filter((trace, i) => trace.kind !== KIND.pppoe || i > last);
}

/** Without the discovery of what the same host has called for since: a session that is replaced ends only after it. */
function untilNextCall(around: readonly Trace[], begun: Trace): readonly Trace[] {
  const ours = Number(begun.note?.fields[2]);
  let isOver = false;
  return around.filter(({ kind, at, number, octets }) => {
    if (kind !== KIND.pppoe || at < begun.at || number < begun.number) return true;
    const packet = parseDiscovery(parseEthernet(octets)?.payload ?? octets);
    if (typeof packet === "string") return !isOver;
    if (packet.code === PADT) return packet.sessionId === ours;
    if (packet.code === PADI) isOver = true;
    return !isOver && (packet.sessionId === NO_SESSION || packet.sessionId === ours);
  });
}
