/** What the gateway writes down besides messages, and the fields of each kind. */

/** By its number in a record. */
export const NOTE_KINDS = [
  "unused",
  /** "pppoe" or "l2tp"; the access interface or the L2TP peer; the PPPoE session id or the Calling Number. */
  "session-begun",
  /** The user's name. */
  "user",
  /** Why. */
  "login-refused",
  /** The group, the peer that was chosen, and a line for each member; of a group of one there is no such note. */
  "lns-chosen",
  /** The peer. */
  "call-placed",
  /** The peer; why it is not with that peer any more. */
  "call-failed",
  /** The role; the device, or the LNS; the address. */
  "session-open",
  /** The cause's code; how the PPP link ended; the text; for how many milliseconds it had been open, or "". */
  "session-ended",
  /** The peer; its address. */
  "tunnel-calling",
  /** The peer; its Host Name; its address; "us" or "peer" has called. */
  "tunnel-up",
  /** The peer; "up" or "opening" before; "asked" or "fault"; the text. */
  "tunnel-down",
  /** The address; the Host Name; why. */
  "tunnel-refused",
  /** Where an SCCRQ came from. */
  "caller",
  /** The peer; what was sent and not acknowledged. */
  "tunnel-not-answering",
  /** The peer; for how many milliseconds it had not. */
  "tunnel-answers",
  /** Its legs; who captures. */
  "capture-begun",
  /** How many frames have been written; why it ended. */
  "capture-ended",
  /** The peer; "unsent", or what an ICMP error says; the text. Of a tunnel that waits for an answer, each kind once. */
  "tunnel-not-reached",
] as const;

export type NoteKind = (typeof NOTE_KINDS)[number];

/** Between the fields: no text of ours has it, and of those of others it is taken out. */
export const FIELD_SEPARATOR = "\u001f";

const NUMBERS: ReadonlyMap<string, number> = new Map(NOTE_KINDS.map((kind, number) => [kind, number]));

export function noteNumber(kind: NoteKind): number {
  return NUMBERS.get(kind)!;
}
