import type { z } from "zod";
import { nearMiss } from "./near-miss.ts";
import { formatPath, type Path, type Problem, type YamlSource } from "./yaml-source.ts";

/** What may not be shown of a file. */
export interface Confidential {
  /** Whether the value at `path` is a secret, or could be one by mistake. */
  value(path: Path): boolean;
  /** Whether unknown keys of the mapping at `path` could be secrets by mistake. */
  unknownKeys(path: Path): boolean;
}

/** What the schema says about a file, for its author. An issue's message is the phrase for what is allowed. */
export function schemaProblems(
  source: YamlSource,
  issues: readonly z.core.$ZodIssue[],
  confidential: Confidential,
): Problem[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey(issue.path, key, issue.message, confidential));
    return [wrongValue(source, issue, confidential)];
  });
}

function unknownKey(path: Path, key: string, allowed: string, confidential: Confidential): Problem {
  const meant = nearMiss(key, allowed.split(", "));
  const shown = confidential.unknownKeys(path) && meant === undefined ? "" : ` ${JSON.stringify(key)}`;
  return {
    path: [...path, key],
    at: "key",
    text: `${where(path)}unknown key${shown}${didYouMean(meant)}; allowed: ${allowed}`,
  };
}

function wrongValue(source: YamlSource, issue: z.core.$ZodIssue, confidential: Confidential): Problem {
  const { path, message } = issue;
  if (!source.has(path)) {
    const missing = String(path.at(-1));
    return {
      path: path.slice(0, -1),
      at: "key",
      text: `${where(path.slice(0, -1))}${missing} is missing: ${message}`,
    };
  }
  const hidden = confidential.value(path);
  const read = source.show(path, hidden);
  // an enum's values; what was read is a quoted text or no near miss at all
  const candidates = issue.code === "invalid_value" ? issue.values.map(String) : [];
  const meant = hidden ? undefined : nearMiss(read.replaceAll('"', ""), candidates);
  return { path, at: "value", text: `${where(path)}read ${read}${didYouMean(meant)}; allowed: ${message}` };
}

/** The path as the head of a message; nothing for the root. */
export function where(path: Path): string {
  return path.length === 0 ? "" : `${formatPath(path)}: `;
}

export function didYouMean(meant: string | undefined): string {
  return meant === undefined ? "" : ` (did you mean ${JSON.stringify(meant)}?)`;
}
