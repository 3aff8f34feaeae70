import type { Config } from "../config/config.ts";
import { CDN_RESULT, type ResultCode } from "../wire/l2tp-codes.ts";
import type { Surroundings } from "./surroundings.ts";

/** Why a call that a peer offers is not taken. */
type CallRefusal = "draining" | "stopping" | "peer-removed" | "no-room";

/**
 * The way in for calls that come by L2TP. While the gateway drains it is shut: who calls is told by CDN result 4, "lack of
 * appropriate facilities (temporary)", at which a LAC goes to its next LNS (RFC 2661 §4.4.2). Tunnels are taken all the
 * same: a LAC that is refused one holds the LNS for dead for minutes, and in one that stands its first call after the
 * drain gets through.
 */
export class CallDoor {
  readonly #around: Pick<Surroundings, "config" | "logger">;
  #l2tp: Config["l2tp"];
  #peers: ReadonlySet<string>;
  #isShut: boolean;
  readonly #refused: Record<CallRefusal, number> = {
    draining: 0,
    stopping: 0,
    "peer-removed": 0,
    "no-room": 0,
  };

  constructor(around: Pick<Surroundings, "config" | "logger">) {
    this.#around = around;
    this.#l2tp = around.config.l2tp;
    this.#peers = namesOf(this.#l2tp);
    this.#isShut = this.#l2tp.drain;
  }

  /** Goes on with the configuration as it is now. */
  reconfigure(): void {
    const { drain } = this.#l2tp;
    this.#l2tp = this.#around.config.l2tp;
    this.#peers = namesOf(this.#l2tp);
    // what an operator has said since holds, unless the file now says otherwise than it did
    if (this.#l2tp.drain !== drain) this.drain(this.#l2tp.drain);
  }

  /** Takes no new calls, while those that are there go on; or takes calls again. */
  drain(draining: boolean): void {
    if (draining === this.#isShut) return;
    this.#isShut = draining;
    if (this.hasCallers)
      this.#around.logger.info(
        {},
        draining ? "gateway drains: calls by L2TP are refused" : "calls by L2TP are taken again",
      );
  }

  /** Whether any peer of the configuration may call us. */
  get hasCallers(): boolean {
    return this.#l2tp.peers.some(({ role, outgoingCalls }) => role !== "lns" || outgoingCalls === "accept");
  }

  /** Somebody may call us, and is refused. */
  get draining(): boolean {
    return this.#isShut && this.hasCallers;
  }

  /** What a peer's call is refused with, which is counted; undefined when it is to be taken. */
  refusal(peer: string, isStopping: boolean): ResultCode | undefined {
    const result = CDN_RESULT.noFacilitiesNow;
    if (isStopping || !this.#peers.has(peer)) {
      this.refused(isStopping ? "stopping" : "peer-removed");
      return { result };
    }
    if (!this.#isShut) return undefined;
    this.refused("draining");
    return { result, message: "draining: no new calls" };
  }

  refused(why: CallRefusal): void {
    this.#refused[why] += 1;
  }

  counters(): Readonly<Record<CallRefusal, number>> {
    return { ...this.#refused };
  }
}

function namesOf({ peers }: Config["l2tp"]): ReadonlySet<string> {
  return new Set(peers.map(({ name }) => name));
}
