import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Secret } from "../../src/base/secret.ts";
import { tokenTest } from "../../src/control/access-token.ts";

const TOKEN = "0123456789abcdefghij";

describe("a token", () => {
  it.each([
    ["nothing", undefined],
    ["an empty header", ""],
    ["no token", "Bearer"],
    ["the beginning of it", `Bearer ${TOKEN.slice(0, -1)}`],
    ["more than it", `Bearer ${TOKEN}x`],
    ["the end of it", `Bearer x${TOKEN.slice(1)}`],
    ["eight thousand characters", `Bearer ${"x".repeat(8000)}`],
    ["itself", `Bearer ${TOKEN}`],
  ])("is compared in a time that says nothing of it, with %s", (_, authorization) => {
    const compare = vi.spyOn(crypto, "timingSafeEqual");
    syncBuiltinESMExports();
    onTestFinished(() => {
      compare.mockRestore();
      syncBuiltinESMExports();
    });
    const isHolder = tokenTest(new Secret(TOKEN));
    expect(isHolder(authorization)).toBe(authorization === `Bearer ${TOKEN}`);
    // whatever is shown: one comparison, of two digests
    expect(compare.mock.calls.map((digests) => digests.map((each) => each.byteLength))).toEqual([[32, 32]]);
  });
});
