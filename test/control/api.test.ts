import { describe, expect, it } from "vitest";
import { failure } from "../../src/control/order-schemas.ts";
import { ROUTES } from "../../src/control/routes.ts";
import { OperationError } from "../../src/gateway/operation-error.ts";
import { sampleOperations } from "./sample-operations.ts";
import { type Answer, fetchFrom, order, serve } from "./serve.ts";

/** A request that each order understands. */
const BODIES: Readonly<Record<string, unknown>> = {
  "/v1/end": { session: "s1", reason: "moved" },
  "/v1/drain": { draining: true, interface: "acc0" },
  "/v1/lockouts/clear": { lns: "lns2" },
  "/v1/tunnel-tests": { user: "alice@isp.example" },
  "/v1/reload": { plan: true },
  "/v1/captures/end": { capture: "c1" },
};
const PATHS: Readonly<Record<string, string>> = {
  "/v1/sessions/{id}": "/v1/sessions/s1",
  "/v1/tunnels/{id}": "/v1/tunnels/11",
  "/v1/why": "/v1/why?session=s1",
};

/** Every refusal says why in the same form. */
function expectFailure(answer: Answer, status: number, code?: string): void {
  expect(answer.status).toBe(status);
  const { error } = failure.parse(answer.json);
  if (code !== undefined) expect(error.code).toBe(code);
}

describe("every route", () => {
  it.each(ROUTES.map((route) => [`${route.method} ${route.path}`, route] as const))(
    "answers as its schema says: %s",
    async (_, { method, path, answer }) => {
      const socket = await serve();
      const where = PATHS[path] ?? path;
      const got =
        method === "post" ? await order(socket, where, BODIES[path] ?? {}) : await fetchFrom(socket, where);
      expect(got.status, got.text).toBe(200);
      expect(got.headers["cache-control"]).toBe("no-store");
      expect(answer.parse(got.json)).toEqual(got.json);
    },
  );

  it.each(ROUTES.map((route) => [route.path, route] as const))(
    "takes its own method only: %s",
    async (path, { method }) => {
      const socket = await serve();
      const wrong = await fetchFrom(socket, PATHS[path] ?? path, {
        method: method === "get" ? "DELETE" : "GET",
      });
      expectFailure(wrong, 405, "method");
      expect(wrong.headers.allow).toBe(method.toUpperCase());
    },
  );
});

describe("orders", () => {
  it("are passed on as they were given", async () => {
    const operations = sampleOperations();
    const socket = await serve(operations);
    for (const [path, body] of Object.entries(BODIES)) await order(socket, path, body);
    await order(socket, "/v1/end", { user: "*@isp.example" });
    await order(socket, "/v1/lockouts/clear", {});
    expect(operations.orders).toEqual([
      ["end", { session: "s1" }, "moved"],
      ["drain", true, "acc0"],
      ["clearLockout", "lns2"],
      ["testTunnel", { user: "alice@isp.example" }],
      ["reload", true],
      ["endCapture", "c1", "ended by an operator"],
      ["end", { user: "*@isp.example" }, "ended by the operator"],
      ["clearLockout", undefined],
    ]);
  });

  it.each([
    ["/v1/end", {}],
    ["/v1/end", { session: "s1", user: "alice" }],
    ["/v1/end", { session: "1" }],
    ["/v1/end", { tunnel: 70_000 }],
    ["/v1/end", { user: "" }],
    ["/v1/drain", { draining: "yes" }],
    ["/v1/drain", { draining: true, interfaces: ["acc0"] }],
    ["/v1/tunnel-tests", { user: "a", lns: "b" }],
    ["/v1/lockouts/clear", [1]],
    ["/v1/lockouts/clear", null],
  ])("that make no sense are refused: %s %j", async (path, body) => {
    const operations = sampleOperations();
    expectFailure(await order(await serve(operations), path, body), 400, "bad-request");
    expect(operations.orders).toEqual([]);
  });

  it("need a body of JSON, and not a long one", async () => {
    const socket = await serve();
    const json = { "Content-Type": "application/json" };
    expectFailure(await fetchFrom(socket, "/v1/end", { method: "POST", body: "{}" }), 415);
    expectFailure(await fetchFrom(socket, "/v1/end", { headers: json, body: "{" }), 400);
    expectFailure(await fetchFrom(socket, "/v1/end", { headers: json, body: " ".repeat(20_000) }), 413);
    const chunked = { ...json, "Transfer-Encoding": "chunked" };
    expectFailure(await fetchFrom(socket, "/v1/end", { headers: chunked, body: " ".repeat(2_000_000) }), 413);
  });

  it("that cannot be say why, and what would help", async () => {
    const socket = await serve(
      sampleOperations({
        testTunnel: () => Promise.reject(new OperationError("busy", "4 tests are under way", "try again")),
      }),
    );
    const gone = await order(socket, "/v1/end", { session: "s9" });
    expectFailure(gone, 404, "no-such");
    expect(gone.json).toEqual({
      error: { code: "no-such", message: "there is no session s9", hint: "it may have ended" },
    });
    expectFailure(await order(socket, "/v1/tunnel-tests", { lns: "lns1" }), 503, "busy");
  });
});

describe("the list of sessions", () => {
  async function asked(search: string): Promise<unknown> {
    const operations = sampleOperations();
    const answer = await fetchFrom(await serve(operations), `/v1/sessions${search}`);
    expect(answer.status, answer.text).toBe(200);
    return (operations.orders[0] as unknown[])[1];
  }

  it("is asked for with filters, order and part", async () => {
    expect(await asked("")).toEqual({ sort: "id", descending: false, limit: 100 });
    expect(
      await asked(
        "?user=a*&realm=isp&lns=l&state=open&role=lac&interface=acc0&mac=02:00:5E:10:00:01&tunnel=7",
      ),
    ).toEqual({
      user: "a*",
      realm: "isp",
      lns: "l",
      state: "open",
      role: "lac",
      interface: "acc0",
      mac: "02:00:5E:10:00:01",
      tunnel: 7,
      sort: "id",
      descending: false,
      limit: 100,
    });
    expect(await asked("?sort=-out&limit=5&cursor=abc")).toEqual({
      sort: "out",
      descending: true,
      limit: 5,
      cursor: "abc",
    });
    expect(await asked("?since=2026-01-02T03:04:05Z")).toMatchObject({
      since: Date.UTC(2026, 0, 2, 3, 4, 5),
    });
    const { since } = (await asked("?since=15m")) as { since: number };
    expect(Math.abs(Date.now() - 900_000 - since)).toBeLessThan(60_000);
  });

  it.each([
    "?limit=0",
    "?limit=1001",
    "?limit=many",
    "?limit=5&limit=6",
    "?sort=password",
    "?state=great",
    "?since=yesterday",
    "?tunnel=x",
    "?constructor=1",
    "?mac=02-00-5e-10-00-01",
    "?__proto__=1",
    `?user=${"x".repeat(300)}`,
  ])("is refused with %s", async (search) => {
    const answer = await fetchFrom(await serve(), `/v1/sessions${search}`);
    expectFailure(answer, 400, "bad-request");
    if (!search.includes("limit=5")) expect(answer.text).not.toContain("given twice");
  });
});

describe("what there is not", () => {
  it.each([
    "/",
    "/v1",
    "/v1/",
    "/v1/nothing",
    "/v1/constructor",
    "/v1//sessions",
    "/v1/sessions/",
    "/v1/sessions/s9",
    "/v1/tunnels/12",
    "/v1/../../etc/passwd",
    "/v1/%2e%2e/%2e%2e/etc/passwd",
    "/metrics/..%2fv1",
    "/%00",
    "/v1/sessions%00",
  ])("is 404, or no request: %s", async (path) => {
    const answer = await fetchFrom(await serve(), path);
    expect([400, 404]).toContain(answer.status);
    failure.parse(answer.json);
  });

  it.each([
    "/v1/sessions/1",
    "/v1/sessions/s1x",
    "/v1/sessions/%73%31%20",
    "/v1/tunnels/0",
    "/v1/why",
    "/v1/why?call=7",
  ])("is 400 where it cannot be: %s", async (path) => {
    expectFailure(await fetchFrom(await serve(), path), 400, "bad-request");
  });
});

describe("a page", () => {
  const page = { serve: (path: string) => (path === "/" ? new Response("<h1>hello</h1>") : undefined) };

  it("is served beside the API", async () => {
    const socket = await serve(sampleOperations(), { page });
    expect((await fetchFrom(socket, "/")).text).toBe("<h1>hello</h1>");
    expectFailure(await fetchFrom(socket, "/other.js"), 404);
    expectFailure(await fetchFrom(socket, "/v1/nothing"), 404);
    expectFailure(await fetchFrom(socket, "/", { method: "POST" }), 404);
  });
});

describe("probes", () => {
  it("say that the process is alive, and that calls are taken", async () => {
    const socket = await serve();
    for (const path of ["/healthz", "/readyz"])
      expect(await fetchFrom(socket, path)).toMatchObject({ status: 200, json: { ok: true, reasons: [] } });
  });

  it("say why calls are not taken", async () => {
    const readiness = () => ({ ready: false, reasons: ["the gateway is stopping"] });
    expect(await fetchFrom(await serve(sampleOperations({ readiness })), "/readyz")).toMatchObject({
      status: 503,
      json: { ok: false, reasons: ["the gateway is stopping"] },
    });
  });

  it("say that the process was held up, to everybody who asks", async () => {
    const socket = await serve();
    const status = async () => (await fetchFrom(socket, "/healthz")).status;
    const heldUp = () => {
      const until = performance.now() + 1060;
      while (performance.now() < until);
      return status();
    };
    // the first time, the clock that notices may not have begun to tick
    await expect.poll(heldUp, { timeout: 15_000 }).toBe(503);
    expect(await Promise.all([status(), status()])).toEqual([503, 503]);
  });
});
