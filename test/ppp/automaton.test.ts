import { describe, expect, it } from "vitest";
import { AUTOMATON_STATES, transition } from "../../src/ppp/automaton.ts";
import { EVENTS, printedTable } from "./rfc1661-table.ts";

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
