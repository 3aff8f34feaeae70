import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginning, displayWidth } from "../../src/cli/display-width.ts";
import { wrapped } from "../../src/cli/numbers-text.ts";
import { printable } from "../../src/cli/printable.ts";
import { formatTable } from "../../src/cli/table.ts";

describe("the width of a text on a terminal", () => {
  it.each([
    ["alice@isp.example", 17],
    ["Jürgen", 6],
    ["Ju\u0308rgen", 6],
    ["田中@isp.example", 16],
    ["ｱﾘｽ", 3],
    ["ＡＬ", 4],
    ["한국", 4],
    ["\u1112\u1161\u11ab", 2],
    ["Ωμέγα", 5],
    ["שלום", 4],
    ["😀", 2],
    ["☎", 1],
    ["🇩🇪", 2],
    ["𠀀", 2],
    ["z\u0337\u0336\u0335", 1],
    ["\uFFFD", 1],
    ["", 0],
  ])("%j is %i columns", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("of a beginning is never more than was asked for, and no mark is parted from its letter", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(20), (text, columns) => {
        const start = beginning(text, columns);
        expect(displayWidth(start)).toBeLessThanOrEqual(columns);
        expect(text.startsWith(start)).toBe(true);
        expect(text.slice(start.length)).not.toMatch(/^[\p{Mn}\p{Me}]/u);
        if (start !== text) expect(displayWidth(start)).toBeGreaterThanOrEqual(columns - 1);
      }),
    );
    expect(beginning("田中", 3)).toBe("田");
    expect(beginning("e\u0301e", 1)).toBe("e\u0301");
  });
});

const COLUMNS = [
  { title: "USER", value: ({ user }: { readonly user: string }) => user },
  { title: "SIZE", value: () => 1, align: "right" as const },
];

describe("a table of names in every script", () => {
  it("has its columns one below the other", () => {
    const text = formatTable(COLUMNS, [{ user: "alice" }, { user: "田中" }, { user: "Zoe\u0308" }]);
    expect(text).toBe("USER   SIZE\nalice     1\n田中      1\nZoe\u0308       1\n");
  });

  it("fits the terminal, whatever the names", () => {
    const name = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), fc.integer({ min: 16, max: 60 }), (names, width) => {
        const rows = names.map((user) => ({ user }));
        const lines = formatTable(COLUMNS, rows, { width }).trimEnd().split("\n");
        expect(lines).toHaveLength(names.length + 1);
        const widths = lines.map(displayWidth);
        expect(new Set(widths).size).toBe(1);
        expect(widths[0]).toBeLessThanOrEqual(width);
      }),
      { numRuns: 40 },
    );
  });

  it("in a pipe has all of them and no blank at the end of a line", () => {
    const name = fc.string({ unit: "grapheme", maxLength: 300 });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), (names) => {
        const columns = [...COLUMNS, { title: "AGAIN", value: ({ user }: { user: string }) => user }];
        const text = formatTable(
          columns,
          names.map((user) => ({ user })),
        );
        expect(text).not.toMatch(/ $/m);
        for (const each of names) expect(text).toContain(printable(each.trimEnd()));
      }),
    );
  });
});

it("words are broken by their width", () => {
  expect(wrapped("田中 田中 田中", 9)).toBe("田中 田中\n田中\n");
});
