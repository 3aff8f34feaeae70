import { describe, expect, it } from "vitest";
import { SHOWN, type What } from "../../src/cli/shown.ts";
import { ROUTES } from "../../src/control/routes.ts";
import { serve } from "../control/serve.ts";
import { FakeProcess } from "./fakes.ts";

const IDS: Readonly<Partial<Record<What, string>>> = { session: "s1", tunnel: "11" };

/** The command's options, and the path of the API that they ask. */
const ORDERS = [
  ["why s1", "/v1/why"],
  ["test tunnel --lns a", "/v1/tunnel-tests"],
  ["end s1", "/v1/end"],
  ["drain on", "/v1/drain"],
  ["lockout clear", "/v1/lockouts/clear"],
  ["reload --plan", "/v1/reload"],
] as const;

async function json(line: string): Promise<unknown> {
  const process = new FakeProcess();
  expect(await process.run(...line.split(" "), "--json", "--socket", await serve())).toBe(0);
  return JSON.parse(process.out);
}

function answerOf(path: string) {
  const route = ROUTES.find((each) => each.path === path);
  if (route === undefined) throw new Error(`the API has no ${path}`);
  return route.answer;
}

describe("--json is what the API's description says, no more and no less", () => {
  it.each(Object.keys(SHOWN) as What[])("show %s", async (what) => {
    const { path, ...more } = SHOWN[what];
    const id = IDS[what];
    const value = await json(id === undefined ? `show ${what}` : `show ${what} ${id}`);
    const rows = "rows" in more ? more.rows : undefined;
    // all parts as one list
    const whole = rows === undefined ? value : { [rows]: value, total: 1, matched: 1, next: null };
    const answer = answerOf(id === undefined ? path : `${path}{id}`);
    expect(answer.parse(whole)).toEqual(whole);
  });

  it.each(ORDERS)("%s", async (line, path) => {
    const value = await json(line);
    expect(answerOf(path).parse(value)).toEqual(value);
  });
});
