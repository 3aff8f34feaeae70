import type { Instant } from "../../src/base/time.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { World } from "./world.ts";

const SAMPLE_MS = 5_000;
/** RFC 2661 §5.8: five retransmissions of HELLO, at 1 s doubling to 8 s. */
const RETRANSMISSION_CYCLE_MS = 31_000;
/** Silence is measured in steps of a quarter of the HELLO interval; ours is by samples. */
const STEPS = 1.25;
const SLACK_MS = 1_000;

/** A tunnel whose peer is silent is asked whether it lives (RFC 2661 §5.5), and ends when it does not answer. */
export function watchSilence(
  world: World,
  gateways: readonly GatewayProcess[],
  helloIntervalMs: number,
): void {
  const { timeline, referee } = world;
  const limitMs = STEPS * helloIntervalMs + RETRANSMISSION_CYCLE_MS + SLACK_MS;
  for (const { name, life } of gateways)
    for (const { localTunnelId, state } of life?.gateway.tunnels?.views() ?? []) {
      const since: Instant | undefined = life?.heard.get(localTunnelId);
      if (state === "established" && since !== undefined && timeline.now - since > limitMs)
        referee.report(
          "a tunnel ends whose peer is silent",
          `${name}: tunnel ${localTunnelId} has heard nothing for ${(timeline.now - since) / 1000} s`,
        );
    }
  timeline.after(SAMPLE_MS, () => watchSilence(world, gateways, helloIntervalMs));
}
