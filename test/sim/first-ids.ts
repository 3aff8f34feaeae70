import type { ChannelSpec } from "../../src/channel/dataplane.ts";

/** Each is one of 2¹⁶ or a little less: of some hundred thousand restarts a handful repeats an id. */
const CHANCE = 4 / 65_536;

/**
 * The first ids that a gateway hands out in each of its lives. They start at random: a peer that still sends on old
 * ids would deliver one customer's traffic to another.
 */
export class FirstIds {
  readonly #seen = new Set<string>();
  readonly #lives = new WeakMap<object, Set<string>>();
  /** Lives in which an id could have been that of an earlier life, and ids that were. */
  compared = 0;
  repeated = 0;

  /** `life`: the data plane of this life of the gateway. */
  note(gateway: string, life: object, spec: ChannelSpec): void {
    if (spec.kind === "pppoe") this.#first(gateway, life, "PPPoE session", spec.sessionId);
    else {
      this.#first(gateway, life, "L2TP tunnel", spec.localTunnelId);
      this.#first(gateway, life, "L2TP session", spec.localSessionId);
    }
  }

  #first(gateway: string, life: object, what: string, id: number): void {
    const known = this.#lives.get(life) ?? new Set<string>();
    this.#lives.set(life, known);
    if (known.has(what)) return;
    known.add(what);
    const subject = `${gateway} ${what}`;
    if (this.#seen.has(subject)) this.compared += 1;
    if (this.#seen.has(`${subject} ${id}`)) this.repeated += 1;
    this.#seen.add(subject).add(`${subject} ${id}`);
  }
}

/** Whether more ids were repeated in many worlds than chance explains. */
export function repeatsTooOften({ compared, repeated }: Pick<FirstIds, "compared" | "repeated">): boolean {
  return repeated > 2 + compared * CHANCE;
}
