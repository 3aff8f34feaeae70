import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CAPTURE_STREAMS } from "../../src/control/capture-routes.ts";
import { openApiDocument } from "../../src/control/openapi.ts";
import { ROUTES } from "../../src/control/routes.ts";

const DOCUMENT = fileURLToPath(new URL("../../docs/openapi.json", import.meta.url));

describe("the OpenAPI document", () => {
  it("in docs/ is what the table says (npm run docs, or vitest -u)", async () => {
    const text = `${JSON.stringify(openApiDocument(ROUTES, "1"), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(DOCUMENT);
  });

  it("tells every route once, with its parameters, body and answer", () => {
    const { paths } = openApiDocument(ROUTES, "1") as {
      paths: Record<
        string,
        Record<string, { operationId: string; parameters?: { name: string; schema: object }[] }>
      >;
    };
    for (const { path, method } of ROUTES) expect(paths[path]?.[method]).toBeDefined();
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    expect(operations.length).toBe(ROUTES.length + CAPTURE_STREAMS.length + 5);
    const sessions = paths["/v1/sessions"]?.get?.parameters ?? [];
    expect(sessions.map(({ name }) => name)).toEqual([
      "user",
      "realm",
      "lns",
      "state",
      "role",
      "interface",
      "mac",
      "tunnel",
      "since",
      "sort",
      "limit",
      "cursor",
    ]);
    expect(sessions.find(({ name }) => name === "limit")?.schema).toEqual({
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 100,
    });
    expect(JSON.stringify(paths)).not.toMatch(/"schema":\{\}/);
  });
});
