import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIAGNOSES } from "../../src/journal/diagnoses.ts";
import { troubleshootingPage } from "../../src/journal/troubleshooting.ts";
import { ACCESS_PLAYS } from "./plays-access.ts";
import { END_PLAYS, LNS_PLAYS } from "./plays-lns.ts";
import { PPP_PLAYS } from "./plays-ppp.ts";

const PLAYS = { ...ACCESS_PLAYS, ...PPP_PLAYS, ...LNS_PLAYS, ...END_PLAYS };

/** What is the case beside something, and no consequence of it. */
const BESIDE: Readonly<Record<string, readonly string[]>> = { "all-locked-out": ["sccrq-unanswered"] };

describe("docs/troubleshooting.md", () => {
  it("is made of the rules: npm run docs writes it", () => {
    const page = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
    expect(page).toBe(troubleshootingPage());
    for (const { code } of DIAGNOSES) expect(page).toContain(`### ${code}\n`);
  });
});

describe("what goes wrong", () => {
  it.each(Object.entries(PLAYS))("is recognised when it happens: %s", async (code, play) => {
    const story = await play();
    const rule = DIAGNOSES.find((each) => each.code === code);
    // one cause, and not what only follows from it
    expect({ likely: story.likely.map((each) => each.code), headline: story.headline }).toEqual({
      likely: [code, ...(BESIDE[code] ?? [])],
      headline: story.headline,
    });
    expect(story.stoppedAt).toBe(rule?.stage);
  });

  it("leads to advice that names only keys of the configuration and commands that are there", () => {
    const keys = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");
    const manual = readFileSync(new URL("../../deploy/lacewing.8", import.meta.url), "utf8");
    const advice = DIAGNOSES.flatMap((rule) => rule.advice.flatMap((text) => text.match(/`[^`]+`/g) ?? []));
    const foreign = [
      "`ping`",
      "`traceroute`",
      "`ip route get ADDRESS`",
      "`ip link`",
      "`tcpdump udp port 1701`",
      "`name`",
    ];
    const unknown = advice.filter((quoted) => {
      const words = quoted.slice(1, -1).split(/[.:]? /);
      if (words[0] === "lacewing") return !manual.includes(`lacewing ${words[1]}`);
      if (foreign.includes(quoted) || quoted.startsWith("`pppoe.")) return false;
      return !words[0]!.split(/[.:]/).every((key) => keys.includes(key));
    });
    expect(advice.length).toBeGreaterThan(40);
    expect(unknown).toEqual([]);
  });

  it("is played for every rule", () => {
    expect(DIAGNOSES.map(({ code }) => code)).toEqual(Object.keys(PLAYS));
  });
});
