import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { silentLogger } from "../../src/base/logger.ts";
import { type ControlAddress, LISTENER_LIMITS } from "../../src/control/listeners.ts";
import { freePort } from "./free-port.ts";
import { rawClient } from "./raw-client.ts";
import { sampleOperations } from "./sample-operations.ts";
import { fetchFrom, serve, temporaryFolder } from "./serve.ts";

const TOKEN = "0123456789abcdefghij";

/** Serves on an address with what is in `folder`; returns its port. */
async function serveOn(
  folder: string,
  more: Omit<ControlAddress, "address" | "port">,
  limits = LISTENER_LIMITS,
): Promise<number> {
  const port = await freePort();
  const addresses = [{ address: "127.0.0.1", port, ...more }];
  const page = { serve: () => new Response("page") };
  await serve(sampleOperations(), { folder, addresses, page, limits });
  return port;
}

function folderWithToken(): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "token"), `${TOKEN}\n`, { mode: 0o600 });
  return folder;
}

it("an address that the host does not have is waited for, and the socket served on meanwhile", async () => {
  const said: unknown[] = [];
  const warn = (fields: object, text: string) => said.push({ ...fields, text });
  // of documentation: nobody's
  const addresses = [{ address: "192.0.2.254", port: 9180, tokenFile: "token" }];
  const options = { folder: folderWithToken(), addresses, logger: { ...silentLogger, warn } };
  const socketPath = await serve(sampleOperations(), options);
  expect((await fetchFrom(socketPath, "/v1/status")).status).toBe(200);
  const text = "the address of the HTTP API is not there yet; waiting for it";
  expect(said).toEqual([{ address: "192.0.2.254", port: 9180, text }]);
});

describe("an address with a token", () => {
  it("answers who has it", async () => {
    const port = await serveOn(folderWithToken(), { tokenFile: "token" });
    for (const path of ["/v1/status", "/metrics", "/v1/openapi.json"])
      expect((await fetchFrom(port, path, { headers: { Authorization: `Bearer ${TOKEN}` } })).status).toBe(
        200,
      );
  });

  it.each([
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Bearer ${TOKEN.slice(1)}`,
    `Bearer ${TOKEN}x`,
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    TOKEN,
  ])("refuses who shows %j", async (authorization) => {
    const port = await serveOn(folderWithToken(), { tokenFile: "token" });
    const headers = authorization === undefined ? {} : { Authorization: authorization };
    for (const path of [
      "/v1/sessions",
      "/v1/sessions/s1/capture",
      "/v1/events",
      "/metrics",
      "/v1/openapi.json",
      "/v1/nothing",
      "/v1//status",
    ])
      expect(await fetchFrom(port, path, { headers })).toMatchObject({
        status: 401,
        headers: { "www-authenticate": "Bearer" },
        json: { error: { code: "unauthorized" } },
      });
    const order = { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body: "{}" };
    expect((await fetchFrom(port, "/v1/end", order)).status).toBe(401);
  });

  it("tells everybody whether it is well, and serves the page that asks for the token", async () => {
    const port = await serveOn(folderWithToken(), { tokenFile: "token" });
    for (const path of ["/healthz", "/readyz", "/"]) expect((await fetchFrom(port, path)).status).toBe(200);
  });

  it("is not opened without one, or when others can read it", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "open"), TOKEN, { mode: 0o644 });
    writeFileSync(join(folder, "short"), "short", { mode: 0o600 });
    await expect(serveOn(folder, {})).rejects.toThrow("neither a token nor client certificates");
    await expect(serveOn(folder, { tokenFile: "none" })).rejects.toThrow("cannot be opened");
    await expect(serveOn(folder, { tokenFile: "open" })).rejects.toThrow("is a secret, but its mode 0644");
    await expect(serveOn(folder, { tokenFile: "short" })).rejects.toThrow("16 to 255 characters");
  });
});

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)("an address with client certificates", () => {
  /** A certificate of its own that is also the authority, and one by another authority. */
  function certificates(): string {
    const folder = temporaryFolder();
    for (const name of ["ours", "other"]) {
      const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
      const files = ["-keyout", `${name}.key`, "-out", `${name}.pem`];
      const made = spawnSync("openssl", [...words, ...files, "-days", "2", "-subj", `/CN=${name}`], {
        cwd: folder,
      });
      expect(made.status, String(made.stderr)).toBe(0);
    }
    return folder;
  }

  function ask(port: number, folder: string, name?: string): Promise<number> {
    const file = (suffix: string) => readFileSync(join(folder, `${name}.${suffix}`));
    const identity = name === undefined ? {} : { key: file("key"), cert: file("pem") };
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: "127.0.0.1", port, path: "/v1/status", agent: false, rejectUnauthorized: false, ...identity },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  it("answers who has one from the authority, and nobody else", async () => {
    const folder = certificates();
    const tls = { certFile: "ours.pem", keyFile: "ours.key", clientCaFile: "ours.pem" };
    const port = await serveOn(folder, { tls });
    expect(await ask(port, folder, "ours")).toBe(200);
    await expect(ask(port, folder)).rejects.toThrow();
    await expect(ask(port, folder, "other")).rejects.toThrow();
    await expect(fetchFrom(port, "/v1/status")).rejects.toThrow();
  });

  it("keeps no place for who connects and says nothing", async () => {
    const folder = certificates();
    const tls = { certFile: "ours.pem", keyFile: "ours.key", clientCaFile: "ours.pem" };
    const port = await serveOn(folder, { tls }, { ...LISTENER_LIMITS, requestMs: 200 });
    await rawClient(port).over;
  });
});
