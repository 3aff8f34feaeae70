import type { L2tpEndpoint } from "../l2tp/endpoint.ts";
import type { L2tpOutput } from "../l2tp/outputs.ts";
import type { PeerBook } from "./peer-book.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TunnelNews } from "./tunnel-news.ts";
import type { TunnelOwner } from "./tunnel-owner.ts";
import type { TunnelPool } from "./tunnel-pool.ts";

type Unanswered = Extract<L2tpOutput, { kind: "tunnel-unanswered" }>;
type Answered = Extract<L2tpOutput, { kind: "tunnel-answered" }>;

interface Parts {
  readonly endpoint: L2tpEndpoint;
  readonly peers: PeerBook;
  readonly pool: TunnelPool;
  readonly news: TunnelNews;
  readonly owner: TunnelOwner;
}

/** Tunnels that are up and in which nothing is acknowledged: who is told, and what it means for calls. */
export class TunnelSilence {
  readonly #around: Pick<Surroundings, "clock">;
  readonly #parts: Parts;

  constructor(around: Pick<Surroundings, "clock">, parts: Parts) {
    this.#around = around;
    this.#parts = parts;
  }

  noted(output: Unanswered | Answered): void {
    if (output.kind === "tunnel-unanswered") this.#began(output);
    else this.#ended(output);
  }

  /** Calls go elsewhere meanwhile, where there is somebody else; those that are open are only told of. */
  #began(output: Unanswered): void {
    const { tunnel, peerName } = output;
    const { news, pool, owner } = this.#parts;
    const now = this.#around.clock.now();
    news.unanswered(output);
    pool.silent(now, tunnel);
    if (this.#isLns(peerName) && !pool.isAnySpeaking(now, peerName)) owner.silent(peerName);
  }

  #ended(output: Answered): void {
    const { tunnel, peerName } = output;
    const { news, pool, owner } = this.#parts;
    news.answersAgain(output);
    pool.speaks(tunnel);
    if (this.#isLns(peerName)) owner.reachable(peerName);
  }

  /** The peers of which no tunnel that is up acknowledges what is sent, and for how many milliseconds the longest has not. */
  peers(): ReadonlyMap<string, number> {
    const now = this.#around.clock.now();
    const answering = new Set<string>();
    const silent = new Map<string, number>();
    for (const { phase, peerName, unansweredSince } of this.#parts.endpoint.tunnels()) {
      if (phase !== "established") continue;
      if (unansweredSince === null) answering.add(peerName);
      else silent.set(peerName, Math.max(silent.get(peerName) ?? 0, now - unansweredSince));
    }
    for (const peer of answering) silent.delete(peer);
    return silent;
  }

  /** Whether our calls may go to a peer. */
  #isLns(peerName: string): boolean {
    const peer = this.#parts.peers.get(peerName);
    return peer !== undefined && peer.role !== "lac";
  }
}
