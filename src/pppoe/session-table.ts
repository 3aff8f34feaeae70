import { macNumber, type VlanTag } from "../wire/ethernet.ts";
import type { AcSession } from "./access-concentrator-types.ts";
import { packTags, sessionKey, vlanScope } from "./vlan-scope.ts";

/** What makes a session of a port unmistakable: its id and its VLANs, as one number. */
export function keyOf(session: AcSession): number {
  return sessionKey(vlanScope(session.vlans), session.sessionId);
}

const NONE: readonly AcSession[] = [];

/**
 * The sessions of an access concentrator with the indexes that its packets are looked up by. The sessions
 * are the machine's state; the indexes are rebuilt from them.
 */
export class SessionTable {
  readonly #sessions: Record<number, AcSession>;
  /** Oldest first; most addresses have one session, which needs no list. */
  readonly #byMac = new Map<number, AcSession | AcSession[]>();
  #liveCount = 0;

  constructor(sessions: Record<number, AcSession>) {
    this.#sessions = sessions;
    for (const session of Object.values(sessions).sort((a, b) => a.serial - b.serial)) this.#index(session);
  }

  /** Sessions that are not closed. */
  get liveCount(): number {
    return this.#liveCount;
  }

  get(key: number): AcSession | undefined {
    return this.#sessions[key];
  }

  has(key: number): boolean {
    return this.#sessions[key] !== undefined;
  }

  /** The sessions of one address in one VLAN, oldest first; closed ones too. */
  of(remoteMac: Uint8Array, tags: readonly VlanTag[]): readonly AcSession[] {
    const found = this.#byMac.get(macNumber(remoteMac));
    if (found === undefined) return NONE;
    const scope = vlanScope(packTags(tags));
    const all = Array.isArray(found) ? found : [found];
    return all.filter((session) => vlanScope(session.vlans) === scope);
  }

  all(): readonly AcSession[] {
    return Object.values(this.#sessions);
  }

  add(session: AcSession): void {
    this.#sessions[keyOf(session)] = session;
    this.#index(session);
  }

  close(session: AcSession): void {
    if (session.phase.kind === "closed") return;
    session.phase = { kind: "closed" };
    this.#liveCount -= 1;
  }

  remove(session: AcSession): void {
    this.close(session);
    const found = this.#byMac.get(session.mac);
    const left = Array.isArray(found) ? found.filter((other) => other !== session) : NONE;
    if (left.length === 0) this.#byMac.delete(session.mac);
    else this.#byMac.set(session.mac, left.length === 1 ? left[0]! : [...left]);
    delete this.#sessions[keyOf(session)];
  }

  #index(session: AcSession): void {
    const found = this.#byMac.get(session.mac);
    if (found === undefined) this.#byMac.set(session.mac, session);
    else if (Array.isArray(found)) found.push(session);
    else this.#byMac.set(session.mac, [found, session]);
    if (session.phase.kind !== "closed") this.#liveCount += 1;
  }
}
