import { readU16, readU32, utf8Within, writeU16 } from "../base/bytes.ts";
import type { Clock } from "../base/time.ts";
import { type TokenBucketState, takeToken, tokenBucket } from "../base/token-bucket.ts";
import { etherTypeOffset, MAC_BYTES } from "../wire/ethernet.ts";
import { L2TP_CONTROL_HEADER_BYTES, notL2tpControl } from "../wire/l2tp-control-header.ts";
import { blankL2tpSecrets } from "../wire/l2tp-secrets.ts";
import { PPP_LCP, pppHeaderBytes, pppProtocol } from "../wire/ppp.ts";
import { blankPppSecrets } from "../wire/ppp-secrets.ts";
import { PADI, PADO, PPPOE_CODE } from "../wire/pppoe.ts";
import { explain } from "./explain.ts";
import { FIELD_SEPARATOR, type NoteKind, noteNumber } from "./notes.ts";
import { FLAG_CUT, FLAG_OUT, HEADER_BYTES, KIND, Ring } from "./ring.ts";
import { Shares } from "./shares.ts";
import type { Explainer, StoryView, Subject } from "./story-view.ts";
import type { Archive } from "./trail.ts";
import { Words } from "./words.ts";

/** Of a message, or of a note's text: even an ICCN with all proxy AVPs has a quarter of it. */
const LONGEST_BODY_BYTES = 2048;

/**
 * What strangers (hosts without a session, L2TP peers without a tunnel) have of the ring. A part of its own is what
 * no flood can get out of, however it is made.
 */
const STRANGERS_SHARE = 1 / 4;
/**
 * What is written of strangers in a second, and at once, of each kind: so that their part still holds minutes when
 * somebody floods, and costs next to nothing.
 */
const STRANGERS_PER_SECOND = 1000;
const STRANGERS_BURST = 5000;

/** Where the Length of an L2TP message is, if it is a control message. */
const L2TP_LENGTH = 2;

const SEPARATOR = FIELD_SEPARATOR.charCodeAt(0);

/** LCP codes of which a quiet network of 64,000 sessions has thousands a second. What fails of them, the end tells. */
const LCP_ECHO_REQUEST = 9;
const LCP_DISCARD_REQUEST = 11;

/** What there is in the journal. */
export interface JournalView {
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly records: number;
  /** Messages of strangers that were too many to be written down. */
  readonly passedOver: number;
}

/** Whom a note is about. */
export interface About {
  readonly session?: number;
  readonly tunnel?: number;
  /** Of `tunnel`: ours. */
  readonly l2tpSession?: number;
  /** As macNumber() gives it. */
  readonly mac?: number;
  /** It was no session and no tunnel yet. */
  readonly stranger?: boolean;
}

/**
 * What has happened: messages as octets, without their secrets, and notes, in memory of a fixed size. There is no index
 * and no object for anything: who asks has it read from end to end, which takes some milliseconds.
 */
export class Journal implements Explainer {
  readonly #clock: Clock;
  #known: Ring | undefined;
  #strangers: Ring | undefined;
  readonly #words = new Words();
  readonly #buckets: readonly TokenBucketState[];
  /** Of the ring of those who are known; who has used up his share is written down as a stranger. */
  readonly #shares = { sessions: new Shares(), hosts: new Shares() };
  #number = 0;
  #passedOver = 0;

  /** `sizeBytes`: 0 is no journal; at least 256 KiB otherwise. */
  constructor(sizeBytes: number, clock: Clock) {
    this.#clock = clock;
    const now = clock.wallClock();
    this.#buckets = Object.values(KIND).map(() => tokenBucket(STRANGERS_BURST, now));
    this.resize(sizeBytes);
  }

  /** Goes on in memory of another size with what is there, the newest as far as it fits; 0 forgets all. */
  resize(sizeBytes: number): void {
    const before = [this.#known, this.#strangers];
    const strangers = Math.ceil(sizeBytes * STRANGERS_SHARE);
    this.#known = sizeBytes > 0 ? new Ring(sizeBytes - strangers) : undefined;
    this.#strangers = sizeBytes > 0 ? new Ring(strangers) : undefined;
    for (const [i, ring] of [this.#known, this.#strangers].entries())
      if (ring !== undefined) before[i]?.copyTo(ring);
  }

  /**
   * A PPPoE discovery frame with its Ethernet header, on an access interface; `unanswered`: why it got no answer.
   * Anybody may ask who is there; who shows a cookie of ours, or ends a session, is no stranger while he keeps to his
   * share.
   */
  discovery(port: string, out: boolean, frame: Uint8Array, unanswered = ""): void {
    if (this.#known === undefined || frame.length < 2 * MAC_BYTES) return;
    const code = frame[etherTypeOffset(frame, 0, frame.length) + 2 + PPPOE_CODE];
    const mac = out ? 0 : MAC_BYTES;
    const known =
      code !== PADI &&
      code !== PADO &&
      unanswered === "" &&
      this.#isWithin(this.#shares.hosts, readU32(frame, mac + 2), frame);
    const body = this.#message(KIND.pppoe, out, frame, !known);
    if (body === undefined) return;
    const ring = known ? this.#known : this.#strangers!;
    if (unanswered !== "") ring.setSession(body, this.#words.number(unanswered));
    ring.setTunnel(body, 0, this.#words.number(port));
    ring.setMac(body, readU32(frame, mac), readU16(frame, mac + 4));
  }

  /** A PPP frame of a session; what is no control protocol, and LCP's echoes, are passed over. */
  ppp(session: number, out: boolean, frame: Uint8Array): void {
    if (this.#known === undefined || !isWorthKeeping(frame)) return;
    const known = this.#isWithin(this.#shares.sessions, session, frame);
    const body = this.#message(KIND.ppp, out, frame, !known);
    if (body === undefined) return;
    const ring = known ? this.#known : this.#strangers!;
    blankPppSecrets(ring.octets, body, body + ring.bodyBytes(body));
    ring.setSession(body, session);
  }

  /**
   * An L2TP control message, in a tunnel of ours (0: none yet). `known`: that tunnel's own peer sent it, or it is ours.
   * What only acknowledges is passed over, as is what is no such message.
   */
  control(tunnel: number, out: boolean, datagram: Uint8Array, known: boolean): void {
    const ring = known ? this.#known : this.#strangers;
    if (ring === undefined || datagram.length <= L2TP_CONTROL_HEADER_BYTES) return;
    if (notL2tpControl(datagram) !== undefined) return;
    const body = this.#message(KIND.l2tp, out, datagram, !known);
    if (body === undefined) return;
    const length = ring.bodyBytes(body);
    // of one that has been cut, so that what is left can be read
    writeU16(ring.octets, body + L2TP_LENGTH, Math.min(readU16(datagram, L2TP_LENGTH), length));
    blankL2tpSecrets(ring.octets, body, body + length);
    ring.setTunnel(body, tunnel, 0);
  }

  note(kind: NoteKind, about: About, ...fields: readonly string[]): void {
    const stranger = about.stranger === true;
    const ring = stranger ? this.#strangers : this.#known;
    if (ring === undefined) return;
    const now = this.#clock.wallClock();
    if (stranger && !this.#mayWrite(KIND.note, now)) return;
    const body = areShortAscii(fields)
      ? this.#asciiNote(ring, kind, now, fields)
      : this.#textNote(ring, kind, now, fields);
    ring.setSession(body, about.session ?? 0);
    if (about.tunnel !== undefined) ring.setTunnel(body, about.tunnel, about.l2tpSession ?? 0);
    if (about.mac !== undefined) ring.setMac(body, Math.floor(about.mac / 65_536), about.mac & 0xffff);
  }

  /** What nearly all are: written where it stays, with nothing in between. */
  #asciiNote(ring: Ring, kind: NoteKind, now: number, fields: readonly string[]): number {
    let length = Math.max(1, fields.length);
    for (let i = 0; i < fields.length; i++) length += fields[i]!.length;
    const body = ring.begin(KIND.note, 0, this.#nextNumber(), now, length);
    const { octets } = ring;
    octets[body] = noteNumber(kind);
    let at = body + 1;
    for (let i = 0; i < fields.length; i++) {
      const field = fields[i]!;
      if (i > 0) octets[at++] = SEPARATOR;
      for (let k = 0; k < field.length; k++) octets[at++] = field.charCodeAt(k);
    }
    return body;
  }

  #textNote(ring: Ring, kind: NoteKind, now: number, fields: readonly string[]): number {
    const text = fields.map((field) => field.replaceAll(FIELD_SEPARATOR, " ")).join(FIELD_SEPARATOR);
    const encoded = utf8Within(text, LONGEST_BODY_BYTES);
    const body = ring.begin(KIND.note, 0, this.#nextNumber(), now, 1 + encoded.length);
    ring.octets[body] = noteNumber(kind);
    ring.octets.set(encoded, body + 1);
    return body;
  }

  view(): JournalView {
    const { rings } = this.archive;
    const sum = (of: (ring: Ring) => number) => rings.reduce((total, ring) => total + of(ring), 0);
    return {
      sizeBytes: sum((ring) => ring.sizeBytes),
      usedBytes: sum((ring) => ring.usedBytes),
      records: sum((ring) => ring.records),
      passedOver: this.#passedOver,
    };
  }

  explain(subject: Subject): Promise<StoryView> {
    return explain(this.archive, subject);
  }

  /** As it is kept. */
  get archive(): Archive {
    const rings = [this.#known, this.#strangers].filter((ring) => ring !== undefined);
    return { rings, words: this.#words, passedOver: this.#passedOver };
  }

  /** Where its copy is, in the ring that it is for; undefined when it is not written down. */
  #message(kind: number, out: boolean, octets: Uint8Array, stranger: boolean): number | undefined {
    const ring = stranger ? this.#strangers! : this.#known!;
    const now = this.#clock.wallClock();
    if (stranger && !this.#mayWrite(kind, now)) return undefined;
    const length = Math.min(octets.length, LONGEST_BODY_BYTES);
    const flags = (out ? FLAG_OUT : 0) | (length < octets.length ? FLAG_CUT : 0);
    const body = ring.begin(kind, flags, this.#nextNumber(), now, length);
    ring.octets.set(length < octets.length ? octets.subarray(0, length) : octets, body);
    return body;
  }

  #isWithin(shares: Shares, key: number, { length }: Uint8Array): boolean {
    return shares.take(key, Math.min(length, LONGEST_BODY_BYTES) + HEADER_BYTES, this.#clock.wallClock());
  }

  #mayWrite(kind: number, now: number): boolean {
    if (takeToken(this.#buckets[kind - 1]!, now, STRANGERS_PER_SECOND, STRANGERS_BURST)) return true;
    this.#passedOver += 1;
    return false;
  }

  #nextNumber(): number {
    this.#number = (this.#number + 1) >>> 0;
    return this.#number;
  }
}

function isWorthKeeping(frame: Uint8Array): boolean {
  const header = pppHeaderBytes(frame, 0, frame.length);
  if (header === 0) return false;
  const protocol = pppProtocol(frame, 0, header);
  if (protocol < 0x8000) return false;
  if (protocol !== PPP_LCP) return true;
  const code = frame[header] ?? 0;
  return code < LCP_ECHO_REQUEST || code > LCP_DISCARD_REQUEST;
}

/** Whether texts can be written octet by octet, with the separator between them. */
function areShortAscii(fields: readonly string[]): boolean {
  let length = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!;
    length += field.length + 1;
    for (let k = 0; k < field.length; k++) {
      const code = field.charCodeAt(k);
      if (code > 0x7f || code === SEPARATOR) return false;
    }
  }
  return length <= LONGEST_BODY_BYTES;
}
