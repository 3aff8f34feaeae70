import type { L2tpEndpointState } from "../../src/l2tp/state.ts";
import type { AccessConcentrator } from "../../src/pppoe/access-concentrator.ts";
import type { AccessConcentratorState } from "../../src/pppoe/access-concentrator-types.ts";
import { DEFAULT_ACCESS_CONCENTRATOR_LIMITS } from "../../src/pppoe/access-concentrator-types.ts";
import type { GatewayProcess } from "./gateway-process.ts";

/**
 * What gateways still hold of subscribers who have all hung up; empty when it is nothing but bounded, expiring
 * history.
 */
export function leftovers(gateways: readonly GatewayProcess[]): readonly string[] {
  const left = gateways.flatMap(holdings);
  // it takes snapshots, which are dear: only when everything else is gone
  return left.length > 0 ? left : gateways.flatMap(unboundedHistory);
}

/** What is not zero, or more than may be there. */
class Remains {
  readonly found: string[] = [];
  readonly #name: string;

  constructor({ name }: GatewayProcess) {
    this.#name = name;
  }

  expect(what: string, count: number, most = 0): void {
    if (count > most) this.found.push(`${this.#name} holds ${count} ${what}`);
  }
}

function holdings(gateway: GatewayProcess): readonly string[] {
  const { life } = gateway;
  if (life === undefined) return [];
  const remains = new Remains(gateway);
  remains.expect("sessions", [...life.gateway.sessions].length);
  const { channels, ethernetPeers, udpPeers, units } = life.dataplane.holdings();
  const tunnels = life.gateway.tunnels?.views() ?? [];
  remains.expect("channels", channels);
  remains.expect("PPPoE peers", ethernetPeers);
  const established = tunnels.filter(({ state }) => state === "established").length;
  remains.expect("L2TP peers", udpPeers, established + gateway.knownPeers);
  remains.expect("units", units, gateway.sharedUnits);
  for (const { sessions } of tunnels) remains.expect("L2TP sessions", sessions);
  for (const machine of life.machines.of("AccessConcentrator"))
    remains.expect("PPPoE sessions", (machine as unknown as AccessConcentrator).sessions().length);
  return remains.found;
}

function unboundedHistory(gateway: GatewayProcess): readonly string[] {
  const { life } = gateway;
  if (life === undefined) return [];
  const remains = new Remains(gateway);
  for (const machine of life.machines.of("AccessConcentrator")) {
    const { sessions, padiBuckets } = machine.snapshot() as AccessConcentratorState;
    remains.expect("PPPoE sessions", Object.keys(sessions).length);
    remains.expect(
      "PADI buckets",
      padiBuckets.entries.length,
      DEFAULT_ACCESS_CONCENTRATOR_LIMITS.trackedMacs,
    );
  }
  for (const machine of life.machines.of("L2tpEndpoint")) {
    const { tunnels } = machine.snapshot() as L2tpEndpointState;
    for (const { transport, sessions } of Object.values(tunnels)) {
      remains.expect("L2TP sessions", Object.keys(sessions).length);
      remains.expect("messages that came early", Object.keys(transport.early).length);
    }
  }
  return remains.found;
}
