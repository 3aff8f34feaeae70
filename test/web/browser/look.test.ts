/** What the page looks like, for whoever uses it, as far as a machine can judge it. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, startChromium } from "./chromium.ts";
import { manySessions } from "./many-sessions.ts";
import { AUDIT, PageSite } from "./page-site.ts";

/** Each view, and what is there when it has been drawn. */
const VIEWS = [
  ["#/", ".drops li"],
  ["#/sessions", ".grid [data-session]"],
  ["#/sessions/s7", ".story-head"],
  ["#/sessions/s99999", ".gone"],
  ["#/tunnels", "td"],
  ["#/why?user=alice", ".story-head"],
  ["#/nowhere", ".empty"],
] as const;

describe.skipIf(!hasChromium)("the page", () => {
  let site: PageSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([PageSite.start(manySessions()), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  describe.each(["light", "dark"] as const)("in %s colours", (colorScheme) => {
    it.each([
      ["on a desk", 1440],
      ["on a small phone", 320],
    ])("can be read and used %s, and nothing is wider than the window", async (_, width) => {
      const viewport = { width, height: 800 };
      const { page } = await site.enter(browser, "", { colorScheme, viewport });
      for (const [view, sign] of VIEWS) {
        await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
        await page.locator(`main ${sign}`).first().waitFor();
        expect(await page.evaluate(AUDIT), view).toEqual([]);
      }
    });
  });

  it("does not move for who does not want that", async () => {
    const { page } = await site.enter(browser, "#/tunnels", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Clear the lockout of lns4" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Clear lockout" }).click();
    await page.locator(".toast").waitFor();
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  });
});
