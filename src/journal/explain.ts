import { diagnose } from "./diagnoses.ts";
import { entriesOf, evidenceOf } from "./entries.ts";
import { Facts } from "./facts.ts";
import { inquire } from "./inquiry.ts";
import { headlineOf, paragraphsOf, stageOf } from "./narrative.ts";
import type { StoryView, Subject } from "./story-view.ts";
import type { Archive } from "./trail.ts";

/** The newest of a story: an hour of a busy tunnel is more than anybody reads. */
const MOST_EVIDENCE = 500;

/** Reads the journal, and tells what became of a subject. */
export async function explain(archive: Archive, subject: Subject): Promise<StoryView> {
  const found = await inquire(archive, subject);
  const entries = entriesOf(found.traces);
  const facts = new Facts(found.kind, entries);
  const likely = diagnose(facts);
  const others = (found.others ?? []).map((session) => `s${session}`).join(", ");
  return {
    subject: found.subject,
    found: entries.length > 0,
    headline: headlineOf(
      found.subject,
      found.traces.findLast(({ session }) => session > 0)?.session ?? 0,
      facts,
      others,
    ),
    paragraphs: [
      ...(others === "" ? [] : [`It has other sessions that have not ended: ${others}.`]),
      ...(found.remarks ?? []),
      ...paragraphsOf(found.subject, facts, found.earlier, archive.passedOver),
    ],
    evidence: entries.slice(-MOST_EVIDENCE).map(evidenceOf),
    stoppedAt: likely[0]?.stage ?? stageOf(facts),
    likely: likely.map(({ code, text, advice }) => ({ code, text, advice })),
  };
}
