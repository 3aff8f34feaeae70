import { ACCESS_DIAGNOSES } from "./diagnoses-access.ts";
import { END_DIAGNOSES } from "./diagnoses-ends.ts";
import { LNS_DIAGNOSES } from "./diagnoses-lns.ts";
import { PPP_DIAGNOSES } from "./diagnoses-ppp.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Facts } from "./facts.ts";

/** All that we can tell, in the order of probability where several hold. */
export const DIAGNOSES: readonly Diagnosis[] = [
  ...ACCESS_DIAGNOSES,
  ...PPP_DIAGNOSES,
  ...LNS_DIAGNOSES,
  ...END_DIAGNOSES,
];

const MOST = 4;

/** What probably is the matter; of a session that is open, only what is the matter while it is. */
export function diagnose(facts: Facts): readonly Diagnosis[] {
  const held = DIAGNOSES.filter(({ when, whileOpen = false }) => whileOpen === facts.isOpen && when(facts));
  const causes = held.filter(({ unlessExplained = false }) => !unlessExplained);
  return (causes.length > 0 ? causes : held).slice(0, MOST);
}
