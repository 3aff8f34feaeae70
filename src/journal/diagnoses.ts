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

/** What probably is the matter; nothing of a session that is open. */
export function diagnose(facts: Facts): readonly Diagnosis[] {
  return facts.isOpen ? [] : DIAGNOSES.filter(({ when }) => when(facts)).slice(0, MOST);
}
