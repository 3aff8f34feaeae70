/** Reads what a request brings, by the schemas of its route, and no more than that. */

import type { z } from "zod";
import type { Failure } from "./failures.ts";
import { problemText } from "./input-words.ts";
import type { Route } from "./route.ts";

/** The largest body that any route takes has a few hundred octets. */
const MAX_BODY_BYTES = 16 * 1024;

export type Input =
  | {
      readonly ok: true;
      readonly parameters: unknown;
      readonly query: unknown;
      readonly body: unknown;
    }
  | { readonly ok: false; readonly failure: Failure };

/** `parameters`: as they stand in the path. */
export async function readInput(
  route: Pick<Route, "parameters" | "query" | "body">,
  request: Request,
  parameters: Readonly<Record<string, string>>,
): Promise<Input> {
  const body = await readBody(route, request);
  if (!body.ok) return body;
  // an object of no kind: "constructor" is a name like others
  const query: Record<string, string> = Object.create(null);
  for (const [name, value] of new URL(request.url).searchParams) {
    if (name in query) return bad(`${name} is given twice`);
    query[name] = value;
  }
  const parts = [
    parse(route.parameters, parameters, "path"),
    parse(route.query, query, "query"),
    parse(route.body, body.value, "body"),
  ] as const;
  for (const part of parts) if (!part.ok) return part;
  const [ofPath, ofQuery, ofBody] = parts.map((part) => (part.ok ? part.value : undefined));
  return { ok: true, parameters: ofPath, query: ofQuery, body: ofBody };
}

type Part =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly failure: Failure };

function parse(schema: z.ZodType | undefined, value: unknown, place: string): Part {
  if (schema === undefined) {
    const isEmpty = typeof value !== "object" || value === null || Object.keys(value).length === 0;
    return isEmpty ? { ok: true, value: undefined } : bad(`nothing is asked for in the ${place}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  return bad(problemText(schema, value, parsed.error.issues, place));
}

async function readBody(route: Pick<Route, "body">, request: Request): Promise<Part> {
  const { headers } = request;
  const announced = Number(headers.get("content-length") ?? 0);
  if (route.body === undefined)
    return announced > 0 || headers.has("transfer-encoding")
      ? { ok: false, failure: { status: 413, code: "body", message: "this request has no body" } }
      : { ok: true, value: undefined };
  const type = headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/json")
    return {
      ok: false,
      failure: { status: 415, code: "content-type", message: "the body is to be application/json" },
    };
  const octets = announced > MAX_BODY_BYTES ? "too-many" : await readOctets(request);
  if (octets === "cut-off") return bad("the body is not complete, or is not in the form that was announced");
  if (octets === "too-many")
    return {
      ok: false,
      failure: { status: 413, code: "body", message: `the body has more than ${MAX_BODY_BYTES} octets` },
    };
  try {
    return { ok: true, value: JSON.parse(octets.toString("utf8")) };
  } catch {
    return bad("the body is not JSON");
  }
}

/** They are not waited for once there are too many; who is cut off has hung up, or sent malformed chunks. */
async function readOctets(request: Request): Promise<Buffer | "too-many" | "cut-off"> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body ?? []) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) return "too-many";
      chunks.push(chunk);
    }
  } catch {
    // nobody else can make reading fail than who sends
    return "cut-off";
  }
  return Buffer.concat(chunks);
}

function bad(message: string): { readonly ok: false; readonly failure: Failure } {
  return { ok: false, failure: { status: 400, code: "bad-request", message } };
}
