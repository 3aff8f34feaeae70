/** Pictures as plain SVG. Their colours are readable on a light page and on a dark one. */

const WIDTH = 760;
const HEIGHT = 380;
const LEFT = 64;
const RIGHT = 220;
const TOP = 40;
const BOTTOM = 48;
const TICKS = 5;
const COLOURS = ["#2f7ed8", "#d9822b", "#3d9a50", "#b0559f", "#c23b3b", "#5a8f9c", "#8a7a2f"];
/** Between what a light and what a dark page would take. */
const TEXT = "#808080";
const GRID = "#80808040";

interface Line {
  readonly name: string;
  readonly dashed: boolean;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

interface LineChart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** In x. */
  readonly logarithmic: boolean;
  /** With at least one point each. */
  readonly lines: readonly Line[];
}

export function lineChart({ title, xLabel, yLabel, logarithmic, lines }: LineChart): string {
  const xs = [...new Set(lines.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const top = niceCeiling(Math.max(...lines.flatMap(({ points }) => points.map(({ y }) => y))));
  const scaled = (x: number): number => (logarithmic ? Math.log(x) : x);
  const [first, last] = [scaled(xs[0]!), scaled(xs.at(-1)!)];
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const xAt = (x: number): number =>
    first === last ? (LEFT + right) / 2 : LEFT + ((scaled(x) - first) / (last - first)) * (right - LEFT);
  const yAt = (y: number): number => bottom - (y / top) * (bottom - TOP);
  const body: string[] = [];
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const y = (top * tick) / TICKS;
    body.push(`<path d="M${LEFT} ${at(yAt(y))}H${right}" stroke="${GRID}"/>`);
    body.push(text(LEFT - 8, yAt(y) + 4, number(y), "end"));
  }
  for (const x of xs) body.push(text(xAt(x), bottom + 18, number(x), "middle"));
  body.push(text((LEFT + right) / 2, HEIGHT - 8, xLabel, "middle"));
  body.push(text(LEFT, TOP - 10, yLabel, "middle"));
  lines.forEach(({ name, dashed, points }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const sorted = points.toSorted((a, b) => a.x - b.x);
    const path = sorted.map(({ x, y }) => `${at(xAt(x))} ${at(yAt(y))}`).join("L");
    const dash = dashed ? ' stroke-dasharray="6 4"' : "";
    body.push(`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`);
    for (const { x, y } of sorted)
      body.push(`<circle cx="${at(xAt(x))}" cy="${at(yAt(y))}" r="3" fill="${colour}"/>`);
    const legend = TOP + 18 * i;
    body.push(`<path d="M${right + 16} ${legend}h24" stroke="${colour}" stroke-width="2"${dash}/>`);
    body.push(text(right + 46, legend + 4, name, "start"));
  });
  return picture(title, HEIGHT, body);
}

interface BarChart {
  readonly title: string;
  readonly unit: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const BAR_PITCH = 24;
const BAR_LEFT = 260;

export function barChart({ title, unit, bars }: BarChart): string {
  const top = Math.max(...bars.map(({ value }) => value));
  const body = bars.flatMap(({ name, value }, i) => {
    const y = TOP + BAR_PITCH * i;
    const width = top === 0 ? 0 : (value / top) * (WIDTH - BAR_LEFT - 90);
    const colour = COLOURS[name.startsWith("ceiling") ? 1 : 0]!;
    return [
      text(BAR_LEFT - 8, y + 12, name, "end"),
      `<rect x="${BAR_LEFT}" y="${y}" width="${at(width)}" height="16" fill="${colour}"/>`,
      text(BAR_LEFT + width + 6, y + 12, `${number(value)} ${unit}`, "start"),
    ];
  });
  return picture(title, TOP + BAR_PITCH * bars.length + 8, body);
}

function picture(title: string, height: number, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    ...body,
    "</svg>",
    "",
  ].join("\n");
}

function text(x: number, y: number, words: string, anchor: "start" | "middle" | "end"): string {
  return `<text x="${at(x)}" y="${at(y)}" text-anchor="${anchor}" fill="${TEXT}">${escaped(words)}</text>`;
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function at(coordinate: number): string {
  return coordinate.toFixed(1);
}

function number(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en");
}

/** The next of 1, 2, 2.5, 5 times a power of ten. */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 2.5, 5, 10].find((step) => step * power >= value)!;
}
