import { beginning, displayWidth } from "./display-width.ts";
import type { Paint, Tone } from "./paint.ts";
import { printable } from "./printable.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  readonly align?: "left" | "right";
  /** How the value is meant. */
  readonly tone?: (row: Row) => Tone | undefined;
}

/** How many columns of a terminal a table may take, and how it is coloured; neither bound nor coloured when absent. */
export interface Look {
  readonly width?: number | undefined;
  readonly paint?: Paint;
}

const GAP = "  ";
/** A column is not made narrower than this, or than its title; in columns of the terminal. */
const LEAST_WIDTH = 6;

/**
 * A table as text, a line a row, with titles first. Where it is wider than the look's width, the widest
 * columns are cut short, and in the end the lines.
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint = (_, text) => text }: Look = {},
): string {
  const cells = [
    columns.map((column) => column.title),
    ...rows.map((row) => columns.map((each) => cell(each, row))),
  ];
  const widths = columns.map((_, i) =>
    cells.reduce((most, line) => Math.max(most, displayWidth(line[i]!)), 0),
  );
  if (width !== undefined)
    shrink(
      widths,
      columns.map((each) => Math.max(LEAST_WIDTH, each.title.length)),
      width,
    );
  const lines = cells.map((line, l) => {
    const row = rows[l - 1];
    let left = width ?? Number.POSITIVE_INFINITY;
    const texts = line.map((value, i) => {
      const column = columns[i]!;
      const isLast = i === line.length - 1;
      const fitted = fit(value, widths[i]!, column.align ?? "left");
      const text = beginning(isLast ? fitted.trimEnd() : fitted, left);
      left -= displayWidth(text) + GAP.length;
      return paint(row === undefined ? "strong" : column.tone?.(row), text);
    });
    return texts.filter((text) => text !== "").join(GAP);
  });
  return `${lines.join("\n")}\n`;
}

function cell<Row>(column: Column<Row>, row: Row): string {
  const value = column.value(row);
  return value === null || value === undefined || value === "" ? "-" : printable(String(value));
}

/** Takes from the widest columns, one character at a time, until the line fits or nothing can be taken. */
function shrink(widths: number[], least: readonly number[], width: number): void {
  let excess = widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1)) - width;
  for (; excess > 0; excess--) {
    let widest = -1;
    for (const [i, each] of widths.entries())
      if (each > least[i]! && (widest < 0 || each > widths[widest]!)) widest = i;
    if (widest < 0) return;
    widths[widest]! -= 1;
  }
}

function fit(text: string, width: number, align: "left" | "right"): string {
  const short = displayWidth(text) <= width ? text : `${beginning(text, width - 1)}…`;
  const padding = " ".repeat(Math.max(0, width - displayWidth(short)));
  return align === "left" ? short + padding : padding + short;
}
