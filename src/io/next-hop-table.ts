import { Deadlines } from "../base/deadlines.ts";
import { type Instant, NEVER } from "../base/time.ts";
import { netlinkErrno, parseNetlinkMessages } from "../wire/rtnetlink.ts";
import { type NetworkEvent, parseNetworkEvent } from "../wire/rtnetlink-event.ts";
import { useNeighbourRequest } from "../wire/rtnetlink-neighbour.ts";
import {
  type Answer,
  type Fact,
  learn,
  linkFact,
  linkKey,
  type NeighbourFact,
  neighbourFact,
  neighbourKey,
  questionKey,
  type RouteFact,
  requestFor,
  routeFact,
} from "./next-hop-facts.ts";
import { concerns } from "./next-hop-relevance.ts";
import {
  type NeighbourAnswer,
  type NextHop,
  type Question,
  resolveNextHop,
  sameResolution,
  type Unresolved,
} from "./next-hop-resolution.ts";

/** Who sees a change waits so long for the next: a route is replaced by taking one away and adding another. */
const COALESCE_MS = 2;
/** Questions that are asked before other things get their turn: some milliseconds of work. */
const QUESTIONS_PER_TURN = 256;
/** In a storm of changes, the share of the time that asking takes is bounded: a question costs some 20 µs. */
const PAUSE_PER_QUESTION_MS = 0.05;
/** The kernel tells nobody what it learns from ICMP (redirects, path MTU). */
const REFRESH_MS = 30_000;
/** A neighbour that does not answer is looked for so often; what was not answered at all is asked again. */
const RETRY_MS = 1000;

const MAX_SEQ = 0xffffffff;

export type NextHopOutput =
  /** A request to the kernel; what it answers goes to answered() with the same number. */
  | { readonly kind: "ask"; readonly seq: number; readonly request: Uint8Array }
  /** The question's next hop is this from now on. */
  | { readonly kind: "changed"; readonly key: string; readonly hop: NextHop | Unresolved };

/** One that is watched. */
interface Watched {
  readonly question: Question;
  /** What its next hop rests on, as far as it could be followed. */
  rests: Set<Fact>;
  told: NextHop | Unresolved | undefined;
}

/**
 * Next hops, as a machine: it takes what the kernel says and the time, and gives requests and changes.
 *
 * Only answers are believed. A notification says no more than that something may be otherwise now, and is followed by
 * a question: answers and notifications overtake each other, and a notification can be lost. What is believed is kept
 * only of routes, links and neighbours that some next hop rests on, so that sixty thousand devices of subscribers and a
 * full routing table cost nothing here.
 */
export class NextHopTable {
  readonly #watched = new Map<string, Watched>();
  readonly #facts = new Map<string, Fact>();
  /** The facts of #facts that are routes. */
  readonly #routes = new Set<RouteFact>();
  readonly #pending = new Map<number, { readonly fact: Fact; readonly use: boolean }>();
  /** To be asked again, in the order in which that was noticed. */
  readonly #doubtful = new Set<Fact>();
  #askAt: Instant = NEVER;
  #notBefore: Instant = -NEVER;
  readonly #timers = new Deadlines<Fact>();
  #seq = 0;

  /** From now on there are changes of this question; a question that is watched already goes on. Returns its key. */
  watch(now: Instant, question: Question): string {
    const key = questionKey(question);
    if (this.#watched.has(key)) return key;
    const watched = { question, rests: new Set<Fact>(), told: undefined };
    this.#watched.set(key, watched);
    this.#doubt(
      this.#restOn(key, () => routeFact(question), key, watched),
      now,
    );
    return key;
  }

  forget(key: string): void {
    const watched = this.#watched.get(key);
    this.#watched.delete(key);
    for (const fact of watched?.rests ?? []) this.#release(fact, key);
  }

  /** Notifications of the groups RTMGRP_NETWORK. */
  heard(now: Instant, parts: Answer): void {
    for (const message of parseNetlinkMessages(parts)) {
      const event = parseNetworkEvent(message);
      if (event !== undefined) this.#happened(now, event);
    }
  }

  /** Notifications were lost: everything may be otherwise. */
  overrun(now: Instant): void {
    for (const fact of this.#facts.values()) this.#doubt(fact, now + COALESCE_MS);
  }

  /** The parts of the kernel's answer to request number `seq`; none when there was no answer. */
  answered(now: Instant, seq: number, answer: Answer): readonly NextHopOutput[] {
    const outputs: NextHopOutput[] = [];
    const pending = this.#pending.get(seq);
    this.#pending.delete(seq);
    // nobody may need it any more
    if (pending === undefined || !this.#knows(pending.fact)) return outputs;
    const { fact, use } = pending;
    if (use) this.#used(fact as NeighbourFact, netlinkErrno(answer) ?? 0, outputs);
    else if (fact.asked === seq) this.#learned(now, fact, answer, outputs);
    return outputs;
  }

  /** When timeout() has something to do. */
  deadline(): Instant {
    return Math.min(this.#askAt, this.#timers.next());
  }

  timeout(now: Instant): readonly NextHopOutput[] {
    for (let fact = this.#timers.popDue(now); fact !== undefined; fact = this.#timers.popDue(now))
      this.#doubt(fact, now);
    const outputs: NextHopOutput[] = [];
    if (now < this.#askAt) return outputs;
    for (const fact of this.#doubtful) {
      if (outputs.length === QUESTIONS_PER_TURN) break;
      this.#doubtful.delete(fact);
      this.#ask(fact, outputs);
    }
    this.#notBefore = now + outputs.length * PAUSE_PER_QUESTION_MS;
    // the rest has been waiting for long enough
    this.#askAt = this.#doubtful.size === 0 ? NEVER : now;
    return outputs;
  }

  #happened(now: Instant, event: NetworkEvent): void {
    if (event.kind === "link") this.#doubtKey(linkKey(event.ifindex), now);
    if (event.kind === "neighbour") this.#doubtKey(neighbourKey(event), now);
    for (const route of this.#routes) if (concerns(event, route)) this.#doubt(route, now + COALESCE_MS);
  }

  #doubtKey(key: string, now: Instant): void {
    const fact = this.#facts.get(key);
    if (fact !== undefined) this.#doubt(fact, now + COALESCE_MS);
  }

  #doubt(fact: Fact, at: Instant): void {
    this.#doubtful.add(fact);
    this.#askAt = Math.min(this.#askAt, Math.max(at, this.#notBefore));
  }

  #ask(fact: Fact, outputs: NextHopOutput[]): void {
    fact.asked = this.#request(fact, false, (seq) => requestFor(fact, seq), outputs);
  }

  #request(fact: Fact, use: boolean, build: (seq: number) => Uint8Array, outputs: NextHopOutput[]): number {
    this.#seq = (this.#seq % MAX_SEQ) + 1;
    this.#pending.set(this.#seq, { fact, use });
    outputs.push({ kind: "ask", seq: this.#seq, request: build(this.#seq) });
    return this.#seq;
  }

  #learned(now: Instant, fact: Fact, answer: Answer, outputs: NextHopOutput[]): void {
    fact.asked = 0;
    if (!learn(fact, answer)) {
      this.#timers.set(fact, now + RETRY_MS);
      return;
    }
    if (fact.kind === "neighbour") {
      if (this.#keepAlive(now, fact, outputs)) return;
    } else this.#timers.set(fact, fact.kind === "route" ? now + REFRESH_MS : NEVER);
    this.#settleUsers(fact, outputs);
  }

  /** Makes the kernel look for who has not answered yet, or not for long. True when more is known as soon as it has. */
  #keepAlive(now: Instant, fact: NeighbourFact, outputs: NextHopOutput[]): boolean {
    const there = isThere(fact.value);
    if (there && !isStale(fact.value)) {
      // it has answered: should it go, it is looked for at once
      fact.useNotBefore = -NEVER;
      this.#timers.clear(fact);
      return false;
    }
    if (now < fact.useNotBefore) {
      this.#timers.set(fact, fact.useNotBefore);
      return false;
    }
    fact.useNotBefore = now + RETRY_MS;
    // of how it ends with one that was stale, the kernel tells
    this.#timers.set(fact, there ? NEVER : now + RETRY_MS);
    this.#request(fact, true, (seq) => useNeighbourRequest(seq, fact.subject), outputs);
    return !there;
  }

  /** The kernel has been made to look for a neighbour, or would not. */
  #used(fact: NeighbourFact, errno: number, outputs: NextHopOutput[]): void {
    if (isThere(fact.value)) return;
    if (errno === 0) {
      this.#ask(fact, outputs);
      return;
    }
    fact.value = { refused: errno };
    this.#settleUsers(fact, outputs);
  }

  #settleUsers(fact: Fact, outputs: NextHopOutput[]): void {
    for (const key of [...fact.users]) this.#settle(key, this.#watched.get(key)!, outputs);
  }

  /** Follows a question as far as is known, asks for what is not, and says what has become of it. */
  #settle(key: string, watched: Watched, outputs: NextHopOutput[]): void {
    const before = watched.rests;
    watched.rests = new Set();
    const value = <Known extends Fact>(factKey: string, make: () => Known): Known["value"] => {
      const known = this.#restOn(factKey, make, key, watched);
      if (known.value === undefined && known.asked === 0) this.#ask(known, outputs);
      return known.value;
    };
    const hop = resolveNextHop(watched.question, {
      route: (question) => value(key, () => routeFact(question)),
      link: (ifindex) => value(linkKey(ifindex), () => linkFact(ifindex)),
      neighbour: (at) => value(neighbourKey(at), () => neighbourFact(at)),
    });
    for (const fact of before) if (!watched.rests.has(fact)) this.#release(fact, key);
    if (hop === undefined) return;
    if (watched.told !== undefined && sameResolution(watched.told, hop)) return;
    watched.told = hop;
    outputs.push({ kind: "changed", key, hop });
  }

  /** The fact of this key, a new one if need be, on which the question `key` rests from now on. */
  #restOn<Known extends Fact>(factKey: string, make: () => Known, key: string, watched: Watched): Known {
    // a key begins with the kind
    let known = this.#facts.get(factKey) as Known | undefined;
    if (known === undefined) {
      known = make();
      this.#facts.set(factKey, known);
      if (known.kind === "route") this.#routes.add(known);
    }
    known.users.add(key);
    watched.rests.add(known);
    return known;
  }

  #release(fact: Fact, key: string): void {
    fact.users.delete(key);
    if (fact.users.size > 0) return;
    this.#facts.delete(fact.key);
    if (fact.kind === "route") this.#routes.delete(fact);
    this.#doubtful.delete(fact);
    this.#timers.clear(fact);
  }

  #knows(fact: Fact): boolean {
    return this.#facts.get(fact.key) === fact;
  }
}

function isThere(value: NeighbourAnswer | undefined): boolean {
  return typeof value === "object" && "mac" in value;
}

function isStale(value: NeighbourAnswer | undefined): boolean {
  return typeof value === "object" && "state" in value && value.state === "stale";
}
