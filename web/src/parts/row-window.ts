/** Which rows of a long table are drawn: those that are seen, and some around them. */

interface RowWindow {
  /** The first row that is drawn, and the one after the last. */
  readonly first: number;
  readonly end: number;
}

export function rowWindow(
  scrollTop: number,
  height: number,
  rowHeight: number,
  rows: number,
  around = 8,
): RowWindow {
  const first = Math.max(0, Math.min(Math.floor(scrollTop / rowHeight) - around, rows - 1));
  const end = Math.min(rows, Math.ceil((scrollTop + height) / rowHeight) + around);
  return { first: Math.max(0, first), end: Math.max(first, end) };
}

/** Where to scroll so that a row is seen; `scrollTop` itself when it is. */
export function scrollToRow(row: number, scrollTop: number, height: number, rowHeight: number): number {
  const top = row * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + height ? top + rowHeight - height : scrollTop;
}
