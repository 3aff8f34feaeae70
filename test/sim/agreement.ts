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
export function disagreements({ lacs, switches, lnses, cpes, lacOf }: Scenario): readonly string[] {
  const found: string[] = [];
  const gateways = [...lacs, ...switches, ...lnses];
  const sessions = new Map(gateways.map((gateway) => [gateway, sessionsOf(gateway)]));
  const peerOf = ({ peer }: L2tpLegView) => gateways.find(({ name }) => name === peer);
  for (const lac of lacs) {
    const its = sessions.get(lac) ?? [];
    for (const cpe of cpes)
      if (lacOf.get(cpe) === lac && cpe.sessionId !== undefined && !its.some((each) => isOf(each, cpe)))
        found.push(`${lac.name} knows nothing of ${cpe.name}'s session ${cpe.sessionId}`);
    for (const session of its)
      if (!cpes.some((cpe) => lacOf.get(cpe) === lac && cpe.sessionId !== undefined && isOf(session, cpe)))
        found.push(`no CPE knows of ${lac.name}'s ${session.id}`);
  }
  for (const [gateway, its] of sessions)
    for (const session of its) {
      const { id, state, origin, onward } = session;
      if (state !== "open") found.push(`${gateway.name}: ${id} is ${state}`);
      const lns = onward === null ? undefined : peerOf(onward);
      if (lns !== undefined && state === "open" && onward !== null)
        if (!(sessions.get(lns) ?? []).some((each) => isOtherEnd(gateway, onward, each)))
          found.push(`${lns.name} knows nothing of ${gateway.name}'s ${id}`);
      if (origin.kind === "pppoe") continue;
      const lac = peerOf(origin);
      const calls = lac === undefined ? [] : (sessions.get(lac) ?? []);
      if (!calls.some((each) => lac !== undefined && each.onward && isOtherEnd(lac, each.onward, session)))
        found.push(`no LAC knows of ${gateway.name}'s ${id}`);
    }
  return [...found, ...lonelyTunnels(gateways)];
}

/** Tunnels that are up here and not at their other end. */
function lonelyTunnels(gateways: readonly GatewayProcess[]): readonly string[] {
  return gateways.flatMap((gateway) =>
    tunnelsOf(gateway).flatMap(({ peer, localTunnelId, remoteTunnelId }) => {
      const others = gateways.filter(({ name }) => name === peer).flatMap(tunnelsOf);
      const known = others.some(
        (other) => other.localTunnelId === remoteTunnelId && other.remoteTunnelId === localTunnelId,
      );
      return known ? [] : [`${peer} knows nothing of ${gateway.name}'s tunnel ${localTunnelId}`];
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

/** Whether an LNS's session is the other end of the call that a LAC placed. */
function isOtherEnd(lac: GatewayProcess, onward: L2tpLegView, { origin }: SessionView): boolean {
  return (
    origin.kind === "l2tp" &&
    origin.peer === lac.name &&
    origin.localTunnelId === onward.remoteTunnelId &&
    origin.remoteTunnelId === onward.localTunnelId &&
    origin.localSessionId === onward.remoteSessionId &&
    origin.remoteSessionId === onward.localSessionId
  );
}
