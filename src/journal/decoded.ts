import { fromUtf8, toHex } from "../base/bytes.ts";
import type { ResultCode } from "../wire/l2tp-codes.ts";

/** A message for people. */
export interface Decoded {
  /** The RFC's: "PADI", "LCP Configure-Request", "ICRQ". What is no such message has a name in brackets. */
  readonly name: string;
  /** What is in it. */
  readonly text: string;
  /** Of StopCCN and CDN. */
  readonly result?: ResultCode;
  /** The name of an error tag in a PADO, PADS or PADT. */
  readonly error?: string;
  /** Of an LCP, NCP or authentication packet: what an answer to it repeats. */
  readonly identifier?: number;
}

const LONGEST_TEXT = 120;
const LONGEST_OCTETS = 24;

/** What others have said, so that it can be shown: in quotes, of one line, with nothing that acts on a terminal. */
export function quoted(said: Uint8Array | string): string {
  const text = typeof said === "string" ? said : fromUtf8(said);
  const short = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text;
  return `"${plain(short.replaceAll(/["\\]/g, "\\$&"))}"`;
}

function escaped(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`;
}

/** A text of ours in which others may be cited: nothing in it acts on a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, escaped);
}

/** "1 octet", "5 octets". */
export function sizeOf({ length }: Uint8Array): string {
  return length === 1 ? "1 octet" : `${length} octets`;
}

/** Octets of which nobody knows what they mean, or that mean something only to others. */
export function octets(bytes: Uint8Array): string {
  if (bytes.length === 0) return "of no octets";
  if (bytes.length > LONGEST_OCTETS) return `of ${sizeOf(bytes)}`;
  return `0x${toHex(bytes)}`;
}

export function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}
