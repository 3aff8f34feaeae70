import { checkCallablePeer } from "./lns-checks.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { unknownReference } from "./references.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** Destinations lead to peers, groups of LNSes and unit groups that are there, and to peers that we may call. */
export function checkDestinations(config: Raw): Problem[] {
  const problems: Problem[] = [];
  const check = (path: Path, value: unknown) =>
    problems.push(...checkDestination(config, path, rawMap(value)));
  for (const [realm, value] of Object.entries(rawMap(config.realms))) check(["realms", realm], value);
  for (const [name, value] of Object.entries(rawMap(config.services))) check(["services", name], value);
  for (const [i, line] of rawList(config.lines).map(rawMap).entries()) {
    check(["lines", i, "to"], line.to);
    problems.push(...checkLine(config, ["lines", i], line));
  }
  for (const [i, peer] of rawList(rawMap(config.l2tp).peers).map(rawMap).entries()) {
    if (!("destination" in peer)) continue;
    const path: Path = ["l2tp", "peers", i, "destination"];
    check(path, peer.destination);
    problems.push(...checkCallsOf(config, path, peer));
  }
  check(["default"], config.default);
  return [...problems, ...checkRealmsCase(rawMap(config.realms))];
}

function checkDestination(config: Raw, path: Path, destination: Raw): Problem[] {
  const lns = rawText(destination.lns);
  const unit = rawText(destination.terminate);
  const problems: (Problem | undefined)[] = [];
  if (lns !== undefined) problems.push(checkLnsReference(config, [...path, "lns"], lns));
  if (unit !== undefined) problems.push(checkUnitReference(config, [...path, "terminate"], unit));
  if (destination.refuse === true)
    for (const key of ["session-timeout", "idle-timeout"])
      if (key in destination)
        problems.push({
          path: [...path, key],
          at: "key",
          text: `${where(path)}${key} means nothing with refuse: there is no session`,
        });
  return problems.filter((problem) => problem !== undefined);
}

function checkLnsReference(config: Raw, path: Path, name: string): Problem | undefined {
  const groups = Object.keys(rawMap(config["lns-groups"]));
  if (groups.includes(name)) return undefined;
  const section = groups.length === 0 ? "l2tp.peers" : "l2tp.peers or lns-groups";
  return checkCallablePeer(config, path, name, section, groups);
}

/** A peer whose calls are to go somewhere is one that calls us, and they do not go back to it. */
function checkCallsOf(config: Raw, path: Path, peer: Raw): Problem[] {
  if (peer.role !== "lac" && peer.role !== "both")
    return [
      {
        path,
        at: "key",
        text: `${where(path)}it does not call us; allowed: for a peer with the role lac or both`,
      },
    ];
  const lns = rawText(rawMap(peer.destination).lns);
  const group = rawMap(rawMap(config["lns-groups"])[lns ?? ""]);
  const members = rawList(group.members).map((member) => rawText(rawMap(member).peer));
  const leads = members.length === 0 ? [lns] : members;
  if (lns === undefined || leads.some((name) => name !== peer.name)) return [];
  const here: Path = [...path, "lns"];
  const text = `${where(here)}read ${JSON.stringify(lns)}, by which its calls would go back to it; allowed: another LNS`;
  return [{ path: here, at: "value", text }];
}

/** A line says which lines it means, on an access interface that is there. */
function checkLine(config: Raw, path: Path, line: Raw): Problem[] {
  if (!("interface" in line || "vlans" in line || "outer-vlans" in line))
    return [
      {
        path,
        at: "key",
        text: `${where(path)}every subscriber's line is meant; allowed: at least one of interface, vlans and outer-vlans`,
      },
    ];
  const device = rawText(line.interface);
  const known = rawList(config.access).map((access) => rawText(rawMap(access).interface));
  if (device === undefined || known.includes(device)) return [];
  return [unknownReference([...path, "interface"], device, known, "access")];
}

/** A unit group's name at `path` (also in the users file, whose paths are its own). */
export function checkUnitReference(config: Raw, path: Path, name: string): Problem | undefined {
  const units = Object.keys(rawMap(config.units));
  return units.includes(name) ? undefined : unknownReference(path, name, units, "units");
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
