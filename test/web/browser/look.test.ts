/** What the page looks like, for whoever uses it, as far as a machine can judge it. */

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, startChromium } from "./chromium.ts";
import { manySessions } from "./many-sessions.ts";
import { AUDIT, PageSite } from "./page-site.ts";
import { focusComplaints, treeComplaints } from "./tree.ts";

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

const WIDTHS = [
  ["on a desk", 1440],
  ["on a tablet", 740],
  ["on a phone", 360],
  ["on a small phone", 320],
] as const;

async function goTo(page: Page, [view, sign]: (typeof VIEWS)[number]): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(view)}`);
  await page.locator(`main ${sign}`).first().waitFor();
}

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

  it("can be read and used, light and dark, and nothing is wider than the window, cut off or without a name", async () => {
    const { page } = await site.enter(browser);
    for (const view of VIEWS) {
      await goTo(page, view);
      for (const [device, width] of WIDTHS) {
        await page.setViewportSize({ width, height: 800 });
        for (const colorScheme of ["light", "dark"] as const) {
          await page.emulateMedia({ colorScheme });
          expect(await page.evaluate(AUDIT), `${view[0]} ${colorScheme} ${device}`).toEqual([]);
        }
        expect(await treeComplaints(page), `${view[0]} ${device}`).toEqual([]);
      }
    }
  });

  it("is walked through by Tab in the order in which it is read, and shows where one is", async () => {
    const { page } = await site.enter(browser);
    for (const view of VIEWS) {
      await goTo(page, view);
      for (const [device, width] of [WIDTHS[0], WIDTHS[2]]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await focusComplaints(page), `${view[0]} ${device}`).toEqual([]);
      }
    }
  });

  it("does not move for who does not want that", async () => {
    const { page } = await site.enter(browser, "#/tunnels", { reducedMotion: "reduce" });
    await page.getByRole("button", { name: "Clear the lockout of lns4" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Clear lockout" }).click();
    await page.locator(".toast").waitFor();
    expect(await page.evaluate("document.getAnimations().length")).toBe(0);
  });
});
