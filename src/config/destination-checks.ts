import { nearMiss } from "./near-miss.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { didYouMean, where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** Destinations lead to peers and unit groups that are there, and to peers that we may call. */
export function checkDestinations(config: Raw): Problem[] {
  const problems: Problem[] = [];
  const check = (path: Path, value: unknown) =>
    problems.push(...checkDestination(config, path, rawMap(value)));
  for (const [realm, value] of Object.entries(rawMap(config.realms))) check(["realms", realm], value);
  for (const [name, value] of Object.entries(rawMap(config.services))) check(["services", name], value);
  check(["default"], config.default);
  return [...problems, ...checkRealmsCase(rawMap(config.realms))];
}

function checkDestination(config: Raw, path: Path, destination: Raw): Problem[] {
  const lns = rawText(destination.lns);
  const unit = rawText(destination.terminate);
  const problems: (Problem | undefined)[] = [];
  if (lns !== undefined) problems.push(checkPeerReference(config, [...path, "lns"], lns));
  if (unit !== undefined) problems.push(checkUnitReference(config, [...path, "terminate"], unit));
  return problems.filter((problem) => problem !== undefined);
}

function checkPeerReference(config: Raw, path: Path, name: string): Problem | undefined {
  const peers = rawList(rawMap(config.l2tp).peers).map(rawMap);
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer === undefined)
    return unknownReference(
      path,
      name,
      peers.map((each) => rawText(each.name)),
      "l2tp.peers",
    );
  if (peer.role !== "lac") return undefined;
  return {
    path,
    at: "value",
    text: `${where(path)}${name} has the role lac: we do not call it; allowed: a peer with the role lns or both`,
  };
}

/** A unit group's name at `path` (also in the users file, whose paths are its own). */
export function checkUnitReference(config: Raw, path: Path, name: string): Problem | undefined {
  const units = Object.keys(rawMap(config.units));
  return units.includes(name) ? undefined : unknownReference(path, name, units, "units");
}

function unknownReference(
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

/** Realms are compared without regard to case. */
function checkRealmsCase(realms: Raw): Problem[] {
  const seen = new Map<string, string>();
  return Object.keys(realms).flatMap((realm): Problem[] => {
    const first = seen.get(realm.toLowerCase());
    if (first === undefined) {
      seen.set(realm.toLowerCase(), realm);
      return [];
    }
    const path = ["realms", realm];
    return [
      { path, at: "key", text: `realms: ${realm} and ${first} are the same realm: case does not count` },
    ];
  });
}
