import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUTOMATON_STATES, type AutomatonEvent, transition } from "../../src/ppp/automaton.ts";

const EVENTS: readonly AutomatonEvent[] = [
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
function printedTable(): Map<string, string[]> {
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

describe("the option negotiation automaton", () => {
  const printed = printedTable();

  it("has the events of RFC 1661 §4.1 and no others", () => {
    expect([...printed.keys()].sort()).toEqual([...EVENTS].sort());
  });

  it.each(EVENTS)("does on %s what the RFC's table says, in every state", (event) => {
    const ours = AUTOMATON_STATES.map((state) => {
      const step = transition(state, event);
      if (step === undefined) return "-";
      const actions = step.actions.length === 0 ? "" : `${step.actions.join(",")}/`;
      return `${actions}${AUTOMATON_STATES.indexOf(step.next)}`;
    });
    expect(ours).toEqual(printed.get(event));
  });
});
