/** Whether what is written and drawn can be told from what is behind it (WCAG 2.2 §1.4.3, §1.4.11), by the style sheet. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const SHEET = readFileSync(new URL("../../web/src/style/base.css", import.meta.url), "utf8");
const [LIGHT, DARK] = [...SHEET.matchAll(/:root \{(.*?)\}/gs)].map(([, body]) => coloursOf(body!));

function coloursOf(body: string): Readonly<Record<string, string>> {
  const found = [...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)];
  return Object.fromEntries(found.map(([, name, value]) => [name!, value!]));
}

function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Words, on what they may stand on. */
const TEXTS: readonly (readonly [string, readonly string[]])[] = [
  ["ink", ["paper", "sheet", "plain-soft", "good-soft", "warn-soft", "bad-soft", "accent-soft"]],
  ["muted", ["paper", "sheet"]],
  ["accent", ["paper", "sheet", "accent-soft"]],
  ["accent-ink", ["accent"]],
  ["good", ["good-soft", "sheet"]],
  ["warn", ["warn-soft", "sheet"]],
  ["bad", ["bad-soft", "sheet", "paper"]],
  // what pops up
  ["paper", ["ink", "bad"]],
];
/** Borders of what can be used, lines, and marks. */
const SHAPES: readonly (readonly [string, readonly string[]])[] = [
  ["edge", ["paper", "sheet"]],
  ["accent", ["paper", "sheet"]],
  ["down", ["sheet"]],
  ["up", ["sheet"]],
  ["bad", ["sheet"]],
];

describe.each([
  ["light", LIGHT],
  ["dark", { ...LIGHT, ...DARK }],
])("%s colours", (_, colours = {}) => {
  const pairs = (list: typeof TEXTS) => list.flatMap(([top, below]) => below.map((each) => [top, each]));
  it.each(pairs(TEXTS))("%s on %s can be read", (top, below) => {
    expect(contrast(colours[top!]!, colours[below!]!)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(pairs(SHAPES))("%s on %s can be seen", (top, below) => {
    expect(contrast(colours[top!]!, colours[below!]!)).toBeGreaterThanOrEqual(3);
  });

  it("are as many as there are names", () => {
    expect(Object.keys(LIGHT ?? {})).toEqual(Object.keys(DARK ?? {}));
    expect(Object.keys(colours).length).toBeGreaterThan(18);
  });
});
