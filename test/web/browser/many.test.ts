/** The page in real Chromium, before a gateway that is played and has 64,000 sessions. */

import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { readPcapng } from "../../support/pcapng.ts";
import { longestTasks } from "./busy.ts";
import { hasChromium, startChromium, visit } from "./chromium.ts";
import { MANY, manySessions } from "./many-sessions.ts";
import { AUDIT, PageSite, TOKEN, tile } from "./page-site.ts";

const ONLINE = "63,872";

const rows = (page: Page) => page.locator("[data-session]");
/** What has the focus, by its text or name. */
const focused = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.textContent");

describe.skipIf(!hasChromium)("the page of a gateway with 64,000 sessions", () => {
  const operations = manySessions();
  let site: PageSite;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([PageSite.start(operations), startChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  it("asks for the token, says when it is wrong, and keeps it while the tab is open", async () => {
    const { page } = await visit(browser, site.url);
    const field = page.getByLabel("Token", { exact: true });
    await field.fill("not-the-right-token");
    await field.press("Enter");
    await page.getByText("That was not the token of this address.").waitFor();
    expect(await page.evaluate(AUDIT)).toEqual([]);
    await field.fill(TOKEN);
    await field.press("Enter");
    await tile(page, "online").waitFor();
    await page.reload();
    await tile(page, "online").waitFor();
    const stranger = await visit(browser, site.url);
    await stranger.page.getByLabel("Token", { exact: true }).waitFor();
  });

  it("takes the token out of the link, and talks to nobody else", async () => {
    const { page, complaints, hosts } = await site.enter(browser);
    expect(page.url()).toBe(`${site.url}#/`);
    await page.locator(".uplot canvas").first().waitFor();
    expect([...hosts]).toEqual([new URL(site.url).host]);
    expect(complaints).toEqual([]);
  });

  it("shows what the gateway says of itself", async () => {
    const { page } = await site.enter(browser);
    await page.getByRole("row", { name: /lns4/ }).waitFor();
    const values = ["online", "setups", "down", "up", "tunnels"].map((name) =>
      tile(page, name).textContent(),
    );
    expect(await Promise.all(values)).toEqual([ONLINE, "812", "10.0 Gbit/s", "1.00 Gbit/s", "3"]);
    const { drops } = operations.health();
    for (const { reason, meaning } of drops) {
      const item = page.locator(".drops li", { hasText: reason });
      expect(await item.textContent()).toContain(meaning);
    }
    await page.getByText("is locked out for 3m32s more").waitFor();
    const picture = page.getByRole("group", { name: "Ports, gateway and LNSes" });
    await picture.getByRole("link", { name: /^lns1: 21,333 sessions, 6\.00 Gbit\/s to/ }).waitFor();
    await picture.getByRole("link", { name: /^lns4: .*; locked out$/ }).waitFor();
  });

  it("counts a lockout down between two answers", async () => {
    const { page } = await site.enter(browser, "#/tunnels");
    const row = page.getByRole("row", { name: /lns4/ });
    const seen = new Set<string>();
    await eventually("two seconds have been seen", async () => {
      seen.add(/for (\d+:\d\d) more/.exec((await row.textContent()) ?? "")?.[1] ?? "");
      return seen.has("3:32") && seen.has("3:31");
    });
  });

  it("tells what happens", async () => {
    const { page } = await site.enter(browser);
    await page.getByText("Nothing since you opened this page.").waitFor();
    await eventually("the event is told", async () => {
      operations.events.publish({ kind: "lns-back", peer: "lns4" });
      return (await page.locator(".events").textContent())?.includes("lns4 takes calls again");
    });
  });

  it("draws few rows of the table, and gets more as they are wanted", async () => {
    const { page } = await site.enter(browser, "#/sessions");
    await rows(page).first().waitFor();
    expect(await page.getByText("64,000 of 64,000 sessions").count()).toBe(1);
    expect(await page.getByRole("grid").getAttribute("aria-rowcount")).toBe(String(MANY + 1));
    await eventually("row 3,000 has been reached", async () => {
      await page.evaluate("document.querySelector('.grid').scrollTo(0, 1e9)");
      expect(await rows(page).count()).toBeLessThan(60);
      const last = await rows(page).last().getAttribute("data-session");
      return Number(last?.slice(1)) >= 3000;
    });
  });

  it("finds sessions by user, MAC address, number and filters, as the gateway does", async () => {
    const { page } = await site.enter(browser, "#/sessions");
    const search = page.getByLabel("Search");
    for (const [text, tally, first] of [
      ["user4711@", "1 of 64,000 sessions", "s4711"],
      ["02:00:5e:00:12:67", "1 of 64,000 sessions", "s4711"],
      ["s63999", "1 of 1 session", "s63999"],
      ["@isp3.example", "9,143 of 64,000 sessions", "s3"],
      ["user6399?@*", "10 of 64,000 sessions", "s63990"],
    ] as const) {
      const started = performance.now();
      await search.fill(text);
      await page.getByText(tally).waitFor();
      expect(performance.now() - started).toBeLessThan(2000);
      expect(await rows(page).first().getAttribute("data-session")).toBe(first);
    }
    await search.fill("nobody@nowhere");
    await page.getByRole("link", { name: "Why? What the journal knows of nobody@nowhere" }).waitFor();
    await search.fill("");
    await page.getByLabel("State").selectOption("authenticating");
    await page.getByText("128 of 64,000 sessions").waitFor();
    await page.getByLabel(/^LNS/).selectOption("lns2");
    await page.getByText("43 of 64,000 sessions").waitFor();
    expect(page.url()).toContain("state=authenticating");
  });

  it("is held up for less than 50 ms by each letter that is typed, and by what is found", async () => {
    const { page } = await site.enter(browser, "#/sessions");
    await rows(page).first().waitFor();
    const search = page.getByLabel("Search");
    const tasks = await longestTasks(browser, page, async () => {
      for (const [letter, tally] of [
        ["u", "64,000 of 64,000 sessions"],
        ["7", "0 of 64,000 sessions"],
      ] as const) {
        await search.press(letter);
        await page.getByText(tally).waitFor();
      }
      await search.fill("");
      await search.pressSequentially("user63", { delay: 60 });
      await page.getByText("1,111 of 64,000 sessions").waitFor();
      await page.locator("[data-row='0'][data-session=s63]").waitFor();
    });
    expect(tasks.length).toBeGreaterThan(20);
    expect(tasks[0]).toBeGreaterThan(0);
    expect(tasks[0]).toBeLessThan(50);
  });

  it("orders by a column, by the gateway's order", async () => {
    const { page } = await site.enter(browser, "#/sessions");
    await page.getByRole("button", { name: /↓ to/ }).click();
    await page.locator("[data-row='0'][data-session=s64000]").waitFor();
    const head = page.getByRole("columnheader", { name: /↓ to/ });
    expect(await head.getAttribute("aria-sort")).toBe("descending");
    await page.getByRole("button", { name: /↓ to/ }).click();
    await page.locator("[data-row='0'][data-session=s1]").waitFor();
  });

  it("is used by keyboard alone: to a session, its story, and its end", async () => {
    const { page } = await site.enter(browser, "#/sessions");
    await rows(page).first().waitFor();
    await page.reload();
    await rows(page).first().waitFor();
    await page.keyboard.press("Tab");
    expect(await focused(page)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.tagName")).toBe("MAIN");
    await page.keyboard.press("Tab");
    expect(await page.evaluate("document.activeElement.type")).toBe("search");
    await eventually("the first row has the focus", async () => {
      await page.keyboard.press("Tab");
      return (await page.evaluate("document.activeElement.dataset.session")) === "s1";
    });
    for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowDown");
    expect(await page.evaluate("document.activeElement.dataset.session")).toBe("s41");
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Session s41" }).waitFor();
    await page.getByText("The LNS refused the call.").waitFor();
    await page.getByText("Look at its sessions.").waitFor();
    await page.getByRole("button", { name: "End session" }).focus();
    await page.keyboard.press("Enter");
    const question = page.getByRole("dialog", { name: "End session s41?" });
    await question.waitFor();
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "hidden" });
    expect(operations.orders.filter((order) => String(order).includes("s41"))).toEqual([]);
    expect(await focused(page)).toBe("End session");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByText("s41 is being ended.").waitFor();
    expect(operations.orders.at(-1)).toEqual([
      "end",
      { session: "s1" },
      JSON.stringify([{ session: "s41" }, "ended by the operator, on the page"]),
    ]);
  });

  it("orders nothing before it has been asked whether that is meant", async () => {
    const { page } = await site.enter(browser, "#/tunnels");
    const before = operations.orders.length;
    await page.getByRole("button", { name: "Clear the lockout of lns4" }).click();
    const question = page.getByRole("dialog", { name: "Let calls go to lns4 again?" });
    await question.getByRole("button", { name: "Cancel" }).click();
    expect(operations.orders.slice(before)).toEqual([]);
    await page.getByRole("button", { name: "Clear the lockout of lns4" }).click();
    await question.getByRole("button", { name: "Clear lockout" }).click();
    await page.getByText("lns2: calls go there again.").waitFor();
    expect(operations.orders.slice(before)).toEqual([["clearLockout", "lns4"]]);
  });

  it("captures a session into a file, with the token, until it is stopped", async () => {
    const { page } = await site.enter(browser, "#/sessions/s1");
    await page.getByRole("button", { name: "Capture" }).click();
    const dialog = page.getByRole("dialog", { name: "Capture session s1?" });
    await dialog.getByLabel("Leg").selectOption("PPPoE");
    expect(await page.evaluate(AUDIT)).toEqual([]);
    await dialog.getByRole("button", { name: "Start" }).click();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Stop capture \([1-9]/ }).click();
    const file = await saved;
    expect(file.suggestedFilename()).toBe("s1.pcapng");
    expect(readPcapng(readFileSync(await file.path()))).toMatchObject({
      packets: [{ lengthBytes: 1500 }],
      statistics: [{ comment: "ended on the page" }],
    });
    await page.getByText(/^The capture of s1 is saved: s1\.pcapng, \d+ B\.$/).waitFor();
    await page.getByRole("button", { name: "Capture" }).waitFor();
    expect(operations.orders).toContainEqual([
      "capture",
      expect.objectContaining({ session: "s1", legs: "access", seconds: 60, octets: 2 ** 25 }),
      expect.stringMatching(/^127\.0\.0\.1 port \d+, Mozilla/),
    ]);
  });

  it("asks nothing while nobody sees it, and is told afterwards what it has missed", async () => {
    const { page } = await site.enter(browser);
    const show = (isHidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, "hidden", { value: ${isHidden}, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"))`);
    await eventually("an event is told", async () => {
      operations.events.publish({ kind: "lns-back", peer: "lns1" });
      return (await page.locator(".events").textContent())?.includes("lns1 takes calls again");
    });
    const isEvents = (request: { url(): string }): boolean => request.url().endsWith("/v1/events");
    const left = page.waitForEvent("requestfailed", isEvents);
    await show(true);
    await left;
    operations.events.publish({ kind: "lns-back", peer: "lns3" });
    const back = page.waitForRequest(isEvents);
    await show(false);
    expect((await back).headers()["last-event-id"]).toMatch(/^\w+-\d+$/);
    await page.getByText("lns3 takes calls again").waitFor();
  });

  it("says that the gateway is away, and comes back with it", async () => {
    const { page } = await site.enter(browser);
    await site.shut();
    await page.getByText("The gateway has not answered since").waitFor();
    expect(await tile(page, "online").textContent()).toBe(ONLINE);
    await site.open();
    await page.getByText("The gateway has not answered since").waitFor({ state: "hidden" });
    await tile(page, "online").waitFor();
  });
});
