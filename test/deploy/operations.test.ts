import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DROP_REASONS } from "../../src/channel/dataplane.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("docs/operations.md", () => {
  const page = read("docs/operations.md");

  it("says of every alert what it means and what to do", () => {
    const { groups } = parse(read("deploy/alerts.yaml")) as { groups: { rules: { alert: string }[] }[] };
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert));
    const sections = [...page.matchAll(/^### (\w+)\n\n(?:(?!\n### )[\s\S])+?\n- /gm)].map(([, name]) => name);
    expect(sections).toEqual(alerts);
  });

  it("names keys of the configuration and drops that there are", () => {
    const keys = [
      "max-sessions-per-lns",
      "max-channels",
      "token-file",
      "workers",
      "weight",
      "replay-authentication",
    ];
    for (const key of keys) expect(read("docs/configuration.md"), key).toContain(`\`${key}\``);
    for (const drop of ["receive-overflow", "send-full"]) expect(DROP_REASONS).toContain(drop);
    for (const word of [...keys, "receive-overflow", "send-full"]) expect(page, word).toContain(word);
  });
});
