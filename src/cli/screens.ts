/** What is no table: health, one session or tunnel, a story, and what became of an order. */

import { counted, duration } from "../base/words.ts";
import type {
  HealthView,
  ProblemView,
  RatesView,
  ReloadView,
  SessionDetailView,
  TunnelTestView,
} from "../gateway/operations-views.ts";
import type { TunnelView } from "../gateway/views.ts";
import type { StoryEvidence, StoryView } from "../journal/story-view.ts";
import { quantity, wrapped } from "./numbers-text.ts";
import type { Tone } from "./paint.ts";
import { printable } from "./printable.ts";
import { type Screen, USUAL_WIDTH } from "./screen.ts";
import {
  CHANNEL_COLUMNS,
  DROP_COLUMNS,
  INTERFACE_COLUMNS,
  POOL_COLUMNS,
  RATE_COLUMNS,
} from "./show-tables.ts";
import { type Column, formatTable } from "./table.ts";

export function healthScreen(health: HealthView, screen: Screen): string {
  const { status, problems, interfaces, pools, drops } = health;
  const { paint } = screen;
  const up = duration(status.uptimeSeconds);
  const parts = [
    `${paint("strong", status.name)}  engine ${status.engine}  up ${up}  pid ${status.pid}\n`,
    ...(status.interfaces === null ? [] : [`${status.interfaces}\n`]),
    "\n",
    problems.length === 0 ? `${paint("good", "All is well.")}\n` : "",
    ...problems.map((problem) => problemText(problem, screen)),
    "\n",
    `Sessions  ${status.sessions}${among({ ...health.sessionsByState, ...health.sessionsByRole })}\n`,
    `Tunnels   ${status.tunnels}${among(health.tunnelsByState)}\n`,
    interfaces.length === 0 ? "" : `\n${formatTable(INTERFACE_COLUMNS, interfaces, screen)}`,
    pools.length === 0 ? "" : `\n${formatTable(POOL_COLUMNS, pools, screen)}`,
    drops.length === 0 ? "" : `\nDropped since the start\n${formatTable(DROP_COLUMNS, drops, screen)}`,
  ];
  return parts.join("");
}

function problemText({ severity, text, hint }: ProblemView, { width = USUAL_WIDTH, paint }: Screen): string {
  const [mark, tone]: [string, Tone] = severity === "error" ? ["!!", "bad"] : [" !", "warning"];
  const said = wrapped(printable(text), width, "   ").slice(3);
  return `${paint(tone, mark)} ${said}${paint("faint", wrapped(printable(hint), width, "   ").trimEnd())}\n`;
}

/** " (open 3, lac 2)"; nothing of nothing. */
function among(tally: Readonly<Record<string, number>>): string {
  const words = Object.entries(tally).map(([name, count]) => `${name} ${count}`);
  return words.length === 0 ? "" : `  (${words.join(", ")})`;
}

/** Its values, a line each, and its channels. */
export function sessionScreen(
  { channels, origin, onward, ...session }: SessionDetailView,
  screen: Screen,
): string {
  const values = { ...session, ...prefixed("origin", origin), ...prefixed("onward", onward ?? {}) };
  return `${valuesText(values, screen)}\n${formatTable(CHANNEL_COLUMNS, channels, screen)}`;
}

export function tunnelScreen(tunnel: TunnelView, screen: Screen): string {
  return valuesText({ ...tunnel }, screen);
}

function prefixed(prefix: string, values: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}.${name}`, value]));
}

const VALUE_COLUMNS: readonly Column<readonly [string, unknown]>[] = [
  { title: "NAME", value: ([name]) => name },
  { title: "VALUE", value: ([, value]) => (value === null || value === undefined ? null : String(value)) },
];

function valuesText(values: Readonly<Record<string, unknown>>, screen: Screen): string {
  return formatTable(VALUE_COLUMNS, Object.entries(values), screen);
}

export function ratesScreen({ total, ports, lnses, setupsPerSecond, at }: RatesView, screen: Screen): string {
  const sessions = ports.reduce((sum, port) => sum + port.sessions, 0);
  const rows = [
    { kind: "all", name: "-", sessions, ...total },
    ...ports.map((port) => ({ kind: "port", ...port })),
    ...lnses.map((lns) => ({ kind: "lns", ...lns })),
  ];
  const setups = `${quantity(setupsPerSecond)} set-ups a second, at ${at}`;
  return `${formatTable(RATE_COLUMNS, rows, screen)}${setups}\n`;
}

export function storyScreen(story: StoryView, screen: Screen): string {
  const { width = USUAL_WIDTH, paint } = screen;
  const parts = [`${paint("strong", wrapped(printable(story.headline), width).trimEnd())}\n`];
  for (const paragraph of story.paragraphs) parts.push("\n", wrapped(printable(paragraph), width));
  for (const { text, advice } of story.likely) {
    parts.push(`\n${paint("warning", wrapped(`Likely: ${printable(text)}`, width).trimEnd())}\n`);
    for (const each of advice) parts.push(`  - ${wrapped(printable(each), width, "    ").trimStart()}`);
  }
  if (story.evidence.length > 0) parts.push("\n", formatTable(EVIDENCE_COLUMNS, story.evidence, screen));
  return parts.join("");
}

const ARROWS = { in: "<-", out: "->" } as const;

const EVIDENCE_COLUMNS: readonly Column<StoryEvidence>[] = [
  { title: "TIME", value: ({ at }) => at.replace("T", " ").replace("Z", "") },
  { title: "", value: ({ direction }) => (direction === null ? " " : ARROWS[direction]) },
  { title: "LEG", value: ({ leg }) => leg },
  { title: "MESSAGE", value: ({ name }) => name },
  { title: "WHAT IT SAYS", value: ({ text, again }) => (again ? `${text} (again)` : text) },
];

export function testScreen({ ok, steps }: TunnelTestView, { width = USUAL_WIDTH, paint }: Screen): string {
  const lines = steps.map((step) => {
    const mark = step.ok ? paint("good", "ok  ") : paint("bad", "FAIL");
    const took = step.milliseconds === null ? "" : ` (${Math.round(step.milliseconds)} ms)`;
    return `${mark} ${wrapped(`${printable(step.text)}${took}`, width, "     ").trimStart()}`;
  });
  const verdict = ok
    ? paint("good", "A subscriber's call gets through.")
    : paint("bad", "A subscriber's call does not get through.");
  return `${lines.join("")}${verdict}\n`;
}

/** What a reload would do. */
export function reloadScreen({ changes, endingSessions }: ReloadView, { paint }: Screen): string {
  if (changes.length === 0) return "The configuration is the one that runs: nothing changes.\n";
  const marks = { added: paint("good", "+"), removed: paint("bad", "-"), changed: paint("warning", "~") };
  const lines = changes.map(({ change, text }) => `${marks[change]} ${printable(text)}\n`);
  return `${lines.join("")}${counted(endingSessions, "session")} would end.\n`;
}

/** What it has done, beyond that. */
export function reloadedScreen({ endingSessions, problems }: ReloadView, { paint }: Screen): string {
  const refused = problems.map((problem) => `${paint("bad", "!!")} ${printable(problem)}\n`);
  return `${refused.join("")}Reloaded; ${counted(endingSessions, "session")} ended.\n`;
}
