import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { KEPT_SECONDS } from "../client/history.ts";
import { Store } from "../client/store.ts";
import { useStore } from "../client/use-store.ts";
import { AXIS_STEPS } from "../text/format.ts";

export interface Series {
  readonly label: string;
  /** The CSS variable of its colour: "--down". */
  readonly colour: string;
  readonly isFilled?: boolean;
}

interface ChartProps {
  /** What a reader who does not see it is told. */
  readonly label: string;
  readonly series: readonly Series[];
  /** Times in seconds, then the values of each series; null is a gap. */
  readonly columns: (number | null)[][];
  readonly height: number;
  readonly format: (value: number) => string;
}

const dark = matchMedia("(prefers-color-scheme: dark)");
/** Lines on a canvas do not follow the style sheet by themselves. */
const darkness = new Store(dark.matches);
dark.addEventListener("change", ({ matches }) => darkness.set(matches));

const FONT = '11px system-ui, "Segoe UI", Roboto, sans-serif';

/** Lines over time. The figures of the moment stand beside it, as text. */
export function Chart({ label, series, columns, height, format }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const isDark = useStore(darkness);
  const latest = useRef(columns);
  latest.current = columns;

  // made anew for other colours; data come by the next effect
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new uPlot(
      options(series, element.clientWidth, height, format),
      latest.current as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [isDark, height]);

  useEffect(() => plot.current?.setData(columns as uPlot.AlignedData), [columns]);

  return <div class="chart" role="img" aria-label={label} ref={place} style={{ height: `${height}px` }} />;
}

function options(
  series: readonly Series[],
  width: number,
  height: number,
  format: (value: number) => string,
): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    font: FONT,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    cursor: { show: false },
    legend: { show: false },
    scales: {
      // the same span from the first moment on
      x: { range: (_plot, _first, last) => lastMinutes(last) },
      y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, space: 90, size: 26, values: (_plot, times) => times.map(minutes) },
      { ...axis, size: 78, space: 34, incrs: [...AXIS_STEPS], values: (_plot, values) => values.map(format) },
    ],
    series: [
      {},
      ...series.map(({ label, colour: name, isFilled = false }) => ({
        label,
        stroke: colour(name),
        width: 1.75,
        points: { show: false },
        ...(isFilled && { fill: `${colour(name)}26` }),
      })),
    ],
  };
}

/** Nothing has come yet: uPlot says null. */
function lastMinutes(last: number | null): [number, number] {
  const end = last ?? Date.now() / 1000;
  return [end - KEPT_SECONDS, end];
}

function minutes(time: number): string {
  const date = new Date(time * 1000);
  const two = (value: number): string => String(value).padStart(2, "0");
  const seconds = date.getSeconds() === 0 ? "" : `:${two(date.getSeconds())}`;
  return `${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
}
