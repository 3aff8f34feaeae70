import { beginning, displayWidth } from "./display-width.ts";
import { wrapped } from "./numbers-text.ts";
import type { Paint, Tone } from "./paint.ts";
import { printable } from "./printable.ts";

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string | number | null | undefined;
  readonly align?: "left" | "right";
  /** How the value is meant. */
  readonly tone?: (row: Row) => Tone | undefined;
  /** What it says is of no use when it is cut short. */
  readonly whole?: true;
  /** It is left out before others where there is no room for all: the more, the sooner. */
  readonly spare?: number;
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
 * A table as text, a line a row, with titles first. Where it is wider than the look's width, the widest columns are cut
 * short; where that does not do, columns are left out, and a line says which.
 */
export function formatTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint = (_, text) => text }: Look = {},
): string {
  const measured = columns.map((column) => measure(column, rows));
  const shown = width === undefined ? measured : thatFit(measured, width);
  if (width !== undefined) shrink(shown, width);
  const line = (row: Row | undefined, l: number): string => {
    let left = width ?? Number.POSITIVE_INFINITY;
    const texts = shown.map(({ column, cells, wide }, i) => {
      const fitted = fit(cells[l]!, wide, column.align ?? "left");
      const text = beginning(i === shown.length - 1 ? fitted.trimEnd() : fitted, left);
      left -= displayWidth(text) + GAP.length;
      return paint(row === undefined ? "strong" : column.tone?.(row), text);
    });
    return texts.filter((text) => text !== "").join(GAP);
  };
  const lines = [line(undefined, 0), ...rows.map((row, r) => line(row, r + 1))];
  const omitted = measured.filter((each) => !shown.includes(each)).map(({ column }) => column.title);
  return `${[...lines, ...omission(omitted, width).map((text) => paint("faint", text))].join("\n")}\n`;
}

/** A column with its texts, the title first. */
interface Measured<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  /** How narrow it may be made. */
  readonly least: number;
  wide: number;
}

function measure<Row>(column: Column<Row>, rows: readonly Row[]): Measured<Row> {
  const cells = [column.title, ...rows.map((row) => cell(column, row))];
  const wide = cells.reduce((most, text) => Math.max(most, displayWidth(text)), 0);
  const least = column.whole ? wide : Math.min(wide, Math.max(LEAST_WIDTH, column.title.length));
  return { column, cells, least, wide };
}

/** Without as many as are needed of those that can be spared first, from the right; the first one stays. */
function thatFit<Row>(measured: readonly Measured<Row>[], width: number): readonly Measured<Row>[] {
  const [first, ...others] = measured;
  const byWorth = others.toReversed().toSorted((a, b) => spareness(b) - spareness(a));
  let shown = measured;
  for (const each of byWorth) {
    if (lineWidth(shown.map(({ least }) => least)) <= width) break;
    shown = shown.filter((other) => other !== each);
  }
  return first === undefined ? [] : shown;
}

function spareness<Row>({ column }: Measured<Row>): number {
  return column.spare ?? 0;
}

function lineWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1));
}

function omission(titles: readonly string[], width: number | undefined): readonly string[] {
  if (titles.length === 0 || width === undefined) return [];
  return wrapped(`not shown for want of width: ${titles.join(", ")}`, width)
    .trimEnd()
    .split("\n");
}

function cell<Row>(column: Column<Row>, row: Row): string {
  const value = column.value(row);
  return value === null || value === undefined || value === "" ? "-" : printable(String(value));
}

/** Takes from the widest columns, one character at a time, until the line fits or nothing can be taken. */
function shrink<Row>(columns: readonly Measured<Row>[], width: number): void {
  let excess = lineWidth(columns.map(({ wide }) => wide)) - width;
  for (; excess > 0; excess--) {
    let widest: Measured<Row> | undefined;
    for (const each of columns)
      if (each.wide > each.least && (widest === undefined || each.wide > widest.wide)) widest = each;
    if (widest === undefined) return;
    widest.wide -= 1;
  }
}

function fit(text: string, width: number, align: "left" | "right"): string {
  const short = displayWidth(text) <= width ? text : `${beginning(text, width - 1)}…`;
  const padding = " ".repeat(Math.max(0, width - displayWidth(short)));
  return align === "left" ? short + padding : padding + short;
}
