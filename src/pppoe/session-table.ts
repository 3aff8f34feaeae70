import type { VlanTag } from "../wire/ethernet.ts";
import type { AcSession } from "./access-concentrator-types.ts";
import { subscriberKey } from "./subscriber-key.ts";

/**
 * The sessions of an access concentrator with the indexes that its packets are looked up by. The sessions
 * are the machine's state; the indexes are rebuilt from them.
 */
export class SessionTable {
  readonly #sessions: Record<number, AcSession>;
  /** Ids of the sessions that are not closed, by subscriber, oldest first. */
  readonly #liveOfSubscriber = new Map<string, Set<number>>();
  readonly #byCookie = new Map<string, number>();
  #liveCount = 0;

  constructor(sessions: Record<number, AcSession>) {
    this.#sessions = sessions;
    for (const session of Object.values(sessions).sort((a, b) => a.serial - b.serial)) this.#index(session);
  }

  /** Sessions that are requested or confirmed. */
  get liveCount(): number {
    return this.#liveCount;
  }

  get(sessionId: number): AcSession | undefined {
    return this.#sessions[sessionId];
  }

  openedBy(cookie: string): AcSession | undefined {
    const id = this.#byCookie.get(cookie);
    return id === undefined ? undefined : this.#sessions[id];
  }

  liveOf(remoteMac: Uint8Array, tags: readonly VlanTag[]): number {
    return this.#liveOfSubscriber.get(subscriberKey(remoteMac, tags))?.size ?? 0;
  }

  oldestLiveOf(remoteMac: Uint8Array, tags: readonly VlanTag[]): AcSession | undefined {
    for (const id of this.#liveOfSubscriber.get(subscriberKey(remoteMac, tags)) ?? [])
      return this.#sessions[id];
    return undefined;
  }

  all(): readonly AcSession[] {
    return Object.values(this.#sessions);
  }

  add(session: AcSession): void {
    this.#sessions[session.sessionId] = session;
    this.#index(session);
  }

  close(session: AcSession): void {
    if (session.phase.kind === "closed") return;
    session.phase = { kind: "closed" };
    this.#liveCount -= 1;
    const subscriber = subscriberKey(session.remoteMac, session.tags);
    const ids = this.#liveOfSubscriber.get(subscriber);
    ids?.delete(session.sessionId);
    if (ids?.size === 0) this.#liveOfSubscriber.delete(subscriber);
  }

  remove(session: AcSession): void {
    this.close(session);
    this.#byCookie.delete(session.cookie);
    delete this.#sessions[session.sessionId];
  }

  #index(session: AcSession): void {
    this.#byCookie.set(session.cookie, session.sessionId);
    if (session.phase.kind === "closed") return;
    this.#liveCount += 1;
    const subscriber = subscriberKey(session.remoteMac, session.tags);
    const ids = this.#liveOfSubscriber.get(subscriber);
    if (ids === undefined) this.#liveOfSubscriber.set(subscriber, new Set([session.sessionId]));
    else ids.add(session.sessionId);
  }
}
