import { describe, expect, it } from "vitest";
import { indentedCodeOf, inlineCodeOf, linksOf } from "./markdown.ts";
import { normalised } from "./normalise.ts";
import { agrees, linesOf, renewed, stepsOf } from "./transcript.ts";

describe("a documented command", () => {
  it("has the lines after it as its output, and goes on after a backslash", () => {
    const lines = ["$ one \\", "  --more", "says", "this", "$ two"];
    const steps = stepsOf(lines);
    expect(steps).toEqual([
      { command: "one \\\n  --more", output: ["says", "this"] },
      { command: "two", output: [] },
    ]);
    expect(linesOf(steps)).toEqual(lines);
    expect(() => stepsOf(["says", "$ one"])).toThrow("begins with");
  });

  it.each<[string, string[], string[], boolean]>([
    ["says the same", ["a", "b"], ["a", "b"], true],
    ["says more", ["a"], ["a", "b"], false],
    ["says less", ["a", "b"], ["a"], false],
    ["says something else", ["a"], ["b"], false],
    ["says nothing, as it should", [], [], true],
    ["says something that it should not", [], ["a"], false],
    ["says what is left out in the middle", ["a", "…", "d"], ["a", "b", "c", "d"], true],
    ["says nothing where something may be left out", ["a", "…", "d"], ["a", "d"], true],
    ["says the wrong end after what is left out", ["a", "…", "d"], ["a", "b", "c"], false],
    ["says a longer line", ["one two …"], ["one two three"], true],
    ["says another longer line", ["one two …"], ["one four three"], false],
    ["says it with other blanks, in a table", ["ID  NAME"], ["ID    NAME"], true],
  ])("that %s", (_what, documented, said, expected) => {
    expect(agrees(documented, said)).toBe(expected);
  });

  it("is documented anew with the same lines left out", () => {
    expect(renewed(["HEAD x", "…", "end of it"], ["HEAD y", "1", "2", "end of that"])).toEqual([
      "HEAD y",
      "…",
      "end of that",
    ]);
    expect(renewed(["same at 12:00:01"], ["same at 13:00:00"])).toEqual(["same at 12:00:01"]);
    expect(renewed([], ["all", "of it"])).toEqual(["all", "of it"]);
    const words = "word ".repeat(40).trim();
    expect(renewed([], [words])).toEqual([`${"word ".repeat(23)}…`]);
    expect(agrees(renewed([], [words]), [words])).toBe(true);
  });
});

describe("what is another thing each time", () => {
  it.each([
    ["2026-11-22 10:05:35.320  <-  access", "<time> <- access"],
    ["It opened at 10:05:38.916, 8 ms after", "It opened at <time>, <quantity> after"],
    ["f2:27:c5:3c:12:98 to 5e:f8:9e:c1:f7:e4, session 58057", "<mac> to <mac>, session <id>"],
    ["from 5e:10:46:21:55:13", "from <mac>"],
    ["acc0  10.0Gbit/s  1  0  0%  2  2  2  0", "acc0 10.0Gbit/s 1 0 <percent> <count> <count> <count> 0"],
    ["lac1  engine loop  up 3h04m  pid 11015", "lac1 engine loop up <quantity> pid <id>"],
    ["32425/52684  lns1  10.0.0.11:1701  1  3s", "<id> lns1 10.0.0.11:1701 1 <quantity>"],
    ["[tunnel 52684, Ns 1, Nr 1]", "[tunnel <id>, Ns <id>, Nr <id>]"],
    ["Magic-Number 0xd0aec325, Framing 0x3", "Magic-Number <hex>, Framing 0x3"],
    ["-  0s  137  1.30k", "- <quantity> <octets> <octets>"],
    ["packets of 1492 octets, PPPoE 10.0Gbit/s", "packets of 1492 octets, PPPoE 10.0Gbit/s"],
    ["result 4 of 3 sessions at 10.0.0.2/24", "result 4 of 3 sessions at 10.0.0.2/24"],
    ["lacewing_0.1.0_amd64.deb", "lacewing_<version>_amd64.deb"],
  ])("is taken out of %s", (line, expected) => {
    expect(normalised(line)).toBe(expected);
  });
});

describe("a page", () => {
  const page = [
    "Some `code that",
    "goes on` and [a link](there.md#part).",
    "",
    "    lacewing show",
    "",
    "- an item",
    "",
    "    of two paragraphs",
    "| `a\\|b` |",
    "```console lab",
    "$ `not this`",
    "```",
  ].join("\n");

  it("has code among its words, indented code and links", () => {
    expect(inlineCodeOf(page)).toEqual([
      { code: "code that goes on", line: 1 },
      { code: "a|b", line: 9 },
    ]);
    expect(indentedCodeOf(page)).toEqual([[4, "    lacewing show"]]);
    expect(linksOf(page)).toEqual(["there.md"]);
  });
});
