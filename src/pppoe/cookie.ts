/**
 * AC-Cookies (RFC 2516 §9): proof that a PADR comes from where a PADO went, without remembering the PADO.
 *
 *   time of issue 4 | serial 4 | SipHash-2-4 over time, serial and subscriber 8
 *
 * The time is milliseconds modulo 2³². The serial makes every cookie another one, so that a repeated PADR
 * and a new call of the same subscriber are told apart even within one millisecond. A hash of 64 bits is enough for what
 * lives a minute: who guesses has one chance in 2⁶⁴ with every PADR.
 */

import { readU32, writeU16, writeU32 } from "../base/bytes.ts";
import type { Instant } from "../base/time.ts";
import { SIPHASH_BYTES, SIPHASH_KEY_BYTES, sipHash } from "./siphash.ts";
import { MAX_SUBSCRIBER_UNITS, type SubscriberKey } from "./subscriber-key.ts";

const STAMP_BYTES = 8;
const COOKIE_BYTES = STAMP_BYTES + SIPHASH_BYTES;

export const COOKIE_KEY_BYTES = SIPHASH_KEY_BYTES;

export type CookieVerdict = "valid" | "forged" | "expired";

export function issueCookie(
  key: Uint8Array,
  now: Instant,
  serial: number,
  subscriber: SubscriberKey,
): Uint8Array {
  // of fixed length: where a tag is missing its TPID is zero
  const message = new Uint8Array(STAMP_BYTES + 2 * MAX_SUBSCRIBER_UNITS);
  writeU32(message, 0, Math.floor(now) >>> 0);
  writeU32(message, 4, serial >>> 0);
  for (let i = 0; i < subscriber.length; i++)
    writeU16(message, STAMP_BYTES + 2 * i, subscriber.charCodeAt(i));
  const cookie = new Uint8Array(COOKIE_BYTES);
  for (let i = 0; i < STAMP_BYTES; i++) cookie[i] = message[i]!;
  sipHash(key, message, cookie, STAMP_BYTES);
  return cookie;
}

/** Whether we issued this cookie to this subscriber within the last `lifeMs`. */
export function checkCookie(
  key: Uint8Array,
  now: Instant,
  lifeMs: number,
  cookie: Uint8Array,
  subscriber: SubscriberKey,
): CookieVerdict {
  if (cookie.length !== COOKIE_BYTES) return "forged";
  const ours = issueCookie(key, readU32(cookie, 0), readU32(cookie, 4), subscriber);
  // as long as it takes for any: how much of a guess is right is not to be measured
  let difference = 0;
  for (let i = 0; i < COOKIE_BYTES; i++) difference |= ours[i]! ^ cookie[i]!;
  if (difference !== 0) return "forged";
  return cookieAgeMs(now, cookie) <= lifeMs ? "valid" : "expired";
}

/** Milliseconds since a cookie of ours was issued. */
function cookieAgeMs(now: Instant, cookie: Uint8Array): number {
  return (Math.floor(now) - readU32(cookie, 0)) >>> 0;
}

/** A number of its own for each cookie of ours that lives at a time: the serial, and 20 bits of the time. */
export function cookieNumber(cookie: Uint8Array): number {
  return (readU32(cookie, 0) & 0xfffff) * 2 ** 32 + readU32(cookie, 4);
}
