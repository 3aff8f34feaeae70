import { fromUtf8 } from "../base/bytes.ts";
import { Deadlines } from "../base/deadlines.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { macNumber, macOctets } from "../wire/ethernet.ts";
import type {
  AccessConcentratorConfig,
  AccessConcentratorOutput,
  AccessConcentratorState,
  AcSession,
  RefusalReason,
  RequestEcho,
  SessionEnd,
  WaitingCall,
} from "./access-concentrator-types.ts";
import type { Admission } from "./admission.ts";
import type { Answerer, Station } from "./answerer.ts";
import type { CallQueue } from "./call-queue.ts";
import { SessionIds } from "./session-ids.ts";
import { keyOf, SessionTable } from "./session-table.ts";
import { packTags, unpackTags, vlanScope } from "./vlan-scope.ts";

type Outputs = readonly AccessConcentratorOutput[];
const NOTHING: Outputs = [];

/** One for all sessions without anything to say. */
const RUNNING = { kind: "running" } as const;

/** The parts of a concentrator that sessions have to do with. */
export interface SessionSurroundings {
  readonly answerer: Answerer;
  readonly admission: Admission;
  readonly queue: CallQueue;
}

/** The sessions of an access concentrator, from the PADR that opens one until its owner is done with it. */
export class CallSessions {
  readonly table: SessionTable;
  readonly #limits: AccessConcentratorConfig["limits"];
  readonly #state: AccessConcentratorState;
  readonly #answerer: Answerer;
  readonly #admission: Admission;
  readonly #queue: CallQueue;
  readonly #ids: SessionIds;
  readonly #deadlines = new Deadlines<number>();

  constructor(
    limits: AccessConcentratorConfig["limits"],
    state: AccessConcentratorState,
    { answerer, admission, queue }: SessionSurroundings,
  ) {
    this.#limits = limits;
    this.#state = state;
    this.#answerer = answerer;
    this.#admission = admission;
    this.#queue = queue;
    this.table = new SessionTable(state.sessions);
    const sessions = this.table.all();
    const scopes = sessions.map(({ vlans, sessionId }) => ({ scope: vlanScope(vlans), sessionId }));
    this.#ids = new SessionIds(state.ids, scopes, (key) => this.table.has(key));
    for (const session of sessions) {
      const { phase } = session;
      if (phase.kind === "requested") this.#deadlines.set(keyOf(session), phase.confirmBy);
      if (phase.kind === "confirmed") this.#deadlines.set(keyOf(session), phase.startBy);
    }
  }

  /** Asks the owner for the session of a PADR whose turn has come, or says why there is none. */
  open(now: Instant, call: WaitingCall): Outputs {
    const { cookie, remoteMac, tags, echo, line } = call;
    const refuse = (reason: RefusalReason, text: string): Outputs =>
      this.#answerer.refusal(call, echo, reason, text);
    const live = this.table.of(remoteMac, tags).filter(({ phase }) => phase.kind !== "closed");
    const surplus = Math.max(0, live.length - this.#limits.maxSessionsPerMac + 1);
    if (surplus > 0 && this.#limits.atMacLimit === "refuse")
      return refuse("sessions-of-mac", "too many sessions from this address");
    if (this.table.liveCount - surplus >= this.#limits.maxSessions)
      return refuse("sessions-of-port", "session limit reached");
    const vlans = packTags(tags);
    const sessionId = this.#ids.take(vlanScope(vlans));
    if (sessionId === undefined) return refuse("no-session-id", "no session id is free");

    const outputs = live.slice(0, surplus).flatMap((oldest) => this.#replace(now, oldest));
    const confirmBy = now + this.#limits.confirmTimeoutMs;
    const session: AcSession = {
      sessionId,
      mac: macNumber(remoteMac),
      vlans,
      serial: this.#state.nextSessionSerial++,
      cookie,
      settingUp: true,
      phase: { kind: "requested", echo, confirmBy },
    };
    const number = keyOf(session);
    this.table.add(session);
    this.#admission.begin();
    this.#admission.watch(now);
    this.#deadlines.set(number, confirmBy);
    outputs.push({
      kind: "session-requested",
      session: number,
      sessionId,
      remoteMac,
      tags,
      serviceName: fromUtf8(echo.serviceName),
      ...(echo.hostUniq && { hostUniq: echo.hostUniq }),
      ...(line && { line }),
      ...(echo.maxPayloadBytes !== undefined && { maxPayloadBytes: echo.maxPayloadBytes }),
    });
    return outputs;
  }

  /** The PADR of a session that is there: its PADS was lost, or is not yet due. */
  repeat(session: AcSession, echo: RequestEcho): Outputs {
    switch (session.phase.kind) {
      case "requested":
        session.phase = { ...session.phase, echo };
        return NOTHING;
      case "confirmed":
        session.phase = { ...session.phase, echo };
        return this.#answerer.confirmation(stationOf(session), echo, session.sessionId);
      case "running":
        return NOTHING; // a copy that comes late: the host has its PADS
      case "closed":
        return this.#answerer.discard("closing");
    }
  }

  confirm(now: Instant, number: number): Outputs {
    const session = this.table.get(number);
    if (session?.phase.kind !== "requested") return NOTHING;
    const { echo } = session.phase;
    const startBy = now + this.#limits.admission.startTimeoutMs;
    session.phase = { kind: "confirmed", echo, padsAt: now, startBy };
    this.#deadlines.set(number, startBy);
    return this.#answerer.confirmation(stationOf(session), echo, session.sessionId);
  }

  refuse(now: Instant, number: number, text: string): Outputs {
    if (this.table.get(number)?.phase.kind !== "requested") return NOTHING;
    const outputs = this.close(now, number, text);
    this.ended(now, number);
    return outputs;
  }

  heard(now: Instant, number: number): void {
    const session = this.table.get(number);
    if (session?.phase.kind !== "confirmed") return;
    const { startBy, padsAt, echo } = session.phase;
    if (startBy !== NEVER) this.#admission.started(now, now - padsAt);
    this.#deadlines.clear(number);
    const { relaySessionId } = echo;
    session.phase = relaySessionId === undefined ? RUNNING : { kind: "running", relaySessionId };
    this.#queue.soon(now);
  }

  established(now: Instant, number: number): void {
    const session = this.table.get(number);
    if (session === undefined || !session.settingUp) return;
    session.settingUp = false;
    this.#admission.finished();
    this.#queue.soon(now);
  }

  close(now: Instant, number: number, text?: string): Outputs {
    const session = this.table.get(number);
    if (session === undefined || session.phase.kind === "closed") return NOTHING;
    return this.#tellEnd(now, session, text, "no-resources");
  }

  /** The host says that a session is over. */
  closedByPeer(now: Instant, session: AcSession, text?: string): Outputs {
    this.#leave(now, session);
    return [closed(session, "peer", text)];
  }

  ended(now: Instant, number: number): void {
    const session = this.table.get(number);
    if (session === undefined) return;
    this.#leave(now, session);
    this.table.remove(session);
    this.#ids.release(vlanScope(session.vlans), session.sessionId);
  }

  deadline(): Instant {
    return this.#deadlines.next();
  }

  /** Gives up on what the owner has not confirmed, and holds nobody back for hosts that stay silent. */
  timeout(now: Instant): Outputs {
    let outputs: AccessConcentratorOutput[] | undefined;
    for (let key = this.#deadlines.popDue(now); key !== undefined; key = this.#deadlines.popDue(now)) {
      const session = this.table.get(key)!;
      const { phase } = session;
      if (phase.kind === "confirmed") {
        session.phase = { ...phase, startBy: NEVER };
        this.#admission.started(now);
        this.#queue.soon(now);
        continue;
      }
      this.#state.counters.requestsUnconfirmed += 1;
      const text = "the session could not be set up in time";
      outputs ??= [];
      outputs.push(...this.#tellEnd(now, session, text, "not-set-up-in-time"));
      outputs.push(closed(session, "unconfirmed"));
    }
    return outputs ?? NOTHING;
  }

  #replace(now: Instant, oldest: AcSession): Outputs {
    this.#state.counters.sessionsReplaced += 1;
    // the host of an unconfirmed request has moved on: a refusal could hit its new one
    if (oldest.phase.kind === "requested") this.#leave(now, oldest);
    const told = this.#tellEnd(now, oldest, "replaced by a new session", "no-resources");
    return [...told, closed(oldest, "replaced")];
  }

  /** Closes a session and tells its host, as far as the host knows of it; nothing when it is closed. */
  #tellEnd(now: Instant, session: AcSession, text: string | undefined, reason: RefusalReason): Outputs {
    const { phase, sessionId } = session;
    const host = stationOf(session);
    this.#leave(now, session);
    if (phase.kind === "closed") return NOTHING;
    if (phase.kind === "requested")
      return this.#answerer.refusal(host, phase.echo, reason, text ?? "the session was ended");
    const relaySessionId = phase.kind === "running" ? phase.relaySessionId : phase.echo.relaySessionId;
    return this.#answerer.termination(host, sessionId, text, relaySessionId);
  }

  /** Closes a session, and gives back its place among those that are set up. */
  #leave(now: Instant, session: AcSession): void {
    const { phase } = session;
    if (phase.kind === "requested" || (phase.kind === "confirmed" && phase.startBy !== NEVER))
      this.#admission.started(now);
    if (session.settingUp) this.#admission.finished();
    session.settingUp = false;
    this.#deadlines.clear(keyOf(session));
    this.table.close(session);
    this.#queue.soon(now);
  }
}

function stationOf({ mac, vlans }: AcSession): Station {
  return { remoteMac: macOctets(mac), tags: unpackTags(vlans) };
}

function closed(session: AcSession, by: SessionEnd, text?: string): AccessConcentratorOutput {
  return {
    kind: "session-closed",
    session: keyOf(session),
    sessionId: session.sessionId,
    by,
    ...(text !== undefined && { text }),
  };
}
