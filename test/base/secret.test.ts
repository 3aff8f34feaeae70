import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { Secret } from "../../src/base/secret.ts";

describe("a secret", () => {
  const secret = new Secret("swordfish");

  it("gives its octets to who asks, as a copy", () => {
    secret.octets().fill(0);
    expect(fromUtf8(secret.octets())).toBe("swordfish");
    const octets = Uint8Array.of(1, 2);
    const other = new Secret(octets);
    octets.fill(0);
    expect([...other.octets()]).toEqual([1, 2]);
  });

  it.each([
    ["a text", `${secret}`],
    ["JSON", JSON.stringify({ secret })],
    ["an inspection", inspect({ secret }, { showHidden: true })],
    ["what is left of a spread", JSON.stringify({ ...secret })],
    ["a clone", inspect(structuredClone(secret))],
  ])("does not show in %s", (_, text) => {
    expect(text).not.toMatch(/swordfish|115|,\s*119/);
  });
});
