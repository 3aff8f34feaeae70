import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Page } from "../../src/control/app.ts";
import { loadPage } from "../../src/control/page.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve, temporaryFolder } from "./serve.ts";

const INDEX = "<!doctype html><title>Lacewing</title>\n";
const SCRIPT = "/* script */\n".repeat(100);

function built(): Page {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "web", "assets"), { recursive: true });
  writeFileSync(join(folder, "secret.html"), "of nobody's concern");
  writeFileSync(join(folder, "web", "index.html"), INDEX);
  writeFileSync(join(folder, "web", "notes.txt"), "of no kind that a page has");
  writeFileSync(join(folder, "web", "assets", "index-abc.js"), SCRIPT);
  const page = loadPage(join(folder, "web"));
  if (page === undefined) throw new Error("there is no page");
  return page;
}

const servePage = (): Promise<string> => serve(sampleOperations(), { page: built() });

describe("the page's files", () => {
  it("are served with headers that let nothing else in", async () => {
    const answer = await fetchFrom(await servePage(), "/");
    expect(answer).toMatchObject({ status: 200, text: INDEX });
    expect(answer.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "cross-origin-opener-policy": "same-origin",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    const policy = answer.headers["content-security-policy"];
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });

  it("may be kept for ever when their names carry a hash", async () => {
    const answer = await fetchFrom(await servePage(), "/assets/index-abc.js");
    expect(answer).toMatchObject({ status: 200, text: SCRIPT });
    expect(answer.headers["cache-control"]).toContain("immutable");
    expect(answer.headers["content-type"]).toContain("javascript");
  });

  it("are sent packed to who takes that, and not at all to who has them", async () => {
    const page = built();
    const asked = (headers: Record<string, string>) =>
      page.serve("/assets/index-abc.js", new Request("http://x/", { headers })) as Response;
    const packed = asked({ "Accept-Encoding": "br, gzip" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await packed.arrayBuffer()).toString()).toBe(SCRIPT);
    const again = asked({ "If-None-Match": packed.headers.get("etag") ?? "" });
    expect(again.status).toBe(304);
    expect(await again.text()).toBe("");
  });

  it.each([
    "/secret.html",
    "/../secret.html",
    "/assets/../../secret.html",
    "/%2e%2e/secret.html",
    "/..%2fsecret.html",
    "/assets",
    "/assets/",
    "/index.html",
    "/notes.txt",
    "//index.html",
    "/index.html%00",
    "/constructor",
  ])("are only those of the folder: not %s", async (path) => {
    expect((await fetchFrom(await servePage(), path)).status).toBe(404);
  });

  it("do not stand before the API", async () => {
    const socket = await servePage();
    expect((await fetchFrom(socket, "/v1/status")).status).toBe(200);
    expect((await fetchFrom(socket, "/v1/nothing")).status).toBe(404);
    expect((await fetchFrom(socket, "/", { method: "POST" })).status).toBe(404);
  });

  it("are absent where the page has not been built", () => {
    expect(loadPage(join(temporaryFolder(), "nothing"))).toBeUndefined();
    expect(loadPage(temporaryFolder())).toBeUndefined();
  });
});
