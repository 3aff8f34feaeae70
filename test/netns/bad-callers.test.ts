/** Subscribers and LNSes that do what they should not: each is dealt with, and nobody else notices. */

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { PPP_CHAP, PPP_PAP } from "../../src/wire/ppp.ts";
import { PADS, PADT } from "../../src/wire/pppoe.ts";
import { findTextTag, TAG_AC_SYSTEM_ERROR, TAG_GENERIC_ERROR } from "../../src/wire/pppoe-tags.ts";
import { CommandProcess } from "../support/command-process.ts";
import { DialProcess, type DialWords } from "../support/dial-process.ts";
import { controlOf, discoveryOf } from "../support/frames.ts";
import { GatewayProcess } from "../support/gateway-process.ts";
import { connect } from "../support/netns.ts";
import { ping } from "../support/ping.ts";
import {
  createSite,
  FAR_HOST,
  LAC_ADDRESS,
  LNS_ADDRESS,
  lnsConfig,
  PASSWORD,
  type Site,
  secretFiles,
  TUNNEL_SECRET,
} from "../support/site.ts";
import { isRoot } from "../support/system.ts";
import { Wire } from "../support/wire.ts";

const WRONG_PASSWORD = "a-wrong-password-5b1e";
/** An address on the core link at which nobody answers, not even ARP or ICMP. */
const SILENT_LNS = "10.8.0.99";
const USERS = ["alice@isp.example", "bob@isp.example", "anna@local.example", "bert@local.example"];

/** CHAP and the default policy on acc0, PAP and `refuse` on acc1. */
const LAC = `name: lac
log: { level: debug }
access:
  - { interface: acc0, authentication: [chap] }
  - { interface: acc1, authentication: [pap], at-mac-limit: refuse }
l2tp:
  listen: [{ address: ${LAC_ADDRESS} }]
  peers:
    - { name: lns, address: ${LNS_ADDRESS}, secret-file: tunnel.secret, hide-avps: true }
    - { name: silent, address: ${SILENT_LNS}, secret-file: tunnel.secret }
realms:
  isp.example: { lns: lns }
  silent.example: { lns: silent }
  local.example: { terminate: local }
users-file: users.yaml
units:
  local: { name: ppp%d, address: 100.65.0.1, pool: 100.65.0.0/24 }
`;

const CHAP_FAILURE = 4;
const PAP_NAK = 3;

describe.skipIf(!isRoot)("callers that misbehave", () => {
  let site: Site;
  let lac: GatewayProcess;
  let lns: GatewayProcess;
  const wires: Record<string, Wire> = {};
  const dials: DialProcess[] = [];
  /** What was said by processes that are gone. */
  let said = "";

  const call = (words: DialWords): DialProcess => {
    const dial = new DialProcess(site.subscriber, words);
    dials.push(dial);
    return dial;
  };

  beforeAll(async () => {
    site = createSite();
    connect(site.subscriber, "sub1", site.lac, "acc1");
    site.subscriber.configure("sub1");
    site.lac.configure("acc1");
    const nobody = ["neighbor", "add", SILENT_LNS, "lladdr", "02:00:00:00:00:99", "dev", "core0"];
    site.lac.ip(...nobody, "nud", "permanent");
    const files = secretFiles(...USERS);
    [lac, lns, wires.sub0, wires.sub1] = await Promise.all([
      GatewayProcess.start(site.lac, LAC, files),
      GatewayProcess.start(site.lns, lnsConfig({ more: ["log: { level: debug }"] }), files),
      Wire.open(site.subscriber, "sub0"),
      Wire.open(site.subscriber, "sub1"),
    ]);
  });

  afterEach(async () => {
    for (const dial of dials.splice(0)) {
      await dial.hangUp();
      said += dial.output;
    }
    await Promise.all([lac.hasSessions(0), lns.hasSessions(0)]);
    for (const wire of Object.values(wires)) wire.clear();
  });

  afterAll(async () => {
    for (const process of [lac, lns, wires.sub0, wires.sub1]) await process?.close();
    site?.close();
  });

  it.each([
    ["CHAP", "here", "sub0", "anna@local.example"],
    ["PAP", "here", "sub1", "anna@local.example"],
    ["CHAP", "at the LNS", "sub0", "alice@isp.example"],
    ["PAP", "at the LNS", "sub1", "alice@isp.example"],
  ])(
    "with a wrong password are told so once, and gone: %s, terminated %s",
    async (method, _where, device, user) => {
      const { reason } = await call({ interface: device, user, password: WRONG_PASSWORD }).down();
      // PADT may overtake what PPP says
      expect(reason).toMatch(/wrong user name or password|authentication failed/);
      await Promise.all([lac.hasSessions(0), lns.hasSessions(0)]);
      const refusals = wires[device]!.all((frame) =>
        method === "CHAP"
          ? controlOf(frame, PPP_CHAP)?.code === CHAP_FAILURE || undefined
          : controlOf(frame, PPP_PAP)?.code === PAP_NAK || undefined,
      );
      expect(refusals).toEqual([true]);
    },
  );

  it("are refused when nobody knows their realm or their name", async () => {
    for (const [user, device] of [
      ["who@nowhere.example", "sub0"],
      ["nobody@local.example", "sub1"],
      ["nobody@isp.example", "sub1"],
    ] as const) {
      await call({ interface: device, user, password: PASSWORD }).down();
      await Promise.all([lac.hasSessions(0), lns.hasSessions(0)]);
    }
  });

  it("replace their own session when they call twice from one MAC address", async () => {
    const first = call({ user: "anna@local.example", password: PASSWORD });
    const before = await first.up();
    const second = call({ user: "bert@local.example", password: PASSWORD });
    await second.up();
    await first.exited;
    const told = wires.sub0!.all(discoveryOf).filter(({ code }) => code === PADT);
    expect(told.map(({ sessionId }) => sessionId)).toEqual([before.pppoeSessionId]);
    expect((await lac.show("sessions")).map(({ user }) => user)).toEqual(["bert@local.example"]);
    await lac.logged("session ended", { user: "anna@local.example", cause: "replaced" });
  });

  it("are refused when they call twice from one MAC address, where the policy says so", async () => {
    const first = call({ interface: "sub1", user: "anna@local.example", password: PASSWORD });
    await first.up();
    const second = call({ interface: "sub1", user: "bert@local.example", password: PASSWORD });
    await second.down();
    const refused = wires
      .sub1!.all(discoveryOf)
      .filter(({ code, sessionId }) => code === PADS && sessionId === 0);
    expect(refused.length).toBeGreaterThan(0);
    expect(
      findTextTag(refused[0]!.tags, TAG_AC_SYSTEM_ERROR) ?? findTextTag(refused[0]!.tags, TAG_GENERIC_ERROR),
    ).toBeTruthy();
    expect((await lac.show("sessions")).map(({ user }) => user)).toEqual(["anna@local.example"]);
    expect(first.downs()).toEqual([]);
  });

  it("whose LNS never answers are told after 7 s, while others go on", async () => {
    const alice = call({ interface: "sub1", user: "alice@isp.example", password: PASSWORD, device: "each" });
    await alice.up();
    site.subscriber.ip("route", "add", FAR_HOST, "dev", "dial0");
    const begun = performance.now();
    const waiting = call({ user: "someone@silent.example", password: PASSWORD });
    const pings = ping(site.subscriber, { to: FAR_HOST, count: 50, intervalMs: 100 });
    await waiting.down();
    const seconds = (performance.now() - begun) / 1000;
    expect(seconds).toBeGreaterThan(6.9);
    expect(seconds).toBeLessThan(15);
    // told by LCP, and by PADT unless his own came first
    const told = wires.sub0!.all(discoveryOf).filter(({ code }) => code === PADT);
    expect(told.length).toBeLessThanOrEqual(1);
    expect(await lac.logged("session ended", { cause: "no-lns" })).toMatchObject({
      user: "someone@silent.example",
    });
    expect(await pings).toMatchObject({ sent: 50, received: 50 });
    expect((await lac.session("alice@isp.example")).state).toBe("open");
  });

  it("and everyone else find no secret in what gateways log and show", async () => {
    await call({ interface: "sub1", user: "alice@isp.example", password: PASSWORD }).up();
    const resources = ["sessions", "tunnels", "channels", "counters"] as const;
    const tables = resources.map(async (what) => {
      const show = new CommandProcess(site.lac, ["show", what, "--socket", lac.socket]);
      await show.exited;
      expect(show.output).not.toBe("");
      return show.output;
    });
    const views = [lac, lns].flatMap((gateway) =>
      resources.map(async (what) => JSON.stringify(await gateway.show(what))),
    );
    const shown = await Promise.all([...tables, ...views]);
    const everything = [lac.output, lns.output, said, ...shown].join("\n");
    expect(everything).toContain("alice@isp.example");
    for (const secret of [PASSWORD, WRONG_PASSWORD, TUNNEL_SECRET])
      for (const form of ["utf8", "hex", "base64"] as const) {
        const text = Buffer.from(secret).toString(form).replace(/=+$/, "");
        expect(everything.toLowerCase()).not.toContain(text.toLowerCase());
      }
    expect([...lac.complaints(), ...lns.complaints()]).toEqual([]);
  });
});
