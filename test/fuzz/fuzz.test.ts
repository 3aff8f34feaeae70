/** A short run of every target, each time from the same seed; `npm run fuzz` is the long one. */

import { describe, expect, it } from "vitest";
import { describeFailure } from "./failure.ts";
import { runTarget } from "./run-target.ts";
import { TARGETS } from "./targets.ts";

const BUDGET = { seed: 1, frames: 20_000, seconds: 0.25 } as const;

describe("hostile input", () => {
  it.each(TARGETS.map((target) => [target.name, target] as const))(
    "neither throws nor loops nor is kept: %s",
    async (_, target) => {
      const outcome = await runTarget(target, BUDGET);
      expect(outcome.failure && describeFailure(outcome.failure)).toBeUndefined();
      expect(outcome.frames).toBeGreaterThan(0);
    },
  );
});
