import type { Instant } from "../base/time.ts";
import type { Punt } from "../channel/dataplane.ts";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import { describeCause, type L2tpOutput, type SessionCause, type TunnelCause } from "../l2tp/outputs.ts";
import type { EndedBy } from "./events.ts";
import type { Surroundings } from "./surroundings.ts";
import { refusalFields, type TunnelDown } from "./tunnel-faults.ts";
import { TunnelReach } from "./tunnel-reach.ts";

/** What becomes of tunnels and the calls in them, told to people and to listeners. */
export class TunnelNews {
  readonly #around: Surroundings;
  /** When we sent SCCRQ, of tunnels that are not up yet. */
  readonly #calledAt = new Map<number, Instant>();
  readonly #reach = new TunnelReach();

  constructor(around: Surroundings) {
    this.#around = around;
  }

  calling(tunnel: number, { name, address, udpPort }: PeerConfig): void {
    this.#reach.calling(tunnel, name, address ?? "", udpPort);
    this.#calledAt.set(tunnel, this.#around.clock.now());
    this.#around.journal.note("tunnel-calling", { tunnel }, name, address ?? "");
    this.#around.logger.info({ peer: name, address, tunnel }, "calling L2TP peer: SCCRQ sent");
  }

  up(up: Extract<L2tpOutput, { kind: "tunnel-up" }>): void {
    const { tunnel, peerName: peer, remote } = up;
    const calledAt = this.#calledAt.get(tunnel);
    this.#calledAt.delete(tunnel);
    this.#reach.up(tunnel, peer, remote.address, remote.port);
    const setupMs = calledAt === undefined ? null : this.#around.clock.now() - calledAt;
    this.#around.events.publish({ kind: "tunnel-up", tunnel, peer, address: remote.address, setupMs });
    const caller = up.initiator ? "us" : "peer";
    this.#around.journal.note("tunnel-up", { tunnel }, peer, up.peerHostName, remote.address, caller);
    this.#around.logger.info(
      {
        peer,
        hostName: up.peerHostName,
        address: remote.address,
        port: remote.port,
        tunnel,
        remoteTunnel: up.remoteTunnelId,
        initiator: up.initiator,
      },
      "L2TP tunnel up",
    );
  }

  unanswered({ tunnel, peerName: peer, cause }: Extract<L2tpOutput, { kind: "tunnel-unanswered" }>): void {
    const reason = describeCause("StopCCN", cause);
    this.#reach.unanswered(tunnel);
    this.#around.events.publish({ kind: "tunnel-not-answering", tunnel, peer, reason });
    this.#around.journal.note("tunnel-not-answering", { tunnel }, peer, reason);
    this.#around.logger.warn({ peer, tunnel, reason }, "L2TP peer does not answer");
  }

  answersAgain({ tunnel, peerName: peer, afterMs }: Extract<L2tpOutput, { kind: "tunnel-answered" }>): void {
    const afterSeconds = Math.round(afterMs / 100) / 10;
    this.#reach.answers(tunnel);
    this.#around.events.publish({ kind: "tunnel-answers", tunnel, peer, afterSeconds });
    this.#around.journal.note("tunnel-answers", { tunnel }, peer, String(Math.round(afterMs)));
    this.#around.logger.info({ peer, tunnel, afterSeconds }, "L2TP peer answers again");
  }

  /** What is sent to an address does not arrive: of tunnels that wait for an answer, it is written down why. */
  unreachable(punt: Extract<Punt, { kind: "unreachable" }>): void {
    for (const { tunnel, peer, kind, text } of this.#reach.reported(punt)) {
      this.#around.journal.note("tunnel-not-reached", { tunnel }, peer, kind, text);
      this.#around.logger.warn({ peer, tunnel, reason: text }, "L2TP peer is not reached");
    }
  }

  /** The end of a tunnel for people. */
  textOf({ tunnel, cause }: TunnelDown): string {
    return describeCause("StopCCN", cause, this.#reach.lastOf(tunnel));
  }

  /** `wanted`: we were closing it for a reason of our own. */
  down(down: TunnelDown, reason: string, address: string | undefined, wanted: boolean): void {
    const { tunnel, peerName: peer, wasUp, cause } = down;
    const sessions = down.sessions.length;
    this.#calledAt.delete(tunnel);
    this.#reach.over(tunnel);
    this.#around.events.publish({
      kind: "tunnel-down",
      tunnel,
      peer,
      wasUp,
      reason,
      sessions,
      ...codeOf(cause),
    });
    const [state, why] = [wasUp ? "up" : "opening", wanted ? "asked" : "fault"];
    this.#around.journal.note("tunnel-down", { tunnel }, peer, state, why, reason);
    const fields = { peer, address, tunnel, sessions, reason };
    if (wanted) this.#around.logger.info(fields, "L2TP tunnel closed");
    else this.#around.logger.warn(fields, wasUp ? "L2TP tunnel down" : "L2TP tunnel could not be opened");
  }

  refused(refused: Extract<L2tpOutput, { kind: "tunnel-refused" }>): void {
    const fields = refusalFields(refused);
    const { address, hostName, reason } = fields;
    this.#around.journal.note("tunnel-refused", { stranger: true }, address, hostName ?? "", reason);
    this.#around.events.publish({ kind: "tunnel-refused", address, hostName: hostName ?? null, reason });
    this.#around.logger.warn(fields, "L2TP tunnel refused");
  }

  /** A call ended, not its tunnel; the end's text for people. */
  callDown(peer: string, down: Extract<L2tpOutput, { kind: "session-down" }>): string {
    const { tunnel, stage, cause } = down;
    const reason = describeCause("CDN", cause);
    const connected = stage === "connected";
    this.#around.events.publish({ kind: "call-down", tunnel, peer, connected, reason, ...codeOf(cause) });
    return reason;
  }
}

/** The Result Code, and whose it is. */
function codeOf(cause: TunnelCause | SessionCause): { result: number | null; by: EndedBy } {
  return cause.by === "peer" || cause.by === "us"
    ? { result: cause.result, by: cause.by }
    : { result: null, by: "nobody" };
}
