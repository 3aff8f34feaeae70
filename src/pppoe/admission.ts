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
  /** PADIs, and PADRs, that may wait for their turn; with half as many PADRs no more PADIs are answered. */
  readonly waitingPadis: number;
  readonly waitingPadrs: number;
  /** A PADR that has not been repeated for longer is forgotten: the host has gone back to PADI. */
  readonly padrPatienceMs: number;
}

export const DEFAULT_ADMISSION_LIMITS: AdmissionLimits = {
  initialStarting: 128,
  minStarting: 64,
  maxStarting: 2048,
  maxSetUps: 16_384,
  startDelayMs: 150,
  startTimeoutMs: 1000,
  waitingPadis: 16_384,
  waitingPadrs: 32_768,
  // CPEs repeat it after 5 s, and after 10 s more
  padrPatienceMs: 12_000,
};

/** The window is looked at so often. */
const TICK_MS = 100;
const DECREASE = 0.7;
const INCREASE = 1 / 8;

/** Plain data. */
export interface AdmissionState {
  /** Sessions that may be starting at a time; not whole. */
  window: number;
  starting: number;
  setUps: number;
  tickAt: Instant;
  /** Shortest delay between PADS and PPP since the last tick. */
  leastDelayMs: number;
  /** When PPP was last heard on a session that was starting. */
  heardAt: Instant;
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
    tickAt: NEVER,
    leastDelayMs: NEVER,
    heardAt: -NEVER,
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

  /**
   * Whether a PADI may be answered now, while `waiting` PADRs wait for their turn. Offers hold no place: a PADR is made
   * for each within the CPE's patience, or never, as after PADIs under made-up addresses.
   */
  mayOffer(waiting: number): boolean {
    return waiting < this.#limits.waitingPadrs / 2 && this.#state.setUps < this.#limits.maxSetUps;
  }

  begin(): void {
    this.#state.starting += 1;
    this.#state.setUps += 1;
  }

  /** PPP has begun, `delayMs` after PADS; undefined when it has not, and nobody waits for it any more. */
  started(now: Instant, delayMs?: number): void {
    const s = this.#state;
    s.starting -= 1;
    if (delayMs === undefined) return;
    s.heardAt = now;
    if (delayMs < s.leastDelayMs) s.leastDelayMs = delayMs;
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
    const { minStarting, maxStarting, startDelayMs, startTimeoutMs } = this.#limits;
    const lateMs = Math.max(now - s.tickAt, s.leastDelayMs === NEVER ? 0 : s.leastDelayMs);
    if (lateMs > startDelayMs) {
      if (now >= s.settlesAt) {
        s.window = Math.max(minStarting, s.window * DECREASE);
        s.settlesAt = now + lateMs;
      }
    } else if (s.wanted && (s.leastDelayMs !== NEVER || now - s.heardAt > startTimeoutMs)) {
      // somebody was heard soon; or nobody at all: what waits behind silent hosts must not wait for them
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
}
