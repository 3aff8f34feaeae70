/** What the browser tells a screen reader of a page: roles, names and values, as a tree (Core-AAM). */

import type { Page } from "playwright-core";

interface Heard {
  readonly id: string;
  readonly role: string;
  readonly name: string;
  readonly children: readonly string[];
}

/** What nobody can use, or find, by its role alone. */
const NAMED: readonly string[] = [
  "RootWebArea",
  "button",
  "combobox",
  "dialog",
  "grid",
  "heading",
  "image",
  "link",
  "navigation",
  "region",
  "searchbox",
  "table",
  "textbox",
  "rowheader",
  "columnheader",
];

async function heard(page: Page): Promise<ReadonlyMap<string, Heard>> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send("Accessibility.getFullAXTree");
  await session.detach();
  return new Map(
    nodes.map(({ nodeId, ignored, role, name, childIds = [] }) => [
      nodeId,
      {
        id: nodeId,
        role: ignored ? "ignored" : String(role?.value),
        name: String(name?.value ?? "").trim(),
        children: childIds,
      },
    ]),
  );
}

/** What a screen reader would stumble over: things without a name, and tables whose cells stand below no title. */
export async function treeComplaints(page: Page): Promise<readonly string[]> {
  const tree = await heard(page);
  const complaints: string[] = [];
  for (const { role, name } of tree.values())
    if (NAMED.includes(role) && name === "") complaints.push(`${role} without a name`);
  const within = (top: Heard, role: string): readonly Heard[] =>
    top.children.flatMap((id) => {
      const child = tree.get(id);
      if (child === undefined) return [];
      return [...(child.role === role ? [child] : []), ...within(child, role)];
    });
  const tables = [...tree.values()].filter(({ role }) => role === "table" || role === "grid");
  for (const table of tables) {
    const cellRole = table.role === "grid" ? "gridcell" : "cell";
    const titles = within(table, "columnheader").length;
    for (const row of within(table, "row").slice(1)) {
      const cells = within(row, "rowheader").length + within(row, cellRole).length;
      if (titles < 2 || cells !== titles)
        complaints.push(`${table.name}: ${cells} cells below ${titles} titles`);
    }
  }
  const expected = ["banner", "main", "navigation", "heading"];
  for (const role of expected)
    if (![...tree.values()].some((each) => each.role === role)) complaints.push(`there is no ${role}`);
  return complaints;
}

/**
 * Presses Tab through a whole page. Complains of what is passed over, comes before what stands before it, is not seen
 * when it has the focus, or does not show that it has.
 */
export async function focusComplaints(page: Page): Promise<readonly string[]> {
  const count = Number(await page.evaluate(PREPARE));
  const complaints: string[] = [];
  for (let i = 1; i < count; i++) {
    await page.keyboard.press("Tab");
    complaints.push(...(JSON.parse(await page.evaluate(`(${LOOK})(${i})`)) as string[]));
  }
  return complaints;
}

/** What Tab should come to, in order: one row stands for all of a grid. */
const PREPARE = `(() => {
  const all = [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex]")];
  const isStop = (element) => element.tabIndex >= 0 && element.checkVisibility() && !element.closest("dialog");
  globalThis.focusStops = all.filter(isStop);
  focusStops[0].focus();
  return focusStops.length;
})()`;

const LOOK = `(index) => {
  const element = document.activeElement;
  const told = (what) => what + ": " + element.outerHTML.slice(0, 100);
  const complaints = [];
  if (element !== focusStops[index]) complaints.push(told("not the next one, " + index));
  const { top, bottom, left, right } = element.getBoundingClientRect();
  if (bottom < 0 || top > innerHeight || right < 0 || left > innerWidth) complaints.push(told("not seen"));
  const x = Math.max(0, Math.min(innerWidth - 1, (left + right) / 2));
  const y = Math.max(0, Math.min(innerHeight - 1, (top + bottom) / 2));
  const above = document.elementFromPoint(x, y);
  const covered = above !== null && above.closest(".top") !== null && element.closest(".top") === null;
  if (covered && !element.matches(".skip")) complaints.push(told("below the bar"));
  const shape = element.querySelector("rect") ?? element;
  const style = getComputedStyle(shape);
  const isShown = style.outlineStyle !== "none" || Number.parseFloat(style.strokeWidth) > 2;
  if (!isShown) complaints.push(told("does not show the focus"));
  return JSON.stringify(complaints);
}`;
