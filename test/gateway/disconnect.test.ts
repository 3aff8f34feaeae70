import { describe, expect, it } from "vitest";
import { causeOfLinkDown, type EndCode, endCause } from "../../src/gateway/cause.ts";
import { callEnd } from "../../src/gateway/disconnect.ts";

/** [result, disconnect code, direction] of what a CDN says. */
function said(code: EndCode): readonly (number | undefined)[] {
  const { result, disconnect } = callEnd(endCause(code, "text"));
  return [result, disconnect?.code, disconnect?.direction];
}

describe("what a CDN says of the end of a session", () => {
  it.each([
    ["hung-up", [1, 3, 1]],
    ["silent", [1, 5, 1]],
    ["refused", [3, 16, 1]],
    ["idle", [3, 3, 2]],
    ["session-timeout", [3, 3, 2]],
    ["replaced", [3, 1, 0]],
    ["interface-gone", [1, undefined, undefined]],
    ["failed", [3, undefined, undefined]],
  ] as const)("of %s is Result Code, RFC 3145 code and direction %j", (code, expected) => {
    expect(said(code)).toEqual(expected);
  });

  it("is more exact where PPP tells how its link ended", () => {
    const echo = causeOfLinkDown({ kind: "echo-timeout", misses: 3, text: "no echo" });
    expect(callEnd(echo)).toEqual({
      result: 1,
      message: "no echo",
      disconnect: { code: 8, protocol: 0xc021, direction: 1 },
    });
    const loop = causeOfLinkDown({ kind: "loop-detected", text: "loop" });
    expect(callEnd(loop).disconnect?.code).toBe(7);
  });
});
