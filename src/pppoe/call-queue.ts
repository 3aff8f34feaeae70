import { type Instant, NEVER } from "../base/time.ts";
import type { AccessConcentratorState, WaitingCall } from "./access-concentrator-types.ts";
import type { Admission, AdmissionLimits } from "./admission.ts";
import { WaitingLine } from "./waiting-line.ts";

/** A host that has waited so long for the answer to a PADI has asked again, or has given up. */
const PADI_PATIENCE_MS = 30_000;

/** Whose turn it is: to get an offer, to get a session, or, having waited for too long, to be forgotten. */
export interface Turn {
  readonly kind: "offer" | "session" | "late";
  readonly call: WaitingCall;
}

type QueueState = Pick<AccessConcentratorState, "padis" | "padrs" | "serveAt">;

/**
 * PADIs and PADRs that wait for their turn. PADRs go first: who has an offer is nearer to a session than who has none.
 * Whoever waits is served when something becomes free, when his time has come, or when the admission's tick lets more in.
 */
export class CallQueue {
  readonly #state: QueueState;
  readonly #admission: Admission;
  readonly #padrPatienceMs: number;
  readonly #padis: WaitingLine<WaitingCall>;
  readonly #padrs: WaitingLine<WaitingCall>;

  constructor(limits: AdmissionLimits, state: QueueState, admission: Admission) {
    this.#state = state;
    this.#admission = admission;
    this.#padrPatienceMs = limits.padrPatienceMs;
    this.#padis = new WaitingLine(state.padis, limits.waitingPadis);
    this.#padrs = new WaitingLine(state.padrs, limits.waitingPadrs);
  }

  get waitingPadis(): number {
    return this.#padis.length;
  }

  get waitingPadrs(): number {
    return this.#padrs.length;
  }

  /** Whether a PADI may be answered at once: nobody waits before it. */
  mayOffer(): boolean {
    return this.#padis.length === 0 && this.#admission.mayOffer(this.#padrs.length);
  }

  /** Whether a PADR may open a session at once. */
  mayBegin(): boolean {
    return this.#padrs.length === 0 && this.#admission.mayBegin();
  }

  padi(key: string): WaitingCall | undefined {
    return this.#padis.get(key);
  }

  padr(key: string): WaitingCall | undefined {
    return this.#padrs.get(key);
  }

  /** False when there is no room; one with the same key takes its place. */
  putPadi(now: Instant, call: WaitingCall): boolean {
    const put = this.#padis.put(call);
    this.#await(now);
    return put;
  }

  putPadr(now: Instant, call: WaitingCall): boolean {
    const put = this.#padrs.put(call);
    this.#await(now);
    return put;
  }

  forgetPadis(): void {
    this.#padis.clear();
  }

  /** Takes out whose turn it is; undefined, and a deadline, when that is nobody. */
  next(now: Instant): Turn | undefined {
    const padr = this.#padrs.first();
    if (padr !== undefined) {
      const late = now - padr.since > this.#padrPatienceMs;
      if (late || this.#admission.mayBegin()) {
        this.#padrs.shift();
        return { kind: late ? "late" : "session", call: padr };
      }
    }
    const padi = this.#padis.first();
    if (padi !== undefined) {
      const late = now - padi.since > PADI_PATIENCE_MS;
      if (late || (padi.notBefore <= now && this.#admission.mayOffer(this.#padrs.length))) {
        this.#padis.shift();
        return { kind: late ? "late" : "offer", call: padi };
      }
    }
    this.#state.serveAt = NEVER;
    this.#await(now);
    return undefined;
  }

  /** Something has become free. */
  soon(now: Instant): void {
    if (this.#someWait()) this.#state.serveAt = Math.min(this.#state.serveAt, now);
    else this.#admission.rest();
  }

  deadline(): Instant {
    return Math.min(this.#admission.deadline(), this.#state.serveAt);
  }

  /** Whether it is time to ask for the next ones. */
  isDue(now: Instant): boolean {
    const ticks = this.#admission.deadline() <= now;
    if (ticks) this.#admission.tick(now, this.#someWait());
    return ticks || this.#state.serveAt <= now;
  }

  #await(now: Instant): void {
    if (!this.#someWait()) return;
    this.#admission.watch(now);
    const notBefore = this.#padis.first()?.notBefore ?? now;
    if (notBefore > now) this.#state.serveAt = Math.min(this.#state.serveAt, notBefore);
  }

  #someWait(): boolean {
    return this.#padis.length > 0 || this.#padrs.length > 0;
  }
}
