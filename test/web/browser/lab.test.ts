/**
 * The page in real Chromium, before real gateways: sessions come and go, and the page shows what the API says. With
 * LACEWING_SCREENSHOTS=1 it makes docs/pictures/page.png, too.
 */

import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPage, type PageDoor } from "../../../lab/page.ts";
import { DialProcess } from "../../support/dial-process.ts";
import { eventually } from "../../support/eventually.ts";
import { GatewayProcess } from "../../support/gateway-process.ts";
import {
  createSite,
  FAR_HOST,
  LAC_ADDRESS,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
} from "../../support/site.ts";
import { isRoot } from "../../support/system.ts";
import { hasChromium, startChromium, visit } from "./chromium.ts";

const PICTURE = fileURLToPath(new URL("../../../docs/pictures/page.png", import.meta.url));
const wantsPicture = process.env.LACEWING_SCREENSHOTS === "1";
const COUNT = 24;
const ALICE = "alice@isp.example";
const USERS = [ALICE, ...Array.from({ length: COUNT }, (_, i) => `user${i + 1}@isp.example`)];

/** Two LNSes; nobody is at the second one's address. */
const LAC = `name: lac
access:
  - interface: acc0
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lns1, address: 10.8.0.2, secret-file: tunnel.secret }
    - { name: lns2, address: 10.8.0.3, secret-file: tunnel.secret }
lns-groups:
  wholesale:
    members:
      - { peer: lns2, preference: 0 }
      - { peer: lns1, preference: 1 }
realms:
  isp.example: { lns: wholesale }
`;

/** Sends datagrams to a subscriber, 10 to 40 Mbit/s up and down in half a minute: a picture needs something to show. */
const FLOW = `
const socket = require("node:dgram").createSocket("udp4");
const datagram = Buffer.alloc(1300);
setInterval(() => {
  const wave = 1 + Math.sin(performance.now() / 5000) ** 2 + Math.random() / 2;
  for (let i = 0; i < wave * 8; i++) socket.send(datagram, 9, process.argv[1]);
}, 8);`;

const online = (page: Page) => page.locator("[data-tile=online] .value");

describe.skipIf(!isRoot || !hasChromium)("the page of a LAC at work", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  let door: PageDoor;
  let browser: Browser;

  beforeAll(async () => {
    site = createSite();
    [lac, lns, browser] = await Promise.all([
      GatewayProcess.start(site.lac, LAC, secretFiles()),
      GatewayProcess.start(site.lns, lnsConfig(), secretFiles(...USERS)),
      startChromium(),
    ]);
    door = await openPage(lac.socket);
  });
  afterAll(async () => {
    await browser?.close();
    door?.close();
    await lac?.close();
    await lns?.close();
    site?.close();
  });

  it(
    "shows subscribers as they come, their story and their rate, and as they go",
    async () => {
      const { page, complaints } = await visit(browser, door.url, {
        viewport: { width: 1360, height: 1100 },
      });
      await online(page).waitFor();
      expect(await online(page).textContent()).toBe("0");

      const { dial: alice, up } = await DialProcess.online(site.subscriber, {
        user: ALICE,
        password: PASSWORD,
        device: "each",
      });
      site.subscriber.ip("route", "add", `${FAR_HOST}/32`, "dev", up.device ?? "");
      const crowd = new DialProcess(site.subscriber, {
        user: "user%d@isp.example",
        password: PASSWORD,
        count: COUNT,
        rate: 50,
      });
      await crowd.hasOnline(COUNT);
      const ping = site.subscriber.spawn(["ping", "-q", "-i", "0.002", "-s", "1300", FAR_HOST], {
        stdio: "ignore",
      });

      // the overview is what the API says
      await eventually(
        "all are on the page",
        async () => (await online(page).textContent()) === String(COUNT + 1),
      );
      expect((await lac.show("status")).openSessions).toBe(COUNT + 1);
      const row = page.getByRole("row", { name: /lns2/ });
      await row.getByText("locked out", { exact: true }).waitFor();
      const locked = (await lac.show("lns")).find(({ peer }) => peer === "lns2");
      expect(await row.textContent()).toContain(locked?.reason ?? "a reason");
      await page.getByRole("link", { name: /^lns1: 25 sessions, [\d.]+ Mbit\/s to/ }).waitFor();
      const events = page.locator(".events");
      await events
        .getByText(/online after \d+ ms, at lns1/)
        .first()
        .waitFor();
      if (wantsPicture) {
        const flow = site.lns.spawn([process.execPath, "-e", FLOW, up.address], { stdio: "ignore" });
        const isSeen = async (): Promise<boolean> =>
          Number(await page.evaluate("performance.now()")) > 100_000;
        await eventually("there is something to see", isSeen, { timeoutMs: 120_000 });
        flow.kill();
        await page.screenshot({ path: PICTURE });
      }

      // the table, and one session of it
      await page.getByRole("link", { name: "Sessions", exact: true }).click();
      await page.getByText("25 of 25 sessions").waitFor();
      await page.getByLabel("Search").fill("alice");
      await page.getByText("1 of 25 sessions").waitFor();
      await page.getByRole("link", { name: ALICE }).click();
      const { id, onward } = await lac.session(ALICE);
      await page.getByRole("heading", { name: `Session ${id}` }).waitFor();
      await page.getByText(`call ${onward?.localSessionId}/${onward?.remoteSessionId}`).waitFor();
      await eventually("its rate is told", async () =>
        /[1-9][\d.]* Mbit\/s/.test((await page.locator("[data-rate=down]").textContent()) ?? ""),
      );
      await page.getByText("ICCN", { exact: true }).first().waitFor();

      // she goes: the page says so, and still tells her story
      ping.kill();
      await alice.hangUp();
      await page.getByText(`Session ${id} of ${ALICE} has ended.`).waitFor();
      await page.getByText("ICCN", { exact: true }).first().waitFor();
      await page.goto(`${page.url().split("#")[0]}#/sessions?q=user`);
      await page.getByText("24 of 24 sessions").waitFor();

      // one is ended from here
      const victim = await lac.session("user3@isp.example");
      await page.getByRole("link", { name: "user3@isp.example" }).click();
      await page.getByRole("button", { name: "End session" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "End session" }).click();
      await page.getByText(`Session ${victim.id} of user3@isp.example has ended.`).waitFor();
      await eventually(
        "the gateway has one less",
        async () => (await lac.show("sessions")).length === COUNT - 1,
      );

      await crowd.hangUp();
      await page.getByRole("link", { name: "Overview" }).click();
      await eventually("nobody is on the page", async () => (await online(page).textContent()) === "0");
      // what the browser itself says of a session that is not there any more
      expect(complaints.filter((text) => !text.includes("404"))).toEqual([]);
      expect(lac.complaints()).toEqual([]);
    },
    wantsPicture ? 180_000 : 60_000,
  );

  it("comes back with a gateway that was killed", async () => {
    const { page } = await visit(browser, door.url);
    await online(page).waitFor();
    await lac.kill();
    await page.getByText("The gateway has not answered since").waitFor();
    await lac.startAgain();
    await page.getByText("The gateway has not answered since").waitFor({ state: "hidden" });
    expect(await online(page).textContent()).toBe("0");
  });
});
