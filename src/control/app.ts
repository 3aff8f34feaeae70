import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { Logger } from "../base/logger.ts";
import { OperationError } from "../gateway/operation-error.ts";
import type { Operations } from "../gateway/operations.ts";
import { CAPTURE_STREAMS } from "./capture-routes.ts";
import { type EventStreams, STREAM_HEADERS } from "./event-streams.ts";
import { type Failure, failureResponse, JSON_HEADERS } from "./failures.ts";
import type { Metrics } from "./metrics.ts";
import { openApiDocument } from "./openapi.ts";
import { isForeign } from "./origin.ts";
import { Pipelines } from "./pipelines.ts";
import type { LoopWatch } from "./probes.ts";
import { readInput } from "./request-input.ts";
import type { Route } from "./route.ts";
import { ROUTES } from "./routes.ts";
import type { StreamRoute } from "./stream-route.ts";

/** The page of the gateway: its files, by their paths; "/" is the first. */
export interface Page {
  /** Undefined when there is no such file. */
  serve(path: string, request: Request): Response | undefined | Promise<Response | undefined>;
}

/** What all listeners have in common. */
export interface AppParts {
  readonly operations: Operations;
  /** The program's. */
  readonly version: string;
  readonly logger: Logger;
  readonly events: EventStreams;
  readonly metrics: Metrics;
  readonly watch: LoopWatch;
  readonly page: Page | undefined;
}

interface Environment {
  readonly Bindings: HttpBindings;
}

const STATUS: Readonly<Record<string, number>> = {
  "bad-request": 400,
  "bad-config": 422,
  "no-such": 404,
  busy: 503,
};

const NOT_FOUND: Failure = {
  status: 404,
  code: "no-such",
  message: "there is nothing of that name",
  hint: "GET /v1/openapi.json tells what there is",
};

const UNAUTHORIZED: Failure = {
  status: 401,
  code: "unauthorized",
  message: "a token is needed here",
  hint: "Authorization: Bearer, and what the token file of this address has in it",
  headers: { "WWW-Authenticate": "Bearer" },
};

const FOREIGN: Failure = {
  status: 403,
  code: "cross-origin",
  message: "pages of other sites give no orders here, and make no captures",
};

const AHEAD: Failure = {
  status: 400,
  code: "bad-request",
  message: "an order or a capture comes after the answer to what was asked before it on its connection",
};

/** Whether who sends a request may ask. */
export type Admission = (request: IncomingMessage) => boolean;

/**
 * The HTTP API as a function from requests to answers. Everybody is admitted when `isAdmitted` is absent. Whether the
 * process is well, and the page's own files, are told to anybody.
 */
export function buildApp(parts: AppParts, isAdmitted?: Admission): Hono<Environment> {
  const app = new Hono<Environment>();
  addProbes(app, parts);
  if (isAdmitted !== undefined) {
    const guarded = ["/v1/*", "/metrics"];
    for (const path of guarded)
      app.use(path, async (context, next) => {
        if (!isAdmitted(context.env.incoming)) return failureResponse(UNAUTHORIZED);
        return next();
      });
  }
  const pipelines = new Pipelines();
  app.use("*", async ({ env: { incoming, outgoing } }, next) => {
    const isAhead = pipelines.isAhead(incoming, outgoing);
    if (incoming.method === "GET" || incoming.method === "HEAD") return next();
    if (isAhead) return failureResponse(AHEAD);
    return isForeign(incoming.headers) ? failureResponse(FOREIGN) : next();
  });
  for (const route of ROUTES) addRoute(app, route, parts);
  for (const route of CAPTURE_STREAMS) addStream(app, route, parts);
  addDocument(app, parts);
  addMetrics(app, parts);
  addEvents(app, parts);
  for (const path of new Set(app.routes.filter(({ method }) => method !== "ALL").map((route) => route.path)))
    app.all(path, (context) => failureResponse(wrongMethod(app, context.req.path, path)));
  addPage(app, parts);
  app.notFound(() => failureResponse(NOT_FOUND));
  app.onError((error, context) => failed(error, context.req.path, parts.logger));
  return app;
}

function addRoute(app: Hono<Environment>, route: Route, { operations, version }: AppParts): void {
  app.on(route.method, honoPath(route), async (context) => {
    const input = await readInput(route, context.req.raw, context.req.param());
    if (!input.ok) return failureResponse(input.failure);
    const wallClock = Date.now();
    const answer = await route.handle({ operations, version, wallClock }, input);
    return answer === undefined ? failureResponse(missing(context.req.path)) : json(answer);
  });
}

function addStream(app: Hono<Environment>, route: StreamRoute, { operations, version }: AppParts): void {
  app.get(honoPath(route), async (context) => {
    const input = await readInput(route, context.req.raw, context.req.param());
    if (!input.ok) return failureResponse(input.failure);
    // of HEAD hono makes an answer of its own, after ours
    if (context.req.method === "HEAD")
      return new Response(null, { headers: { "Content-Type": route.type, "Cache-Control": "no-store" } });
    const { incoming: request, outgoing: response } = context.env;
    // he would not get to read it, but it would be made
    if (isForeign(request.headers)) return failureResponse(FOREIGN);
    // nor before the answer to what was asked before it on its connection; if that closes, nobody hears of it
    if (response.socket === null) return failureResponse(AHEAD);
    route.open({ operations, version, request, response }, input);
    return RESPONSE_ALREADY_SENT;
  });
}

function honoPath({ path }: { readonly path: string }): string {
  return path.replaceAll(/\{(\w+)\}/g, ":$1");
}

function addDocument(app: Hono<Environment>, { version }: AppParts): void {
  let text: string | undefined;
  app.get("/v1/openapi.json", () => {
    text ??= `${JSON.stringify(openApiDocument(ROUTES, version))}\n`;
    return new Response(text, { headers: JSON_HEADERS });
  });
}

function addMetrics(app: Hono<Environment>, { metrics }: AppParts): void {
  app.get("/metrics", async () => {
    const { type, text } = await metrics.scrape();
    return new Response(text, { headers: { "Content-Type": type, "Cache-Control": "no-store" } });
  });
}

function addEvents(app: Hono<Environment>, { events }: AppParts): void {
  app.get("/v1/events", (context) => {
    if (!events.hasRoom)
      return failureResponse({
        status: 503,
        code: "busy",
        message: "as many listen to events as may",
        headers: { "Retry-After": "10" },
      });
    // of HEAD hono makes an answer of its own, after ours
    if (context.req.method === "HEAD") return new Response(null, { headers: STREAM_HEADERS });
    events.add(context.env.outgoing, context.req.header("last-event-id"));
    return RESPONSE_ALREADY_SENT;
  });
}

function addProbes(app: Hono<Environment>, { operations, watch }: AppParts): void {
  const answer = (reasons: readonly string[]): Response =>
    json({ ok: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503);
  app.get("/healthz", () => answer(watch.complaints()));
  app.get("/readyz", () => answer(operations.readiness().reasons));
}

function addPage(app: Hono<Environment>, { page }: AppParts): void {
  if (page === undefined) return;
  app.get("*", async (context) => {
    const { path } = context.req;
    const isOurs = path.startsWith("/v1/") || path === "/v1";
    const response = isOurs ? undefined : await page.serve(path, context.req.raw);
    return response ?? failureResponse(NOT_FOUND);
  });
}

/** "/v1/sessions/s9": there is no session s9. */
function missing(path: string): Failure {
  const [, , kind = "", id = ""] = path.split("/");
  return { status: 404, code: "no-such", message: `there is no ${kind.replace(/s$/, "")} ${id}` };
}

function wrongMethod(app: Hono<Environment>, path: string, pattern: string): Failure {
  const methods = app.routes
    .filter((route) => route.path === pattern && route.method !== "ALL")
    .map(({ method }) => method);
  const allow = methods.join(", ");
  return {
    status: 405,
    code: "method",
    message: `${path} takes ${allow} only`,
    headers: { Allow: allow },
  };
}

function failed(error: Error, path: string, logger: Logger): Response {
  if (error instanceof OperationError)
    return failureResponse({
      status: STATUS[error.code] ?? 500,
      code: error.code,
      message: error.message,
      hint: error.hint,
    });
  logger.error({ path, reason: error.stack }, "control request failed");
  return failureResponse({
    status: 500,
    code: "internal",
    message: "the gateway failed to answer, which is a bug of Lacewing's",
    hint: "its log has the details",
  });
}

function json(value: unknown, status = 200): Response {
  return new Response(`${JSON.stringify(value)}\n`, { status, headers: JSON_HEADERS });
}
