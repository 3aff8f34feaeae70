import { describe, expect, it } from "vitest";
import { isPeersFault } from "../../src/gateway/tunnel-faults.ts";
import type { TunnelCause } from "../../src/l2tp/outputs.ts";

function isFault(cause: TunnelCause, wasUp: boolean, sessions = 0): boolean {
  const ended = Array.from({ length: sessions }, (_, i) => ({
    session: i + 1,
    stage: "connected" as const,
    unanswered: false,
  }));
  return isPeersFault({ kind: "tunnel-down", tunnel: 1, peerName: "lns", wasUp, cause, sessions: ended });
}

const SILENCE = { by: "timeout", sent: "SCCRQ", times: 3, waitedFor: "SCCRP", silentMs: null } as const;

describe("the end of a tunnel is held against its peer", () => {
  it.each([
    ["when SCCRQ is not answered", SILENCE, false, 0, true],
    ["when a tunnel that stood falls silent", SILENCE, true, 0, true],
    ["when it refuses the tunnel", { by: "peer", result: 4 }, false, 0, true],
    ["when it shuts down", { by: "peer", result: 6 }, true, 0, true],
    ["when it clears a tunnel with calls in it", { by: "peer", result: 1 }, true, 1, true],
    ["but not when it clears one that nobody uses", { by: "peer", result: 1 }, true, 0, false],
    ["nor when it has restarted and calls again", { by: "replaced" }, true, 3, false],
    ["nor when both called each other", { by: "tie-breaker" }, false, 0, false],
  ] as const)("%s", (_, cause, wasUp, sessions, expected) => {
    expect(isFault(cause, wasUp, sessions)).toBe(expected);
  });
});
