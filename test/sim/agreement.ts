import type { Instant } from "../../src/base/time.ts";
import type { L2tpLegView, SessionView, TunnelView } from "../../src/gateway/views.ts";
import { formatMac } from "../../src/wire/ethernet.ts";
import type { Cpe } from "./cpe.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

const SAMPLE_MS = 5_000;

/**
 * Watches, every few seconds, whether both ends of everything agree on who is up. What they disagree about must be
 * settled within a limit: each disagreement has a name and an age.
 */
export class Agreement {
  readonly #world: World;
  readonly #scenario: Scenario;
  readonly #limitMs: number;
  readonly #since = new Map<string, Instant>();

  constructor(world: World, scenario: Scenario, limitMs: number) {
    this.#world = world;
    this.#scenario = scenario;
    this.#limitMs = limitMs;
  }

  watch(): void {
    const { timeline, referee } = this.#world;
    const now = new Set(disagreements(this.#scenario));
    for (const known of this.#since.keys()) if (!now.has(known)) this.#since.delete(known);
    for (const each of now) {
      const since = this.#since.get(each) ?? timeline.now;
      this.#since.set(each, since);
      if (timeline.now - since > this.#limitMs)
        referee.report("both ends agree on who is up", `${each}, for ${(timeline.now - since) / 1000} s`);
    }
    timeline.after(SAMPLE_MS, () => this.watch());
  }
}

/** What one end has and the other has not, or has not finished; empty when all is well. */
export function disagreements({ gateways, lacs, cpes, lacOf }: Scenario): readonly string[] {
  const found: string[] = [];
  const sessions = new Map(gateways.map((gateway) => [gateway.name, sessionsOf(gateway)]));
  for (const lac of lacs) {
    const its = sessions.get(lac.name) ?? [];
    const called = cpes.filter((cpe) => lacOf.get(cpe) === lac && cpe.sessionId !== undefined);
    for (const cpe of called)
      if (!its.some((session) => isOf(session, cpe)))
        found.push(`${lac.name} knows nothing of ${cpe.name}'s session ${cpe.sessionId}`);
    for (const session of its)
      if (session.origin.kind === "pppoe" && !called.some((cpe) => isOf(session, cpe)))
        found.push(`no CPE knows of ${lac.name}'s ${session.id}`);
  }
  for (const [name, its] of sessions)
    for (const { id, state, origin, onward } of its) {
      if (state !== "open") found.push(`${name}: ${id} is ${state}`);
      if (onward !== null && state === "open") {
        const known = (sessions.get(onward.peer) ?? []).some((other) =>
          areEnds(name, onward, onward.peer, other.origin),
        );
        if (!known) found.push(`${onward.peer} knows nothing of ${name}'s ${id}`);
      }
      if (origin.kind === "l2tp") {
        const known = (sessions.get(origin.peer) ?? []).some((other) =>
          areEnds(origin.peer, other.onward, name, origin),
        );
        if (!known) found.push(`${origin.peer} knows nothing of ${name}'s ${id}`);
      }
    }
  return [...found, ...lonelyTunnels(gateways)];
}

/** Tunnels that are up here and not at their other end. */
function lonelyTunnels(gateways: readonly GatewayProcess[]): readonly string[] {
  const tunnels = new Map(gateways.map((gateway) => [gateway.name, tunnelsOf(gateway)]));
  return [...tunnels].flatMap(([name, its]) =>
    its.flatMap(({ peer, localTunnelId, remoteTunnelId }) => {
      const known = (tunnels.get(peer ?? "") ?? []).some(
        (other) => other.localTunnelId === remoteTunnelId && other.remoteTunnelId === localTunnelId,
      );
      return known ? [] : [`${peer} knows nothing of ${name}'s tunnel ${localTunnelId}`];
    }),
  );
}

function tunnelsOf({ life }: GatewayProcess): readonly TunnelView[] {
  return (life?.gateway.tunnels?.views() ?? []).filter(({ state }) => state === "established");
}

function sessionsOf(gateway: GatewayProcess): readonly SessionView[] {
  return [...(gateway.life?.gateway.sessions ?? [])].map((session) => session.view());
}

function isOf({ origin }: SessionView, cpe: Cpe): boolean {
  return (
    origin.kind === "pppoe" && origin.mac === formatMac(cpe.mac) && origin.pppoeSessionId === cpe.sessionId
  );
}

/** Whether what one gateway has placed and what another one has been offered are the two ends of one call. */
function areEnds(
  caller: string,
  placed: L2tpLegView | null,
  called: string,
  offered: SessionView["origin"],
): boolean {
  return (
    placed !== null &&
    offered.kind === "l2tp" &&
    placed.peer === called &&
    offered.peer === caller &&
    offered.localTunnelId === placed.remoteTunnelId &&
    offered.remoteTunnelId === placed.localTunnelId &&
    offered.localSessionId === placed.remoteSessionId &&
    offered.remoteSessionId === placed.localSessionId
  );
}
