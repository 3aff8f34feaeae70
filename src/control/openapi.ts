/** The OpenAPI 3.1 document of the HTTP API, made from its table. */

import { z } from "zod";
import { CAPTURE_STREAMS } from "./capture-routes.ts";
import { eventData } from "./event-schemas.ts";
import { failure } from "./order-schemas.ts";
import type { Route } from "./route.ts";
import type { StreamRoute } from "./stream-route.ts";

type Json = Readonly<Record<string, unknown>>;

/** The document; `version` is the program's. */
export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: operation(route) };
  for (const route of CAPTURE_STREAMS) paths[route.path] = { get: streamOperation(route) };
  for (const [path, get] of Object.entries(OTHERS)) paths[path] = { get };
  return {
    openapi: "3.1.0",
    info: {
      title: "Lacewing",
      version,
      description:
        "What an operator can ask of a running gateway, and tell it. It is spoken on the Unix socket, and on the addresses of `control.listen`; there, with a token or a client certificate.",
      license: { name: "MIT" },
    },
    security: [{ token: [] }, {}],
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { Error: schemaOf(failure, "output"), Event: schemaOf(eventData, "output") },
      securitySchemes: { token: { type: "http", scheme: "bearer" } },
    },
  };
}

function operation(route: Route): Json {
  const { method, path, summary, description, parameters, query, body, answer } = route;
  return {
    operationId: operationId(method, path),
    summary,
    ...(description !== undefined && { description }),
    ...((parameters ?? query) && {
      parameters: [...described(parameters, "path"), ...described(query, "query")],
    }),
    ...(body !== undefined && {
      requestBody: { required: true, content: { "application/json": { schema: schemaOf(body, "input") } } },
    }),
    responses: {
      200: {
        description: "The answer.",
        content: { "application/json": { schema: schemaOf(answer, "output") } },
      },
      default: FAILED,
    },
  };
}

function streamOperation(route: StreamRoute): Json {
  const { path, summary, description, parameters, query, type, answer } = route;
  return {
    operationId: operationId("get", path),
    summary,
    description,
    parameters: [...described(parameters, "path"), ...described(query, "query")],
    responses: { ...answers(type, { type: "string", format: "binary" }, answer), default: FAILED },
  };
}

const FAILED = {
  description: "It could not be done.",
  content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
};

/** The properties of an object as parameters. */
function described(schema: z.ZodObject | undefined, place: "path" | "query"): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, "input") as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  return Object.entries(properties).map(([name, { description, ...type }]) => ({
    name,
    in: place,
    ...(description !== undefined && { description }),
    ...((place === "path" || required.includes(name)) && { required: true }),
    schema: type,
  }));
}

function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, target: "draft-2020-12" });
  return rest;
}

/** "get /v1/sessions/{id}": getSessionsById. */
function operationId(method: string, path: string): string {
  const words = path
    .replace("/v1/", "")
    .replaceAll(/\{(\w+)\}/g, "by-$1")
    .split(/[/-]/);
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function answers(type: string, schema: Json, description: string): Json {
  return { 200: { description, content: { [type]: { schema } } } };
}

const TEXT = { type: "string" };
const REASONS = {
  type: "object",
  properties: { ok: { type: "boolean" }, reasons: { type: "array", items: TEXT } },
  required: ["ok", "reasons"],
};

/** What answers otherwise than by one JSON value. */
const OTHERS: Readonly<Record<string, Json>> = {
  "/v1/events": {
    operationId: "getEvents",
    summary: "Events of sessions, tunnels and LNSes as they happen.",
    description:
      "Server-sent events: the event's name is its kind, its id a number that grows by one, its data an Event as JSON. With Last-Event-ID it goes on where a connection was lost, as far as the events are kept; an event `gap` says that some are not. A comment comes every 15 s. Who does not read is cut off with an event `cut-off`.",
    parameters: [
      { name: "Last-Event-ID", in: "header", description: "The last event that was seen.", schema: TEXT },
    ],
    responses: answers("text/event-stream", TEXT, "Events without end."),
  },
  "/v1/openapi.json": {
    operationId: "getOpenapi",
    summary: "This document.",
    responses: answers("application/json", { type: "object" }, "OpenAPI 3.1."),
  },
  "/metrics": {
    operationId: "getMetrics",
    summary: "Counters and gauges for Prometheus.",
    responses: answers("text/plain", TEXT, "Prometheus' text format."),
  },
  "/healthz": {
    operationId: "getHealthz",
    summary: "Whether the process is alive and answers in time. Needs no token.",
    security: [],
    responses: {
      ...answers("application/json", REASONS, "It is."),
      503: { description: "It does not keep up." },
    },
  },
  "/readyz": {
    operationId: "getReadyz",
    summary:
      "Whether calls are taken: ports open, their addresses there, not draining, engine up, not stopping. Needs no token.",
    security: [],
    responses: {
      ...answers("application/json", REASONS, "They are."),
      503: { description: "They are not." },
    },
  },
};
