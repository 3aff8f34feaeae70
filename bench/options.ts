import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Short runs: two minutes in all. */
  readonly quick: boolean;
  /** Only figures whose name contains this, "*" being anything. */
  readonly only: string | undefined;
  /** The results on standard output, as JSON. */
  readonly json: boolean;
}

/** Throws a TypeError with what is wrong with the command line. */
export function parseOptions(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  return { quick: values.quick, only: values.only, json: values.json };
}

/** Whether `pattern`, or one of several with "|" between them, occurs in `name`; "*" stands for anything. */
export function matches(name: string, pattern: string): boolean {
  return pattern.split("|").some((alternative) => {
    const parts = alternative.split("*").map((part) => part.replace(/[.+?^${}()[\]\\]/g, "\\$&"));
    return new RegExp(parts.join(".*")).test(name);
  });
}
