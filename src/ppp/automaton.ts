/**
 * The option negotiation automaton of RFC 1661 §4.1, once, for LCP and every NCP. This file is the RFC's
 * table and nothing else: rows are events, columns are states 0 to 9, a cell is the actions and the new state.
 */

/** States 0 to 9 in the RFC's order (§4.2). */
export const AUTOMATON_STATES = [
  "initial",
  "starting",
  "closed",
  "stopped",
  "closing",
  "stopping",
  "req-sent",
  "ack-rcvd",
  "ack-sent",
  "opened",
] as const;
export type AutomatonState = (typeof AUTOMATON_STATES)[number];

/** Events (§4.3). */
export type AutomatonEvent =
  | "Up"
  | "Down"
  | "Open"
  | "Close"
  /** Timeout with the restart counter above zero, and expired. */
  | "TO+"
  | "TO-"
  /** Receive-Configure-Request, good and bad. */
  | "RCR+"
  | "RCR-"
  /** Receive-Configure-Ack. */
  | "RCA"
  /** Receive-Configure-Nak or -Reject. */
  | "RCN"
  /** Receive-Terminate-Request and -Ack. */
  | "RTR"
  | "RTA"
  /** Receive-Unknown-Code. */
  | "RUC"
  /** Receive-Code-Reject or -Protocol-Reject, permitted and catastrophic. */
  | "RXJ+"
  | "RXJ-"
  /** Receive-Echo-Request, -Reply or Discard-Request. */
  | "RXR";

/** Actions (§4.4). */
export type AutomatonAction =
  /** This-Layer-Up, -Down, -Started, -Finished. */
  | "tlu"
  | "tld"
  | "tls"
  | "tlf"
  /** Initialize- and Zero-Restart-Count. */
  | "irc"
  | "zrc"
  /** Send-Configure-Request, -Ack, -Nak or -Reject. */
  | "scr"
  | "sca"
  | "scn"
  /** Send-Terminate-Request and -Ack. */
  | "str"
  | "sta"
  /** Send-Code-Reject and Send-Echo-Reply. */
  | "scj"
  | "ser";

export interface Transition {
  readonly next: AutomatonState;
  readonly actions: readonly AutomatonAction[];
}

/** Null is the RFC's dash: the event cannot occur in that state. */
type Cell = Transition | null;
type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell];

/** A cell: the number of the new state and the actions, in the RFC's order. */
function to(state: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9, ...actions: AutomatonAction[]): Transition {
  return { next: AUTOMATON_STATES[state], actions };
}

// biome-ignore format: the table reads like the RFC's
const TABLE: Readonly<Record<AutomatonEvent, Row>> = {
  //        Initial    Starting               Closed                 Stopped                       Closing         Stopping        Req-Sent               Ack-Rcvd               Ack-Sent               Opened
  "Up":    [to(2),     to(6, "irc", "scr"),   null,                  null,                         null,           null,           null,                  null,                  null,                  null],
  "Down":  [null,      null,                  to(0),                 to(1, "tls"),                 to(0),          to(1),          to(1),                 to(1),                 to(1),                 to(1, "tld")],
  "Open":  [to(1, "tls"), to(1),              to(6, "irc", "scr"),   to(3),                        to(5),          to(5),          to(6),                 to(7),                 to(8),                 to(9)],
  "Close": [to(0),     to(0, "tlf"),          to(2),                 to(2),                        to(4),          to(4),          to(4, "irc", "str"),   to(4, "irc", "str"),   to(4, "irc", "str"),   to(4, "tld", "irc", "str")],

  "TO+":   [null,      null,                  null,                  null,                         to(4, "str"),   to(5, "str"),   to(6, "scr"),          to(6, "scr"),          to(8, "scr"),          null],
  "TO-":   [null,      null,                  null,                  null,                         to(2, "tlf"),   to(3, "tlf"),   to(3, "tlf"),          to(3, "tlf"),          to(3, "tlf"),          null],

  "RCR+":  [null,      null,                  to(2, "sta"),          to(8, "irc", "scr", "sca"),   to(4),          to(5),          to(8, "sca"),          to(9, "sca", "tlu"),   to(8, "sca"),          to(8, "tld", "scr", "sca")],
  "RCR-":  [null,      null,                  to(2, "sta"),          to(6, "irc", "scr", "scn"),   to(4),          to(5),          to(6, "scn"),          to(7, "scn"),          to(6, "scn"),          to(6, "tld", "scr", "scn")],
  "RCA":   [null,      null,                  to(2, "sta"),          to(3, "sta"),                 to(4),          to(5),          to(7, "irc"),          to(6, "scr"),          to(9, "irc", "tlu"),   to(6, "tld", "scr")],
  "RCN":   [null,      null,                  to(2, "sta"),          to(3, "sta"),                 to(4),          to(5),          to(6, "irc", "scr"),   to(6, "scr"),          to(8, "irc", "scr"),   to(6, "tld", "scr")],

  "RTR":   [null,      null,                  to(2, "sta"),          to(3, "sta"),                 to(4, "sta"),   to(5, "sta"),   to(6, "sta"),          to(6, "sta"),          to(6, "sta"),          to(5, "tld", "zrc", "sta")],
  "RTA":   [null,      null,                  to(2),                 to(3),                        to(2, "tlf"),   to(3, "tlf"),   to(6),                 to(6),                 to(8),                 to(6, "tld", "scr")],

  "RUC":   [null,      null,                  to(2, "scj"),          to(3, "scj"),                 to(4, "scj"),   to(5, "scj"),   to(6, "scj"),          to(7, "scj"),          to(8, "scj"),          to(9, "scj")],
  "RXJ+":  [null,      null,                  to(2),                 to(3),                        to(4),          to(5),          to(6),                 to(6),                 to(8),                 to(9)],
  "RXJ-":  [null,      null,                  to(2, "tlf"),          to(3, "tlf"),                 to(2, "tlf"),   to(3, "tlf"),   to(3, "tlf"),          to(3, "tlf"),          to(3, "tlf"),          to(5, "tld", "irc", "str")],

  "RXR":   [null,      null,                  to(2),                 to(3),                        to(4),          to(5),          to(6),                 to(7),                 to(8),                 to(9, "ser")],
};

/** What happens on `event` in `state`, or undefined when it cannot occur there (the RFC's dash). */
export function transition(state: AutomatonState, event: AutomatonEvent): Transition | undefined {
  return TABLE[event][AUTOMATON_STATES.indexOf(state)] ?? undefined;
}
