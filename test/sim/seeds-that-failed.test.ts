import { describe, it } from "vitest";
import { expectEverySeedToPass } from "./seeds.ts";

describe("simulated days that something once went wrong in", () => {
  it("keep every invariant: a gateway stops while it asks whether the other end is still there (seed 1890)", () =>
    expectEverySeedToPass(1890, 1890));
});
