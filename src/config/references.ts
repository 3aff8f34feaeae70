import { nearMiss } from "./near-miss.ts";
import { didYouMean, where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** A name at `path` that is not among `candidates`, which are the names in `section`. */
export function unknownReference(
  path: Path,
  name: string,
  candidates: readonly (string | undefined)[],
  section: string,
): Problem {
  const known = candidates.filter((candidate) => candidate !== undefined);
  const allowed =
    known.length === 0 ? `a name in ${section}, which is empty` : `a name in ${section}: ${known.join(", ")}`;
  const read = JSON.stringify(name);
  return {
    path,
    at: "value",
    text: `${where(path)}read ${read}${didYouMean(nearMiss(name, known))}; allowed: ${allowed}`,
  };
}
