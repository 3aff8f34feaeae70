/** `npm start` says what README.md has it say, and the page whose address it tells shows the lab. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { isRoot } from "../../support/system.ts";
import { hasChromium, startChromium, visit } from "../../web/browser/chromium.ts";
import { replay, titled } from "../pages.ts";

const ROOT = new URL("../../../", import.meta.url);
/** What `npm start` runs when all is set up; the set-up itself could not be run beside other tests. */
const LAB = "dist/lab/main.js";

describe.skipIf(!isRoot)("npm start", () => {
  let lab: ChildProcess;
  let said = "";

  /** Until it shows how much goes up and down: by then it has said everything else. */
  async function start(command: string): Promise<string> {
    const { scripts } = JSON.parse(readFileSync(new URL("package.json", ROOT), "utf8")) as {
      scripts: Record<string, string>;
    };
    expect([command, scripts.start]).toEqual(["npm start", expect.stringMatching(`exec node ${LAB}$`)]);
    lab = spawn("setpriv", ["--pdeathsig", "TERM", process.execPath, LAB], {
      cwd: ROOT,
      stdio: ["ignore", "pipe", "inherit"],
    });
    lab.stdout!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    await eventually("the lab shows what it does", () => /up \d.*\n/.test(said), {
      timeoutMs: 50_000,
      hopeless: () => (lab.exitCode === null ? undefined : said),
    });
    return said.trimEnd();
  }

  afterAll(async () => {
    if (lab === undefined || lab.exitCode !== null) return;
    const ended = new Promise((resolve) => lab.once("close", resolve));
    lab.kill("SIGTERM");
    await ended;
  });

  it.each(titled("start"))("%s", async (_title, transcript) => {
    const { is, should } = await replay(transcript, start);
    expect(is).toBe(should);
  });

  it.skipIf(!hasChromium)("tells the address of a page on which the lab is seen", async () => {
    const address = /page: (\S+)/.exec(said)?.[1] ?? "";
    const browser = await startChromium();
    try {
      const { page, complaints } = await visit(browser, address);
      const online = page.locator("[data-tile=online] .value");
      await eventually("alice is on the page", async () => (await online.textContent()) === "1");
      await page.getByRole("link", { name: "Sessions", exact: true }).click();
      await page.getByRole("link", { name: "alice@isp.example" }).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});
