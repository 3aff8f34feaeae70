import { checkUnitReference } from "./destination-checks.ts";
import { type Raw, rawList, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** Users have names and addresses of their own, and unit groups that are there. Paths are those of the users file. */
export function checkUsers(config: Raw, users: unknown): Problem[] {
  const problems: Problem[] = [];
  const names = new Map<string, number>();
  const addresses = new Map<string, number>();
  const units = Object.entries(rawMap(config.units)).map(([name, value]) => [name, rawMap(value)] as const);
  for (const [i, user] of rawList(users).map(rawMap).entries()) {
    const unit = rawText(user.unit);
    const reference = unit === undefined ? undefined : checkUnitReference(config, [i, "unit"], unit);
    if (reference !== undefined) problems.push(reference);
    problems.push(...onlyOnce(names, [i, "name"], rawText(user.name)));
    problems.push(...onlyOnce(addresses, [i, "address"], rawText(user.address)));
    const gateway = units.find(([, value]) => value.address !== undefined && value.address === user.address);
    if (gateway !== undefined)
      problems.push({
        path: [i, "address"],
        at: "value",
        text: `[${i}].address: read ${JSON.stringify(user.address)}, which is our own in the unit group ${gateway[0]}`,
      });
  }
  return problems;
}

function onlyOnce(
  seen: Map<string, number>,
  path: readonly [number, string],
  value: string | undefined,
): Problem[] {
  if (value === undefined) return [];
  const first = seen.get(value);
  if (first === undefined) {
    seen.set(value, path[0]);
    return [];
  }
  const text = `${where(path)}read ${JSON.stringify(value)}, which user [${first}] has too`;
  return [{ path: path as Path, at: "value", text }];
}
