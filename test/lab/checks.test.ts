import { describe, expect, it } from "vitest";
import { lossPercent } from "../../lab/checks.ts";

/** What ping(8) prints. */
function outputOf(sent: number, answered: readonly number[], others: readonly string[] = []): string {
  const answers = answered.map(
    (sequence) => `1480 bytes from 192.0.2.1: icmp_seq=${sequence} ttl=63 time=0.4 ms`,
  );
  return [...answers, ...others, `${sent} packets transmitted, ${answered.length} received`].join("\n");
}

describe("the loss of pings", () => {
  it.each([
    ["is none when all have an answer", 4, [1, 2, 3, 4], 0],
    ["is none when answers came late, and others had been sent meanwhile", 7, [1, 2, 3, 4], 0],
    ["is what has no answer, though later ones have", 5, [1, 3, 4, 5], 25],
    ["counts an answer that came twice once", 4, [1, 2, 2, 4], 25],
    ["is all when nothing came", 40, [], 100],
  ])("%s", (_what, sent, answered, percent) => {
    expect(lossPercent(outputOf(sent, answered), 4)).toBe(percent);
  });

  it("has errors of routers as lost", () => {
    const error = "From 192.0.2.1 icmp_seq=2 Frag needed and DF set (mtu = 1400)";
    expect(lossPercent(outputOf(4, [1, 3, 4], [error]), 4)).toBe(25);
  });

  it("is unknown when ping did not run", () => {
    expect(() => lossPercent("ping: unknown host", 4)).toThrow(
      "ping said nothing that could be read: ping: unknown host",
    );
  });
});
