/** The page and the HTTP API of a gateway that is played, on a port of this host. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions, Page as BrowserPage } from "playwright-core";
import { build } from "vite";
import { silentLogger } from "../../../src/base/logger.ts";
import { Secret } from "../../../src/base/secret.ts";
import type { Page } from "../../../src/control/app.ts";
import { loadPage } from "../../../src/control/page.ts";
import { type ControlServer, startControlServer } from "../../../src/control/server.ts";
import type { Operations } from "../../../src/gateway/operations.ts";
import { type Visit, visit } from "./chromium.ts";

const VITE = fileURLToPath(new URL("../../../web/vite.config.ts", import.meta.url));

/** What is run in the page to judge it. */
export const AUDIT = readFileSync(new URL("./audit.js", import.meta.url), "utf8");

/** A figure of the overview. */
export const tile = (page: BrowserPage, name: string) => page.locator(`[data-tile=${name}] .value`);

export const TOKEN = "played-gateway-token";

export class PageSite {
  readonly url: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #operations: Operations;
  readonly #page: Page;
  #server: ControlServer | undefined;

  private constructor(folder: string, port: number, operations: Operations, page: Page) {
    this.#folder = folder;
    this.#port = port;
    this.#operations = operations;
    this.#page = page;
    this.url = `http://127.0.0.1:${port}/`;
  }

  /** Builds the page of web/ as it is now. */
  static async start(operations: Operations): Promise<PageSite> {
    const folder = mkdtempSync(join(tmpdir(), "lacewing-page-"));
    const built = join(folder, "built");
    await build({ configFile: VITE, logLevel: "error", build: { outDir: built } });
    const page = loadPage(built);
    if (page === undefined) throw new Error("the page was not built");
    const site = new PageSite(folder, await freePort(), operations, page);
    await site.open();
    return site;
  }

  /** A link into the page with the token in it. */
  get link(): string {
    return `${this.url}#token=${TOKEN}`;
  }

  /** Somebody comes in by the link, and goes on to a view; there is something to be seen when this returns. */
  async enter(browser: Browser, view = "", options: BrowserContextOptions = {}): Promise<Visit> {
    const visitor = await visit(browser, this.link, options);
    await tile(visitor.page, "online").waitFor();
    if (view !== "") {
      await visitor.page.evaluate(`location.hash = ${JSON.stringify(view)}`);
      await visitor.page.locator("main .grid, main .panel").first().waitFor();
    }
    return visitor;
  }

  async open(): Promise<void> {
    this.#server = await startControlServer(this.#operations, {
      socketPath: join(this.#folder, "lacewing.sock"),
      addresses: [{ address: "127.0.0.1", port: this.#port, token: new Secret(TOKEN) }],
      version: "1.2.3",
      logger: silentLogger,
      page: this.#page,
    });
  }

  /** The gateway goes away. */
  async shut(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  async close(): Promise<void> {
    await this.shut();
    rmSync(this.#folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
