/*
 * A file's values before the schema has accepted them, for checks that must speak also when something else is wrong:
 * what is not of the expected kind is passed over, because the schema reports it.
 */

/** A mapping of the file; empty when it is none. */
export type Raw = Readonly<Record<string, unknown>>;

export function rawMap(value: unknown): Raw {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Raw) : {};
}

export function rawList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function rawText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
