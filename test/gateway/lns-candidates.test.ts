import { expect, it } from "vitest";
import { lockedOut } from "../../src/gateway/lns-candidates.ts";

it("says how long a lockout has to go as everything else does, and never that it has nothing to go", () => {
  expect(lockedOut(212_000)).toBe("locked out for 3m32s more");
  expect(lockedOut(1)).toBe("locked out for 1s more");
});
