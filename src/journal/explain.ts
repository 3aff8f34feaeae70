import { inquire } from "./inquiry.ts";
import type { StoryView, Subject } from "./story-view.ts";
import type { Archive } from "./trail.ts";

/** Reads the journal, and tells what became of a subject. */
export async function explain(archive: Archive, subject: Subject): Promise<StoryView> {
  const found = await inquire(archive, subject);
  return {
    subject: found.subject,
    found: found.traces.length > 0,
    headline: "",
    paragraphs: [],
    evidence: [],
    stoppedAt: "unheard",
    likely: [],
  };
}
