/** Writes the AVPs of one control message after the other into a buffer that is used again for the next message. */

import {
  ACCESS_LINE_FIELDS,
  type AccessLineAvps,
  accessLineType,
  encodeAccessLineValue,
  VENDOR_BROADBAND_FORUM,
} from "./l2tp-access-line.ts";
import { type Attribute, MESSAGE_TYPE, RANDOM_VECTOR } from "./l2tp-attributes.ts";
import { AVP_HEADER_BYTES, AVP_VALUE_MAX_BYTES, writeAvpHeader } from "./l2tp-avp.ts";
import { hideValue } from "./l2tp-hiding.ts";

/** What a sender that hides AVPs needs. */
export interface Hiding {
  readonly secret: Uint8Array;
  /** At least 16 random octets for each message. */
  readonly randomVector: Uint8Array;
  /**
   * Random octets for each message, of which each hidden value gets none to fifteen behind it, so that its length
   * is hidden, too (§4.3). Absent: no padding.
   */
  readonly padding?: Uint8Array;
}

/** The largest AVP, with what a text may be written beyond it before it is found too long. */
const ROOM_FOR_AN_AVP = 1100;
const LONGEST_PADDING = 15;

/** One message at a time: begin(), AVPs, finish(). */
export class MessageWriter {
  #bytes = new Uint8Array(4096);
  #at = 0;
  #hiding: Hiding | undefined;
  #hidden = 0;

  /** `headroom`: octets that are left free before the first AVP. */
  begin(headroom: number, messageType: number, mandatory: boolean, hiding: Hiding | undefined): void {
    this.#at = headroom;
    this.#hiding = hiding;
    this.#hidden = 0;
    writeAvpHeader(this.#bytes, headroom, mandatory, false, 0, MESSAGE_TYPE, 2);
    this.#at += AVP_HEADER_BYTES;
    this.#bytes[this.#at++] = messageType >>> 8;
    this.#bytes[this.#at++] = messageType;
  }

  /** A value that is too long is left out: a part of it would be untrue. */
  attribute(attribute: Attribute<unknown>, value: unknown): void {
    const hide = this.#prepare(attribute.hideable);
    const length = attribute.write(value, this.#bytes, this.#at + AVP_HEADER_BYTES);
    if (length >= 0) this.#complete(attribute.mandatory, hide, 0, attribute.type, length);
  }

  /** An AVP whose octets are at hand; the same holds for its length. */
  octets(mandatory: boolean, hideable: boolean, vendorId: number, type: number, value: Uint8Array): void {
    if (value.length > AVP_VALUE_MAX_BYTES) return;
    const hide = this.#prepare(hideable);
    this.#bytes.set(value, this.#at + AVP_HEADER_BYTES);
    this.#complete(mandatory, hide, vendorId, type, value.length);
  }

  accessLine(line: AccessLineAvps): void {
    for (const field of ACCESS_LINE_FIELDS) {
      const value = line[field];
      if (value === undefined) continue;
      const octets = encodeAccessLineValue(field, value);
      // RFC 5515 §5: the M bit should be 0, and the value may be hidden
      this.octets(false, true, VENDOR_BROADBAND_FORUM, accessLineType(field), octets);
    }
  }

  /** Octets so far, with the headroom. */
  get length(): number {
    return this.#at;
  }

  /** The message, and the headroom before it, in an array of its own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** Makes room for an AVP, with a Random Vector before it if it is the first that is hidden. */
  #prepare(hideable: boolean): boolean {
    if (this.#bytes.length - this.#at < 2 * ROOM_FOR_AN_AVP) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    if (!hideable || this.#hiding === undefined) return false;
    if (this.#hidden === 0) {
      const { randomVector } = this.#hiding;
      writeAvpHeader(this.#bytes, this.#at, true, false, 0, RANDOM_VECTOR, randomVector.length);
      this.#bytes.set(randomVector, this.#at + AVP_HEADER_BYTES);
      this.#at += AVP_HEADER_BYTES + randomVector.length;
    }
    return true;
  }

  /** The value stands behind the place of its header, in the clear, unless a Random Vector took that place. */
  #complete(mandatory: boolean, hide: boolean, vendorId: number, type: number, length: number): void {
    const start = this.#at + AVP_HEADER_BYTES;
    let onWire = length;
    if (hide && this.#hiding !== undefined) {
      if (length + 2 > AVP_VALUE_MAX_BYTES) return;
      const { secret, randomVector } = this.#hiding;
      const clear = this.#bytes.subarray(start, start + length);
      const hidden = hideValue(type, clear, secret, randomVector, this.#padding(length));
      this.#hidden += 1;
      this.#bytes.set(hidden, start);
      onWire = hidden.length;
    }
    writeAvpHeader(this.#bytes, this.#at, mandatory, hide, vendorId, type, onWire);
    this.#at = start + onWire;
  }

  #padding(length: number): Uint8Array | undefined {
    const random = this.#hiding?.padding;
    if (random === undefined || random.length === 0) return undefined;
    const wanted = random[this.#hidden % random.length]! & LONGEST_PADDING;
    return random.subarray(0, Math.min(wanted, AVP_VALUE_MAX_BYTES - 2 - length));
  }
}
