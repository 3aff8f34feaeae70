import type { ActiveCall, CallEnd } from "./call.ts";

/** The calls in all tunnels, by the ids of ours. */
export class CallTable {
  readonly #calls = new Map<number, ActiveCall>();
  /** Calls that have ended and have not been told. */
  #ends: { readonly call: ActiveCall; readonly end: CallEnd }[] = [];

  add(call: ActiveCall): void {
    this.#calls.set(callKey(call.tunnel, call.session), call);
  }

  get(tunnel: number, session: number): ActiveCall | undefined {
    return this.#calls.get(callKey(tunnel, session));
  }

  /** Its ids may be another call's by now. */
  forget(call: ActiveCall): void {
    const key = callKey(call.tunnel, call.session);
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }

  /** A call has ended, which tellEnds() tells it; nothing when we hung up: we were the first to know. */
  end(tunnel: number, session: number, end: CallEnd): void {
    const call = this.get(tunnel, session);
    if (call?.finish()) this.#ends.push({ call, end });
  }

  /** To be called once everything that came with the ends is done: another tunnel may have come up. */
  tellEnds(): void {
    while (this.#ends.length > 0) {
      const ends = this.#ends;
      this.#ends = [];
      for (const { call, end } of ends) call.handler?.ended(end);
    }
  }
}

/** Session ids are unique in their tunnel only. */
function callKey(tunnel: number, session: number): number {
  return tunnel * 0x10000 + session;
}
