import { type Budget, type Outcome, runCodec } from "./run-codec.ts";
import { runMachine } from "./run-machine.ts";
import type { Target } from "./target.ts";

export function runTarget(target: Target, budget: Budget): Promise<Outcome> {
  return target.kind === "codec" ? runCodec(target, budget) : runMachine(target, budget);
}
