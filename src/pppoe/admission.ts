import { type Instant, NEVER } from "../base/time.ts";

/** How many calls may be set up at a time. */
export interface AdmissionLimits {
  /**
   * Sessions whose PADS is sent, or soon will be, and whose PPP has not begun: what there may be at first, and the least
   * and the most that it is adapted to.
   */
  readonly initialStarting: number;
  readonly minStarting: number;
  readonly maxStarting: number;
  /** Sessions that are not complete, those that start included. */
  readonly maxSetUps: number;
  /** Such a delay between PADS and PPP, even of the quickest host, means that more is started than gets done. */
  readonly startDelayMs: number;
  /** A host that has not begun PPP after this long takes no place among the starting ones. */
  readonly startTimeoutMs: number;
  /** PADIs, and PADRs, that may wait for their turn. */
  readonly waitingPadis: number;
  readonly waitingPadrs: number;
  /** A PADR that has not been repeated for longer is forgotten: the host has gone back to PADI. */
  readonly padrPatienceMs: number;
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  initialStarting: 128,
  minStarting: 32,
  maxStarting: 2048,
  maxSetUps: 16_384,
  startDelayMs: 150,
  startTimeoutMs: 1000,
  waitingPadis: 16_384,
  waitingPadrs: 4_096,
  padrPatienceMs: 4_000,
};

/** The window is looked at so often. */
const TICK_MS = 100;
/** An offer that has led to no PADR for so long will not. Counted in slots, by the time of the offer. */
const OFFER_LIFE_MS = 1000;
const OFFER_SLOTS = 8;
const OFFER_SLOT_MS = OFFER_LIFE_MS / OFFER_SLOTS;
/** Of a flood of PADIs under made-up addresses hardly an offer is taken; it must not keep others waiting. */
const LEAST_YIELD = 1 / 1024;
const YIELD_WEIGHT = 1 / 32;
/** What offers that nobody took in time tell at most, at one look: their hosts may be slow, and not made up. */
const LEAST_LOOK_YIELD = 1 / 16;
const DECREASE = 0.7;
const INCREASE = 1 / 8;

/** Plain data. */
export interface AdmissionState {
  /** Sessions that may be starting at a time; not whole. */
  window: number;
  starting: number;
  setUps: number;
  /** Offers without a PADR, by OFFER_SLOT_MS, and the slot (time / OFFER_SLOT_MS) up to which older ones are forgotten. */
  readonly offers: number[];
  offerSlot: number;
  outstanding: number;
  /** The part of the offers that is taken. */
  yield: number;
  tickAt: Instant;
  /** Shortest delay between PADS and PPP since the last tick. */
  leastDelayMs: number;
  /** Somebody had to wait for the window since the last tick. */
  wanted: boolean;
  /** What is seen until then comes of what was admitted before the window shrank. */
  settlesAt: Instant;
}

export function newAdmission(limits: AdmissionLimits): AdmissionState {
  return {
    window: limits.initialStarting,
    starting: 0,
    setUps: 0,
    offers: new Array<number>(OFFER_SLOTS).fill(0),
    offerSlot: 0,
    outstanding: 0,
    yield: 1,
    tickAt: NEVER,
    leastDelayMs: NEVER,
    wanted: false,
    settlesAt: 0,
  };
}

/**
 * Who may begin, so that what is begun gets finished. The number of sessions that are starting is a window: it shrinks
 * by a part when the host that was heard soonest after its PADS was heard late (or we are woken late: either way there is
 * a queue before us), and grows by a part while somebody waits for it and nothing is late: hosts
 * that stay silent keep nobody out.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #state: AdmissionState;

  constructor(limits: AdmissionLimits, state: AdmissionState) {
    this.#limits = limits;
    this.#state = state;
  }

  /** Whether a PADR may open a session now. */
  mayBegin(): boolean {
    const s = this.#state;
    const may = s.starting < Math.floor(s.window) && s.setUps < this.#limits.maxSetUps;
    if (!may) s.wanted = true;
    return may;
  }

  /** Whether a PADI may be answered now, while `waiting` PADRs wait for their turn. */
  mayOffer(now: Instant, waiting: number): boolean {
    this.#forgetOffers(now);
    const s = this.#state;
    const coming = waiting + s.outstanding * s.yield;
    const may = s.starting + coming < Math.floor(s.window) && s.setUps + coming < this.#limits.maxSetUps;
    if (!may) s.wanted = true;
    return may;
  }

  /** A PADO goes out. */
  offered(now: Instant): void {
    this.#forgetOffers(now);
    this.#state.offers[this.#state.offerSlot % OFFER_SLOTS]! += 1;
    this.#state.outstanding += 1;
  }

  /** The first PADR with the cookie of an offer made `ageMs` ago. */
  taken(now: Instant, ageMs: number): void {
    this.#forgetOffers(now);
    const s = this.#state;
    const slot = Math.floor(Math.max(0, now - ageMs) / OFFER_SLOT_MS);
    const at = slot % OFFER_SLOTS;
    const late = slot <= s.offerSlot - OFFER_SLOTS;
    // it has counted as lost, and was not
    if (late) s.yield = Math.min(1, s.yield / (1 - YIELD_WEIGHT));
    s.yield += (1 - s.yield) * YIELD_WEIGHT;
    if (late || (s.offers[at] ?? 0) === 0) return;
    s.offers[at]! -= 1;
    s.outstanding -= 1;
  }

  begin(): void {
    this.#state.starting += 1;
    this.#state.setUps += 1;
  }

  /** PPP has begun, `delayMs` after PADS; undefined when it has not, and nobody waits for it any more. */
  started(delayMs?: number): void {
    const s = this.#state;
    s.starting -= 1;
    if (delayMs !== undefined && delayMs < s.leastDelayMs) s.leastDelayMs = delayMs;
  }

  /** A session is complete, or over. */
  finished(): void {
    this.#state.setUps -= 1;
  }

  deadline(): Instant {
    return this.#state.tickAt;
  }

  /** Something waits, or starts: the window is looked at until nothing does. */
  watch(now: Instant): void {
    if (this.#state.tickAt === NEVER) this.#state.tickAt = now + TICK_MS;
  }

  /** Nothing waits. */
  rest(): void {
    if (this.#state.starting === 0) this.#state.tickAt = NEVER;
  }

  /** `waiting`: PADIs and PADRs wait for their turn. */
  tick(now: Instant, waiting: boolean): void {
    const s = this.#state;
    if (now < s.tickAt) return;
    const { minStarting, maxStarting, startDelayMs } = this.#limits;
    const lateMs = Math.max(now - s.tickAt, s.leastDelayMs === NEVER ? 0 : s.leastDelayMs);
    if (lateMs > startDelayMs) {
      if (now >= s.settlesAt) {
        s.window = Math.max(minStarting, s.window * DECREASE);
        s.settlesAt = now + lateMs;
      }
    } else if (s.wanted) {
      s.window = Math.min(maxStarting, s.window * (1 + INCREASE));
    }
    s.leastDelayMs = NEVER;
    s.wanted = false;
    s.tickAt = waiting || s.starting > 0 ? now + TICK_MS : NEVER;
  }

  /** 0 when nothing is being set up, 1 when as much is as may be. */
  get load(): number {
    const { starting, window, setUps } = this.#state;
    return Math.min(1, Math.max(starting / window, setUps / this.#limits.maxSetUps));
  }

  #forgetOffers(now: Instant): void {
    const s = this.#state;
    const slot = Math.floor(Math.max(0, now) / OFFER_SLOT_MS);
    if (slot <= s.offerSlot) return;
    const first = Math.max(s.offerSlot + 1, slot - OFFER_SLOTS + 1);
    let lost = 0;
    for (let i = first; i <= slot; i++) {
      lost += s.offers[i % OFFER_SLOTS]!;
      s.offers[i % OFFER_SLOTS] = 0;
    }
    s.outstanding -= lost;
    // several slots at once: we were late ourselves, and their PADRs may be in our socket
    s.yield = Math.max(LEAST_YIELD, s.yield * Math.max(LEAST_LOOK_YIELD, (1 - YIELD_WEIGHT) ** lost));
    s.offerSlot = slot;
  }
}
