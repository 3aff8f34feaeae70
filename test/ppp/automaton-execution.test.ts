import { describe, expect, it } from "vitest";
import { AUTOMATON_STATES, type AutomatonEvent, type AutomatonState } from "../../src/ppp/automaton.ts";
import {
  Negotiation,
  type NegotiationOutput,
  type NegotiationState,
  newNegotiation,
  type OptionPolicy,
} from "../../src/ppp/negotiation.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { type ConfigOption, emitOptions } from "../../src/wire/ppp-control.ts";
import { printedTable } from "./rfc1661-table.ts";

/*
 * The table of RFC 1661 §4.1 is not only written down (automaton.test.ts) but also done: every cell is played on the
 * machine, and what it sends, tells and counts is held against what the RFC prints. Down and RXR are the link's own
 * (a link whose lower layer is gone is over; Echo is LCP's): lcp.test.ts has them.
 */

const OURS: readonly ConfigOption[] = [{ type: 1, data: Uint8Array.of(5, 212) }];
const OUR_IDENTIFIER = 9;
const GOOD = 0xaa;

/** Asks for one option, and finds good whatever begins with 0xaa. */
const POLICY: OptionPolicy = {
  reset: () => {},
  request: () => OURS,
  judge: (options) => (options[0]?.type === GOOD ? { kind: "ack" } : { kind: "nak", options: OURS }),
  peerAcked: () => {},
  naked: () => {},
  rejected: () => {},
};

type Play = (machine: Negotiation) => readonly NegotiationOutput[];

const packet =
  (code: number, identifier: number, data: Uint8Array): Play =>
  (machine) =>
    machine.receive(0, { code, identifier, data }, 1_500);

/** How each event is brought about; RCN in both its ways. */
const PLAYS: readonly (readonly [AutomatonEvent, string, Play])[] = [
  ["Up", "the lower layer is up", (machine) => machine.lowerUp(0)],
  ["Open", "open", (machine) => machine.open(0)],
  ["Close", "close", (machine) => machine.close(0, new Uint8Array(0))],
  ["TO+", "the timer with transmissions left", (machine) => machine.timeout(0)],
  ["TO-", "the timer with none left", (machine) => machine.timeout(0)],
  ["RCR+", "a good Configure-Request", packet(1, 1, Uint8Array.of(GOOD, 2))],
  ["RCR-", "a bad Configure-Request", packet(1, 1, Uint8Array.of(7, 2))],
  ["RCA", "a Configure-Ack", packet(2, OUR_IDENTIFIER, emitOptions(OURS))],
  ["RCN", "a Configure-Nak", packet(3, OUR_IDENTIFIER, emitOptions(OURS))],
  ["RCN", "a Configure-Reject", packet(4, OUR_IDENTIFIER, emitOptions(OURS))],
  ["RTR", "a Terminate-Request", packet(5, 1, new Uint8Array(0))],
  ["RTA", "a Terminate-Ack", packet(6, 1, new Uint8Array(0))],
  ["RUC", "an unknown code", packet(99, 1, new Uint8Array(0))],
  ["RXJ+", "a Code-Reject that can be lived with", packet(7, 1, Uint8Array.of(99, 1, 0, 4))],
  ["RXJ-", "a Code-Reject that cannot", packet(7, 1, Uint8Array.of(1, 1, 0, 4))],
  ["RXJ-", "a Protocol-Reject", (machine) => machine.protocolRejected(0)],
];

/** A machine in the middle of things, with a request of its own that is not answered yet. */
function machineIn(automaton: AutomatonState, event: AutomatonEvent): Negotiation {
  const timed = ["closing", "stopping", "req-sent", "ack-rcvd", "ack-sent"].includes(automaton);
  const state: NegotiationState = {
    ...newNegotiation(OUR_IDENTIFIER),
    automaton,
    restartAt: timed ? 0 : Number.POSITIVE_INFINITY,
    restartCount: event === "TO-" ? 0 : 7,
    requestOptions: emitOptions(OURS),
    awaitingReply: true,
  };
  return new Negotiation(POLICY, DEFAULT_TIMERS, state);
}

const SENT: Readonly<Record<number, string>> = {
  1: "scr",
  2: "sca",
  3: "scn",
  5: "str",
  6: "sta",
  7: "scj",
};
const TOLD: Readonly<Record<string, string>> = { up: "tlu", down: "tld", finished: "tlf" };

/** What the machine put out in the RFC's words; what it says beyond the table is left out. */
function actionsOf(outputs: readonly NegotiationOutput[]): string[] {
  return outputs.flatMap((output) =>
    output.kind === "send" ? [SENT[output.packet[0]!]!] : (TOLD[output.kind] ?? []),
  );
}

/** What shows outside: This-Layer-Started is nobody's business here, and counting is looked at apart. */
const SILENT = new Set(["tls", "irc", "zrc"]);

describe("every cell of the table, played on the machine", () => {
  const printed = printedTable();
  const cells = PLAYS.flatMap(([event, what, play]) =>
    AUTOMATON_STATES.map((state, i) => ({ event, what, play, state, cell: printed.get(event)![i]! })),
  );

  it.each(cells)("$state: $what does $cell", ({ event, play, state, cell }) => {
    const machine = machineIn(state, event);
    const before = structuredClone(machine.state);
    const outputs = play(machine);
    if (cell === "-") {
      expect(actionsOf(outputs)).toEqual([]);
      expect(machine.state.automaton).toBe(state);
      return;
    }
    const [next, ...rest] = cell.split("/").reverse();
    const actions = rest.flatMap((list) => list.split(","));
    expect(actionsOf(outputs)).toEqual(actions.filter((action) => !SILENT.has(action)));
    expect(machine.state.automaton).toBe(AUTOMATON_STATES[Number(next)]);

    const { restartCount, restartAt } = machine.state;
    const { maxConfigure, maxTerminate, restartMs } = DEFAULT_TIMERS;
    const sends = actions.includes("scr") || actions.includes("str");
    const initialised = actions.includes("str") ? maxTerminate : maxConfigure;
    const start = actions.includes("irc") ? initialised : actions.includes("zrc") ? 0 : before.restartCount;
    expect(restartCount).toBe(start - (sends ? 1 : 0));
    // The timer runs in the states that have TO events, and is restarted by scr, str and zrc only
    const runs = printed.get("TO+")![Number(next)] !== "-";
    const restarted = sends || actions.includes("zrc");
    expect(restartAt).toBe(runs ? (restarted ? restartMs : before.restartAt) : Number.POSITIVE_INFINITY);
  });
});
