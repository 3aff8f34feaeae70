import type { L2tpEndpointState } from "../../src/l2tp/state.ts";
import type { AccessConcentratorState } from "../../src/pppoe/access-concentrator-types.ts";
import { DEFAULT_ACCESS_CONCENTRATOR_LIMITS } from "../../src/pppoe/access-concentrator-types.ts";
import type { GatewayProcess } from "./gateway-process.ts";

/** What a gateway still holds of subscribers who have all hung up; empty when it is nothing but history. */
export function leftovers(gateway: GatewayProcess): readonly string[] {
  const { life } = gateway;
  if (life === undefined) return [];
  const left: string[] = [];
  const expect = (what: string, count: number, most = 0): void => {
    if (count > most) left.push(`${gateway.name} holds ${count} ${what}`);
  };
  expect("sessions", [...life.gateway.sessions].length);
  const { channels, ethernetPeers, udpPeers, units } = life.dataplane.holdings();
  const tunnels = (life.gateway.tunnels?.views() ?? []).filter(({ state }) => state === "established");
  expect("channels", channels);
  expect("PPPoE peers", ethernetPeers);
  expect("L2TP peers", udpPeers, tunnels.length);
  expect("units", units, gateway.sharedUnits);
  if (left.length > 0) return left;
  for (const machine of life.machines.of("AccessConcentrator")) {
    const state = machine.snapshot() as AccessConcentratorState;
    expect("PPPoE sessions", Object.keys(state.sessions).length);
    expect("PADI buckets", state.padiBuckets.entries.length, DEFAULT_ACCESS_CONCENTRATOR_LIMITS.trackedMacs);
  }
  for (const machine of life.machines.of("L2tpEndpoint")) {
    const { tunnels: states } = machine.snapshot() as L2tpEndpointState;
    for (const tunnel of Object.values(states)) {
      const { transport, sessions } = tunnel;
      expect("L2TP sessions", Object.keys(sessions).length);
      expect("messages that came early", Object.keys(transport.early).length);
    }
  }
  return left;
}
