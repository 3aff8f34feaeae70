import { type Ipv4Range, parseIpv4Range } from "../wire/ipv4-range.ts";
import { type Raw, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** What must hold within and between unit groups beyond the kind of each value. */
export function checkUnits(config: Raw): Problem[] {
  const units = Object.entries(rawMap(config.units)).map(([name, value]) => ({
    path: ["units", name] as Path,
    value: rawMap(value),
  }));
  return [
    ...units.flatMap(({ path, value }) => checkUnit(path, value)),
    ...checkNames(units),
    ...checkOverlaps(units),
  ];
}

interface Unit {
  readonly path: Path;
  readonly value: Raw;
}

function checkUnit(path: Path, unit: Raw): Problem[] {
  const problems: Problem[] = [];
  const report = (key: string, text: string) =>
    problems.push({ path: [...path, key], at: "value", text: `${where([...path, key])}${text}` });
  const name = rawText(unit.name);
  const numbered = name?.includes("%d");
  if (numbered === false && unit.mode !== "shared")
    report(
      "name",
      `read ${JSON.stringify(name)}; allowed: a name with %d, because every session has its own device`,
    );
  if (numbered === true && unit.mode === "shared")
    report(
      "name",
      `read ${JSON.stringify(name)}; allowed: a name without %d, because all sessions share one device`,
    );
  // six digits for %d
  if (name !== undefined && (numbered ? name.length + 4 : name.length) > 15)
    report("name", `read ${JSON.stringify(name)}; allowed: at most 15 characters, %d counting as 6`);
  if (unit.ipv6 === true && typeof unit.mtu === "number" && unit.mtu < 1280)
    report("mtu", `read ${unit.mtu}; allowed: at least 1280 with ipv6 (RFC 8200 §5)`);
  return problems;
}

/** Two groups of one network namespace cannot have devices of one name. */
function checkNames(units: readonly Unit[]): Problem[] {
  const seen = new Map<string, Path>();
  return units.flatMap(({ path, value }): Problem[] => {
    const name = rawText(value.name);
    if (name === undefined) return [];
    const key = `${rawText(value.netns) ?? ""}/${name}`;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, path);
    if (first === undefined) return [];
    const here = [...path, "name"];
    return [
      {
        path: here,
        at: "value",
        text: `${where(here)}read ${JSON.stringify(name)}, which ${where(first).slice(0, -2)} has too`,
      },
    ];
  });
}

interface PlacedRange {
  readonly path: Path;
  readonly text: string;
  readonly netns: string | undefined;
  readonly range: Ipv4Range;
}

/** One address cannot belong to two subscribers of one network namespace. */
function checkOverlaps(units: readonly Unit[]): Problem[] {
  const ranges = units.flatMap(rangesOf).sort((a, b) => a.range.first - b.range.first);
  const furthest = new Map<string | undefined, PlacedRange>();
  const problems: Problem[] = [];
  for (const each of ranges) {
    const before = furthest.get(each.netns);
    if (before !== undefined && each.range.first <= before.range.last)
      problems.push({
        path: each.path,
        at: "value",
        text: `${where(each.path)}read ${JSON.stringify(each.text)}, which overlaps with ${before.text} of ${where(before.path).slice(0, -2)}`,
      });
    if (before === undefined || each.range.last > before.range.last) furthest.set(each.netns, each);
  }
  return problems;
}

function rangesOf({ path, value }: Unit): PlacedRange[] {
  const pool = value.pool;
  const written = Array.isArray(pool) ? pool : [pool];
  return written.flatMap((text, i) => {
    const range = typeof text === "string" ? parseIpv4Range(text) : undefined;
    if (range === undefined) return [];
    const here = Array.isArray(pool) ? [...path, "pool", i] : [...path, "pool"];
    return [{ path: here, text, netns: rawText(value.netns), range }];
  });
}
