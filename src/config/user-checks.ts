import { checkUnitReference } from "./destination-checks.ts";
import { type Raw, rawMap, rawText } from "./raw.ts";
import { where } from "./schema-problems.ts";
import type { Path, Problem } from "./yaml-source.ts";

/** Users have names and addresses of their own, and unit groups that are there. Paths are those of the users file. */
export class UserCheck {
  readonly #config: Raw;
  readonly #names = new Map<string, number>();
  readonly #addresses = new Map<string, number>();
  /** The unit groups that have an address for us, by that. */
  readonly #gateways = new Map<unknown, string>();

  constructor(config: Raw) {
    this.#config = config;
    for (const [name, value] of Object.entries(rawMap(config.units))) {
      const { address } = rawMap(value);
      if (address !== undefined && !this.#gateways.has(address)) this.#gateways.set(address, name);
    }
  }

  /** To be asked of one user after the other; `i` is his place in the list. */
  problemsOf(i: number, user: Raw): Problem[] {
    const problems: Problem[] = [];
    const unit = rawText(user.unit);
    const reference = unit === undefined ? undefined : checkUnitReference(this.#config, [i, "unit"], unit);
    if (reference !== undefined) problems.push(reference);
    problems.push(...onlyOnce(this.#names, [i, "name"], rawText(user.name)));
    problems.push(...onlyOnce(this.#addresses, [i, "address"], rawText(user.address)));
    const gateway = this.#gateways.get(user.address);
    if (gateway !== undefined)
      problems.push({
        path: [i, "address"],
        at: "value",
        text: `[${i}].address: read ${JSON.stringify(user.address)}, which is our own in the unit group ${gateway}`,
      });
    return problems;
  }
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
