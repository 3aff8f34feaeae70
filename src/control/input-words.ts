/** What is wrong with a request, in words for who sent it: what was given, and what is wanted in its place. */

import { z } from "zod";

/** As much of JSON Schema as our schemas come to. */
interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
}

/** Things that are told at once, and characters of what was given. */
const MOST_PROBLEMS = 4;
const MOST_ECHOED = 60;

const known = new WeakMap<z.ZodType, JsonSchema>();

/** `place`: "path", "query" or "body". */
export function problemText(
  schema: z.ZodType,
  given: unknown,
  issues: readonly z.core.$ZodIssue[],
  place: string,
): string {
  const json = jsonSchemaOf(schema);
  const texts = issues.slice(0, MOST_PROBLEMS).map((issue) => issueText(json, given, issue, place));
  return texts.join("; ");
}

/** The same one is asked for again and again by who sends nonsense. */
function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  let json = known.get(schema);
  if (json === undefined) {
    json = z.toJSONSchema(schema, { io: "input", target: "draft-2020-12" }) as JsonSchema;
    known.set(schema, json);
  }
  return json;
}

function issueText(json: JsonSchema, given: unknown, issue: z.core.$ZodIssue, place: string): string {
  const name = issue.path[0];
  const names = [...new Set(shapes(json).flatMap(({ properties = {} }) => Object.keys(properties)))];
  if (name !== undefined) {
    const field = shapes(json).flatMap(({ properties = {} }) => properties[String(name)] ?? [])[0];
    return fieldText(String(name), (given as Record<string, unknown>)[String(name)], field);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return `the ${place} is to be an object with ${names.join(", ")}`;
  const strangers = Object.keys(given).filter((key) => !names.includes(key));
  if (strangers.length > 0) {
    const told = strangers.slice(0, MOST_PROBLEMS).map(echo).join(", ");
    return `the ${place} has no ${told}; there is ${names.join(", ")}`;
  }
  const choices = shapes(json).map(({ required = [] }) => required.join(" with "));
  return `the ${place} needs exactly one of ${choices.join(", ")}`;
}

/** The objects that it may be. */
function shapes(json: JsonSchema): readonly JsonSchema[] {
  return json.anyOf ?? [json];
}

function fieldText(name: string, given: unknown, field: JsonSchema | undefined): string {
  const wanted = field === undefined ? "" : `: ${wantedText(field)}`;
  return given === undefined
    ? `${name} is missing${wanted}`
    : `${name}: ${echo(given)} is not what is wanted here${wanted}`;
}

function wantedText(field: JsonSchema): string {
  const { type, minimum, maximum = Number.MAX_SAFE_INTEGER, minLength = 0, maxLength, description } = field;
  if (field.enum !== undefined) return `one of ${field.enum.join(", ")}`;
  if (type === "boolean") return "true or false";
  if (type === "integer") {
    const upTo = maximum === Number.MAX_SAFE_INTEGER ? "" : ` to ${maximum}`;
    return `a whole number from ${minimum ?? 0}${upTo}`;
  }
  if (field.pattern === undefined && maxLength !== undefined)
    return `${minLength} to ${maxLength} characters`;
  const words = (description ?? `a ${type ?? "value"}`).replace(/\.$/, "");
  return words.charAt(0).toLowerCase() + words.slice(1);
}

function echo(given: unknown): string {
  const text = JSON.stringify(given) ?? "nothing";
  return text.length <= MOST_ECHOED ? text : `${text.slice(0, MOST_ECHOED)}…`;
}
