import { describe, it } from "vitest";
import { expectEverySeedToPass } from "./seeds.ts";

// in two files, for two cores
describe("LACs, LNSes and subscribers in every weather", () => {
  it("keep every invariant (seeds 1 to 250)", { timeout: 240_000 }, () => expectEverySeedToPass(1, 250));
});
