/** A session that nobody has called for: an engine's table and the generator are told of it by the same file. */
export interface BareSession {
  readonly mac: string;
  readonly pppoeSessionId: number;
  /** What the LNS has called them: they stand in what goes to it. */
  readonly lnsTunnel: number;
  readonly lnsSession: number;
  readonly lacTunnel: number;
  readonly lacSession: number;
  /** Of the LNSes, counted from 0. */
  readonly peer: number;
}

/** Session ids are 16 bits wide, and 0 and 0xffff are nobody's (RFC 2516 §4). */
export const MOST_BARE_SESSIONS = 65_534;
const LNS_TUNNEL = 100;
const LAC_TUNNEL = 200;

/** The first `count` of them, all of the first LNS. Throws a RangeError above MOST_BARE_SESSIONS. */
export function bareSessions(count: number): readonly BareSession[] {
  if (count > MOST_BARE_SESSIONS) throw new RangeError(`no more than ${MOST_BARE_SESSIONS} sessions`);
  return Array.from({ length: count }, (_, i) => ({
    mac: `02:00:00:00:${octet((i + 1) >>> 8)}:${octet(i + 1)}`,
    pppoeSessionId: i + 1,
    lnsTunnel: LNS_TUNNEL,
    lnsSession: i + 1,
    lacTunnel: LAC_TUNNEL,
    lacSession: i + 1,
    peer: 0,
  }));
}

/** The file that names them for the generator (bench/xdp/sessions.h). */
export function sessionsText(sessions: readonly BareSession[]): string {
  return sessions
    .map(({ mac, pppoeSessionId, lnsTunnel, lnsSession, lacTunnel, lacSession, peer }) => {
      const ids = [pppoeSessionId, lnsTunnel, lnsSession, lacTunnel, lacSession, peer];
      return `${mac} ${ids.join(" ")}\n`;
    })
    .join("");
}

/** The opposite of sessionsText(). Throws a TypeError for a line that is no session. */
export function parseSessions(text: string): readonly BareSession[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [mac = "", ...rest] = line.split(" ");
      const ids = rest.map(Number);
      if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/.test(mac) || ids.length !== 6 || !ids.every(isId))
        throw new TypeError(`this is no session: "${line}"`);
      const [pppoeSessionId, lnsTunnel, lnsSession, lacTunnel, lacSession, peer] = ids as Ids;
      return { mac, pppoeSessionId, lnsTunnel, lnsSession, lacTunnel, lacSession, peer };
    });
}

type Ids = [number, number, number, number, number, number];

function isId(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff;
}

function octet(value: number): string {
  return (value & 0xff).toString(16).padStart(2, "0");
}
