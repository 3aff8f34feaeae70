import { readU16 } from "../../src/base/bytes.ts";

/** Something valid to start from, and where in it the elements begin whose lengths, types and flags matter most. */
export interface Sample {
  readonly bytes: Uint8Array;
  /** Offsets, ascending. */
  readonly marks: readonly number[];
}

/** How the elements of a kind of message are found; returns their offsets. */
export type Marker = (bytes: Uint8Array) => number[];

/** A sample of every different one of these; whole frames are enough, jumbo ones would only be slow. */
export function samples(list: readonly Uint8Array[], marker: Marker = headerOnly): Sample[] {
  const seen = new Set<string>();
  const found: Sample[] = [];
  for (const bytes of list) {
    const key = Buffer.from(bytes).toString("latin1");
    if (bytes.length > MAX_INPUT_BYTES / 2 || seen.has(key)) continue;
    seen.add(key);
    found.push({ bytes: Uint8Array.from(bytes), marks: marker(bytes) });
  }
  return found;
}

/** No input is longer. */
export const MAX_INPUT_BYTES = 4096;

const headerOnly: Marker = () => [0];

/** Elements one behind the other from `start` on; `lengthAt` gives each one's octets. */
function elements(bytes: Uint8Array, start: number, lengthAt: (at: number) => number): number[] {
  const marks = [0];
  for (let at = start; at < bytes.length; ) {
    marks.push(at);
    const length = lengthAt(at);
    if (!(length > 0)) break;
    at += length;
  }
  return marks;
}

/** Configuration Options (RFC 1661 §6) behind `header` octets. */
export function optionMarks(header: number): Marker {
  return (bytes) => elements(bytes, header, (at) => bytes[at + 1] ?? 0);
}

/** PPPoE tags (RFC 2516 §5) behind `header` octets. */
export function tagMarks(header: number): Marker {
  return (bytes) =>
    elements(bytes, header, (at) => (at + 4 <= bytes.length ? 4 + readU16(bytes, at + 2) : 0));
}

/** AVPs (RFC 2661 §4.1) behind `header` octets. */
export function avpMarks(header: number): Marker {
  return (bytes) =>
    elements(bytes, header, (at) => (at + 2 <= bytes.length ? readU16(bytes, at) & 0x3ff : 0));
}

/** Netlink messages, attributes and what is nested in them lie on multiples of four octets. */
export const wordMarks: Marker = (bytes) => elements(bytes, 0, () => 4);
