import { Secret } from "../base/secret.ts";
import { ipv4FromNumber } from "../wire/ipv4-range.ts";
import { fileKey } from "./block.ts";
import type { CallingNumberTemplate } from "./call-fields.ts";

const HOUR_MS = 3_600_000;
const DURATIONS = [
  ["h", HOUR_MS],
  ["m", 60_000],
  ["s", 1000],
] as const;

const AMOUNTS = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
] as const;

/** A checked value as the file would have it, in one line; `name` is the program's for it, which has its unit. */
export function valueText(value: unknown, name: string): string {
  if (value === undefined) return "nothing";
  if (value instanceof Secret) return "[secret]";
  if (typeof value === "number") return numberText(value, name);
  if (typeof value === "string") return /^[\w.:@/%-]+$/.test(value) ? value : JSON.stringify(value);
  if (value instanceof Map) return mappingText(value);
  if (name === "callingNumber") return (value as CallingNumberTemplate).map(templatePart).join("");
  if (Array.isArray(value)) return `[${value.map((item) => valueText(item, name)).join(", ")}]`;
  if (typeof value === "object" && value !== null)
    return objectText(value as Readonly<Record<string, unknown>>);
  return String(value);
}

function numberText(value: number, name: string): string {
  if (name.endsWith("Ms"))
    return value === Number.POSITIVE_INFINITY ? "never" : inUnits(value, DURATIONS, "ms");
  return name === "sizeBytes" && value > 0 ? inUnits(value, AMOUNTS, "") : String(value);
}

/** In the largest unit of which it is a whole number. */
function inUnits(value: number, units: readonly (readonly [string, number])[], smallest: string): string {
  const found = value === 0 ? undefined : units.find(([, size]) => value % size === 0);
  return found === undefined ? `${value}${smallest}` : `${value / found[1]}${found[0]}`;
}

/** Destinations, ranges and the like, which are no blocks, and blocks within lists. */
function objectText(value: Readonly<Record<string, unknown>>): string {
  const { first, last, prefixes } = value;
  if (Array.isArray(prefixes) && prefixes.length === 1) return String(prefixes[0]);
  if (Array.isArray(prefixes)) return `${ipv4FromNumber(Number(first))}-${ipv4FromNumber(Number(last))}`;
  if (first !== undefined && last !== undefined) return first === last ? String(first) : `${first}-${last}`;
  if (typeof value.from === "string") return String(value.bps ?? value.from);
  if (value.kind === "refuse") return "refuse";
  return mappingText(Object.entries(value).filter(([key]) => key !== "kind"));
}

function templatePart(part: CallingNumberTemplate[number]): string {
  return typeof part === "string" ? part : `{${part.field}}`;
}

/** Of a destination, which the program has in another form than the file. */
const DESTINATION_KEYS = new Map([
  ["unit", "terminate"],
  ["sessionTimeoutMs", "session-timeout"],
  ["idleTimeoutMs", "idle-timeout"],
]);

function mappingText(entries: Iterable<readonly [string, unknown]>): string {
  return `{ ${[...entries].map(([key, item]) => `${DESTINATION_KEYS.get(key) ?? fileKey(key)}: ${valueText(item, key)}`).join(", ")} }`;
}
