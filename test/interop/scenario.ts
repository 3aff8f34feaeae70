import { it } from "vitest";
import { SCENARIOS, type ScenarioId } from "./catalogue.ts";

/** A test of the catalogue: its title starts with its id, by which the report knows it. */
export function scenario(id: ScenarioId, run: () => Promise<void>): void {
  it(`${id}: ${SCENARIOS[id].exercised}`, run);
}
