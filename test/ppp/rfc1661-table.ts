import { readFileSync } from "node:fs";
import type { AutomatonEvent } from "../../src/ppp/automaton.ts";

export const EVENTS: readonly AutomatonEvent[] = [
  "Up",
  "Down",
  "Open",
  "Close",
  "TO+",
  "TO-",
  "RCR+",
  "RCR-",
  "RCA",
  "RCN",
  "RTR",
  "RTA",
  "RUC",
  "RXJ+",
  "RXJ-",
  "RXR",
];

/** The table as the RFC prints it: for every event the cells of states 0 to 9. Footnote letters are left out. */
export function printedTable(): Map<string, string[]> {
  const text = readFileSync(new URL("../vectors/ppp-rfc1661-table.txt", import.meta.url), "utf8");
  const rows = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const row = /^ *([A-Z][A-Za-z]*[+-]?) *\|(.*)$/.exec(line);
    if (row === null || row[1] === "Events") continue;
    const cells = row[2]!
      .trim()
      .split(/ +/)
      .map((cell) => cell.replace(/[prx]$/, ""));
    rows.set(row[1]!, [...(rows.get(row[1]!) ?? []), ...cells]);
  }
  return rows;
}
