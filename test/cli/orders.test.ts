import { describe, expect, it } from "vitest";
import type { Operations } from "../../src/gateway/operations.ts";
import { sampleOperations } from "../control/sample-operations.ts";
import { serve } from "../control/serve.ts";
import { FakeProcess } from "./fakes.ts";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly orders: readonly unknown[];
}

async function run(line: string, change: Partial<Operations> = {}): Promise<Ran> {
  const operations = sampleOperations(change);
  const process = new FakeProcess();
  const code = await process.run(...line.split(" "), "--socket", await serve(operations));
  return { code, out: process.out, err: process.err, orders: operations.orders };
}

describe("why", () => {
  it.each([
    ["s12", { session: "s12" }],
    ["02:00:5E:10:00:01", { mac: "02:00:5e:10:00:01" }],
    ["02-00-5e-10-00-01", { mac: "02:00:5e:10:00:01" }],
    ["4711", { tunnel: 4711 }],
    ["alice@isp.example", { user: "alice@isp.example" }],
    ["s12@isp.example", { user: "s12@isp.example" }],
  ])("asks for %s", async (subject, asked) => {
    expect((await run(`why ${subject}`)).orders).toEqual([["why", asked]]);
  });

  it("tells the story, what it usually is, and the evidence", async () => {
    const { out, code } = await run("why s1");
    expect(code).toBe(0);
    expect(out).toBe(
      [
        "The LNS refused the call.",
        "",
        "lns1 was asked first.",
        "",
        "It said: no facilities.",
        "",
        "Likely: The LNS is full.",
        "  - Look at its sessions.",
        "",
        "TIME                         LEG     MESSAGE  WHAT IT SAYS",
        "2026-01-02 03:04:05.678  ->  tunnel  ICRQ     session 13 (again)",
        "2026-01-02 03:04:05.690  <-  tunnel  CDN      result 4",
        "",
      ].join("\n"),
    );
  });

  it("as JSON says what it says and lets it do nothing to the terminal", async () => {
    const headline = "He is \u009b2J\u202eelse.";
    const story = {
      subject: "",
      found: true,
      headline,
      paragraphs: [],
      stoppedAt: "open",
      likely: [],
      evidence: [],
    };
    const { out } = await run("why s1 --json", { why: async () => story as never });
    expect(out).not.toMatch(/[\x7f-\x9f\p{Cf}]/u);
    expect(JSON.parse(out)).toMatchObject({ headline });
  });

  it("ends with code 1 when nothing is known", async () => {
    const nothing = await run("why nobody", {
      why: async () => ({
        subject: "user nobody",
        found: false,
        headline: "Nothing is known of user nobody.",
        paragraphs: [],
        evidence: [],
        stoppedAt: "unheard",
        likely: [],
      }),
    });
    expect(nothing).toMatchObject({ code: 1, out: "Nothing is known of user nobody.\n" });
  });
});

describe("test tunnel", () => {
  it("tells each step and how it went", async () => {
    const { code, out, orders } = await run("test tunnel --user alice@isp.example --interface acc0");
    expect(orders).toEqual([["testTunnel", { user: "alice@isp.example", interface: "acc0" }]]);
    expect(code).toBe(0);
    expect(out).toBe(
      "ok   There is a tunnel with lns1 already.\nok   lns1 took the call: ICRP came after ICRQ. (12 ms)\nA subscriber's call gets through.\n",
    );
  });

  it("ends with code 1 when a call would not get through", async () => {
    const steps = [{ step: "call", ok: false, text: "No LNS took the call.", milliseconds: 7000 }];
    const { code, out } = await run("test tunnel --lns lns2", {
      testTunnel: async () => ({ ok: false, steps }),
    });
    expect(code).toBe(1);
    expect(out).toContain(
      "FAIL No LNS took the call. (7000 ms)\nA subscriber's call does not get through.\n",
    );
  });
});

describe("end", () => {
  it.each([
    ["end s1", { session: "s1" }],
    ["end --user a*", { user: "a*" }],
    ["end --realm isp.example", { realm: "isp.example" }],
    ["end --tunnel 4711", { tunnel: 4711 }],
  ])("%s", async (line, selector) => {
    const { code, out, orders } = await run(`${line} --reason moved`);
    expect(orders).toEqual([["end", selector, "moved"]]);
    expect(out).toBe("ending 1 session\n");
    expect(code).toBe(0);
  });

  it("ends with code 1 when there was nobody to end", async () => {
    const { code, out } = await run("end --user x", { end: async () => ({ sessions: 0, tunnels: 0 }) });
    expect([code, out]).toEqual([1, "ending 0 sessions\n"]);
    const gone = await run("end s9");
    expect([gone.code, gone.err]).toEqual([1, "lacewing: there is no session s9 (it may have ended)\n"]);
  });
});

describe("other orders", () => {
  it("drain and let calls in again", async () => {
    expect(await run("drain on")).toMatchObject({
      out: "acc0, calls by L2TP: no new calls; sessions go on\n",
      orders: [["drain", true, undefined]],
    });
    expect(await run("drain off --interface acc0")).toMatchObject({
      out: "acc0: calls are taken\n",
      orders: [["drain", false, "acc0"]],
    });
  });

  it("say that there is nothing to drain where nobody may call", async () => {
    const drain = (draining: boolean) => ({ draining, interfaces: [], l2tp: false });
    expect(await run("drain on", { drain })).toMatchObject({
      code: 0,
      out: "nobody may call here: neither by PPPoE nor by L2TP\n",
    });
  });

  it("clear lockouts", async () => {
    expect(await run("lockout clear lns2")).toMatchObject({
      out: "lns2: calls go there again\n",
      orders: [["clearLockout", "lns2"]],
    });
    expect(await run("lockout clear", { clearLockout: () => ({ cleared: [] }) })).toMatchObject({
      code: 0,
      out: "none was locked out\n",
    });
  });

  it("reload, with the plan first, or the plan alone", async () => {
    const done = await run("reload");
    expect(done.orders).toEqual([
      ["reload", true],
      ["reload", false],
    ]);
    expect(done.out).toBe(
      [
        "~ l2tp.peers[lns1].dscp: 0 becomes 46, at once",
        "- access[acc1] is removed, which ends the sessions that go through it",
        "3 sessions would end.",
        "Reloaded; 3 sessions ended.",
        "",
      ].join("\n"),
    );
    const plan = await run("reload --plan");
    expect(plan.orders).toEqual([["reload", true]]);
    expect(plan.out).toContain("3 sessions would end.");
    const refused = { applied: true, changes: [], endingSessions: 0, problems: ["units[x]: no"] };
    const changes = [{ path: "a", change: "added", effect: "live", text: "a is added" }] as const;
    const failed = await run("reload", { reload: async () => ({ ...refused, changes }) });
    expect(failed).toMatchObject({ code: 1, out: expect.stringContaining("!! units[x]: no") });
    expect((await run("reload", { reload: async () => ({ ...refused, problems: [] }) })).out).toBe(
      "The configuration is the one that runs: nothing changes.\n",
    );
  });

  it("print JSON", async () => {
    for (const line of [
      "why s1",
      "test tunnel --lns a",
      "end s1",
      "drain on",
      "lockout clear",
      "reload --plan",
    ])
      expect(JSON.parse((await run(`${line} --json`)).out), line).toBeInstanceOf(Object);
  });

  it.each([
    ["end", "end needs exactly one of a session, --user, --realm, --tunnel, as in: end s12"],
    ["end s1 --user x", "end needs exactly one"],
    ["test tunnel", "test tunnel needs exactly one of --user, --realm, --lns"],
    ["drain maybe", "Allowed choices are on, off"],
    ["lockout", "error: lockout needs another word: clear"],
    ["why", "missing required argument 'subject'"],
  ])("that are not understood end with code 2: %s", async (line, text) => {
    const process = new FakeProcess();
    expect(await process.run(...line.split(" "))).toBe(2);
    expect(process.err).toContain(text);
    expect(process.out).toBe("");
  });
});
