import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { SessionView } from "../../../src/gateway/views.ts";
import { duration, size } from "../text/format.ts";
import { originWords, STATE_TONES, targetWords } from "../text/session-words.ts";
import { Badge } from "./pieces.tsx";
import { rowWindow, scrollToRow } from "./row-window.ts";

interface SessionGridProps {
  readonly rows: readonly SessionView[];
  /** How many there are with those that have not been asked for yet. */
  readonly matched: number;
  /** "user", or "-user" for the other way round. */
  readonly sort: string;
  readonly onSort: (sort: string) => void;
  /** More rows are wanted. */
  readonly onEnd: () => void;
}

interface Column {
  readonly name: string;
  readonly title: string;
  /** What the API orders by. */
  readonly key?: string;
  /** Large ones are asked for first. */
  readonly isDescendingFirst?: boolean;
}

const COLUMNS: readonly Column[] = [
  { name: "user", title: "User", key: "user" },
  { name: "state", title: "State", key: "state" },
  { name: "id", title: "Session", key: "id", isDescendingFirst: true },
  { name: "from", title: "From" },
  { name: "to", title: "To" },
  { name: "since", title: "Online", key: "started", isDescendingFirst: true },
  { name: "down", title: "↓ to", key: "out", isDescendingFirst: true },
  { name: "up", title: "↑ from", key: "in", isDescendingFirst: true },
];

/** Two lines a row where there is no room for one; as in the style sheet. */
const narrow = matchMedia("(max-width: 44rem)");
const ROW = 34;
const NARROW_ROW = 58;
/** So many rows before the last one, more are asked for. */
const AHEAD = 60;

/**
 * A table of any length of which only what is seen is in the page. One row can be reached by Tab; arrows, Page Up and
 * Down, Home and End go to the others, Enter opens one.
 */
export function SessionGrid({ rows, matched, sort, onSort, onEnd }: SessionGridProps) {
  const grid = useRef<HTMLDivElement>(null);
  const rowHeight = useMatch(narrow) ? NARROW_ROW : ROW;
  const [scroll, setScroll] = useState({ top: 0, height: 600 });
  const [current, setCurrent] = useState(0);
  const wantsFocus = useRef(false);
  const { first, end } = rowWindow(scroll.top, scroll.height, rowHeight, rows.length);

  const measure = (): void => {
    const element = grid.current;
    if (element !== null) setScroll({ top: element.scrollTop, height: seenHeight(element, rowHeight) });
  };
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    if (grid.current !== null) observer.observe(grid.current);
    return () => observer.disconnect();
  }, [rowHeight]);
  // another order begins at its top
  useEffect(() => {
    setCurrent(0);
    grid.current?.scrollTo(0, 0);
  }, [sort]);
  // after every drawing: who is asked while something else is on its way does nothing
  useEffect(() => {
    if (end > rows.length - AHEAD && rows.length < matched) onEnd();
  });
  useLayoutEffect(() => {
    if (!wantsFocus.current) return;
    const row = grid.current?.querySelector<HTMLElement>(`[data-row="${current}"]`);
    if (row === null || row === undefined) return;
    row.focus({ preventScroll: true });
    wantsFocus.current = false;
  });

  const go = (to: number): void => {
    const row = Math.max(0, Math.min(rows.length - 1, to));
    wantsFocus.current = true;
    setCurrent(row);
    const element = grid.current;
    if (element !== null)
      element.scrollTop = scrollToRow(row, element.scrollTop, seenHeight(element, rowHeight), rowHeight);
    measure();
  };
  const onKey = (event: KeyboardEvent): void => {
    const page = Math.max(1, Math.floor(scroll.height / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + page,
      PageUp: current - page,
      Home: 0,
      End: rows.length - 1,
    };
    const to = steps[event.key];
    const session = rows[current];
    if (to !== undefined) go(to);
    else if (event.key === "Enter" && session !== undefined) location.hash = `#/sessions/${session.id}`;
    else return;
    event.preventDefault();
  };

  const active = Math.min(current, rows.length - 1);
  return (
    // biome-ignore lint/a11y/useSemanticElements: a table element draws all its rows
    <div
      class="grid"
      role="grid"
      aria-label="Sessions"
      aria-rowcount={matched + 1}
      aria-colcount={COLUMNS.length}
      tabIndex={-1}
      ref={grid}
      onScroll={measure}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useSemanticElements: its buttons are focused */}
      <div class="grid-row grid-head" role="row" aria-rowindex={1}>
        {COLUMNS.map((column) => (
          <Head key={column.name} column={column} sort={sort} onSort={onSort} />
        ))}
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: as above */}
      <div class="grid-body" role="rowgroup" onKeyDown={onKey}>
        <div style={{ height: `${rows.length * rowHeight}px` }} role="presentation">
          <div style={{ transform: `translateY(${first * rowHeight}px)` }} role="presentation">
            {rows.slice(first, end).map((session, i) => (
              <Row
                key={session.id}
                session={session}
                index={first + i}
                isActive={first + i === active}
                onFocus={setCurrent}
              />
            ))}
          </div>
        </div>
      </div>
    </div>
  );
}

/** Of what rows are seen in: the head stands before the rest. */
function seenHeight(grid: HTMLElement, headHeight: number): number {
  return grid.clientHeight - headHeight;
}

interface HeadProps {
  readonly column: Column;
  readonly sort: string;
  readonly onSort: (sort: string) => void;
}

function Head({ column: { name, title, key, isDescendingFirst = false }, sort, onSort }: HeadProps) {
  const isSorted = key !== undefined && sort.replace("-", "") === key;
  const isDescending = sort.startsWith("-");
  const next = (): string => {
    const descending = isSorted ? !isDescending : isDescendingFirst;
    return `${descending ? "-" : ""}${key}`;
  };
  return (
    // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useSemanticElements: its button is focused; as above
    <div
      class={`c-${name}`}
      role="columnheader"
      aria-sort={isSorted ? (isDescending ? "descending" : "ascending") : undefined}
    >
      {key === undefined ? (
        title
      ) : (
        <button type="button" class="plain" onClick={() => onSort(next())}>
          {title}
          <span aria-hidden="true">{isSorted ? (isDescending ? " ▾" : " ▴") : ""}</span>
        </button>
      )}
    </div>
  );
}

interface RowProps {
  readonly session: SessionView;
  readonly index: number;
  readonly isActive: boolean;
  readonly onFocus: (index: number) => void;
}

function Row({ session, index, isActive, onFocus }: RowProps) {
  const { id, user, state, origin, openForSeconds, octetsIn, octetsOut } = session;
  const name = user ?? (origin.kind === "pppoe" ? origin.mac : "nobody yet");
  return (
    // biome-ignore lint/a11y/useSemanticElements: as above
    <div
      class="grid-row"
      role="row"
      aria-rowindex={index + 2}
      data-row={index}
      data-session={id}
      tabIndex={isActive ? 0 : -1}
      onFocus={() => onFocus(index)}
    >
      <Cell name="user">
        <a href={`#/sessions/${id}`} tabIndex={-1} title={name}>
          {name}
        </a>
      </Cell>
      <Cell name="state">
        <Badge tone={STATE_TONES[state]}>{state}</Badge>
      </Cell>
      <Cell name="id">{id}</Cell>
      <Cell name="from">{originWords(origin)}</Cell>
      <Cell name="to">{targetWords(session)}</Cell>
      <Cell name="since">{openForSeconds === null ? "–" : duration(openForSeconds)}</Cell>
      <Cell name="down">{size(octetsOut)}</Cell>
      <Cell name="up">{size(octetsIn)}</Cell>
    </div>
  );
}

function Cell({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useSemanticElements: rows are focused; as above
    <div class={`c-${name}`} role="gridcell">
      {children}
    </div>
  );
}

function useMatch(query: MediaQueryList): boolean {
  const [matches, setMatches] = useState(query.matches);
  useEffect(() => {
    const change = (): void => setMatches(query.matches);
    query.addEventListener("change", change);
    return () => query.removeEventListener("change", change);
  }, [query]);
  return matches;
}
