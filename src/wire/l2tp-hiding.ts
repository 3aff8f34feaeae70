/**
 * Hiding of Attribute Values (RFC 2661 §4.3) and the response of tunnel authentication (§5.1.1): the two uses
 * of the secret that both ends of a tunnel share.
 *
 * The Hidden AVP Subformat is the length of the value in two octets, the value, and padding of any length:
 *
 *   b1 = MD5(Attribute Type + secret + Random Vector)    c(1) = p1 xor b1
 *   bi = MD5(secret + c(i-1))                            c(i) = pi xor bi
 */

import { readU16, writeU16 } from "../base/bytes.ts";
import { md5 } from "./md5.ts";

const BLOCK_BYTES = 16;

function firstPad(type: number, secret: Uint8Array, randomVector: Uint8Array): Uint8Array {
  const attribute = new Uint8Array(2);
  writeU16(attribute, 0, type);
  return md5(attribute, secret, randomVector);
}

/** The hidden form of `value` as attribute `type`; two octets and the padding longer than the value. */
export function hideValue(
  type: number,
  value: Uint8Array,
  secret: Uint8Array,
  randomVector: Uint8Array,
  padding: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const hidden = new Uint8Array(2 + value.length + padding.length);
  writeU16(hidden, 0, value.length);
  hidden.set(value, 2);
  hidden.set(padding, 2 + value.length);
  let pad = firstPad(type, secret, randomVector);
  for (let at = 0; at < hidden.length; at += BLOCK_BYTES) {
    const block = hidden.subarray(at, at + BLOCK_BYTES);
    for (let i = 0; i < block.length; i++) block[i] = block[i]! ^ pad[i]!;
    if (at + BLOCK_BYTES < hidden.length) pad = md5(secret, block);
  }
  return hidden;
}

/** The value that was hidden; undefined when its length contradicts it, as with another secret it mostly does. */
export function revealValue(
  type: number,
  hidden: Uint8Array,
  secret: Uint8Array,
  randomVector: Uint8Array,
): Uint8Array | undefined {
  if (hidden.length < 2) return undefined;
  const clear = new Uint8Array(hidden.length);
  let pad = firstPad(type, secret, randomVector);
  for (let at = 0; at < hidden.length; at += BLOCK_BYTES) {
    const block = hidden.subarray(at, at + BLOCK_BYTES);
    for (let i = 0; i < block.length; i++) clear[at + i] = block[i]! ^ pad[i]!;
    if (at + BLOCK_BYTES < hidden.length) pad = md5(secret, block);
  }
  const length = readU16(clear, 0);
  return length <= clear.length - 2 ? clear.subarray(2, 2 + length) : undefined;
}

/**
 * The Challenge Response (§4.4.3): the CHAP response (RFC 1994 §4.1) whose Identifier is the number of the
 * message that carries it, 2 in SCCRP and 3 in SCCCN.
 */
export function challengeResponse(messageType: 2 | 3, secret: Uint8Array, challenge: Uint8Array): Uint8Array {
  return md5(Uint8Array.of(messageType), secret, challenge);
}
