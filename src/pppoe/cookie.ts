/**
 * AC-Cookies (RFC 2516 §9): proof that a PADR comes from where a PADO went, without remembering the PADO.
 *
 *   time of issue 4 | serial 4 | HMAC-SHA-256 over subscriber, time and serial, cut to 16
 *
 * The time is milliseconds modulo 2³². The serial makes every cookie another one, so that a repeated PADR
 * and a new call of the same subscriber are told apart even within one millisecond.
 */

import { createHmac, timingSafeEqual } from "node:crypto";
import { concatBytes, readU32, writeU32 } from "../base/bytes.ts";
import type { Instant } from "../base/time.ts";

const STAMP_BYTES = 8;
const DIGEST_BYTES = 16;
const COOKIE_BYTES = STAMP_BYTES + DIGEST_BYTES;

/** Octets of a key: the digest's own size (RFC 2104 §3). */
export const COOKIE_KEY_BYTES = 32;

export type CookieVerdict = "valid" | "forged" | "expired";

function digest(key: Uint8Array, stamp: Uint8Array, subscriber: Uint8Array): Uint8Array {
  return createHmac("sha256", key).update(stamp).update(subscriber).digest().subarray(0, DIGEST_BYTES);
}

/** `subscriber` as of subscriberOctets. */
export function issueCookie(
  key: Uint8Array,
  now: Instant,
  serial: number,
  subscriber: Uint8Array,
): Uint8Array {
  const stamp = new Uint8Array(STAMP_BYTES);
  writeU32(stamp, 0, Math.floor(now) >>> 0);
  writeU32(stamp, 4, serial >>> 0);
  return concatBytes(stamp, digest(key, stamp, subscriber));
}

/** Whether we issued this cookie to this subscriber within the last `lifeMs`. */
export function checkCookie(
  key: Uint8Array,
  now: Instant,
  lifeMs: number,
  cookie: Uint8Array,
  subscriber: Uint8Array,
): CookieVerdict {
  if (cookie.length !== COOKIE_BYTES) return "forged";
  const stamp = cookie.subarray(0, STAMP_BYTES);
  if (!timingSafeEqual(digest(key, stamp, subscriber), cookie.subarray(STAMP_BYTES))) return "forged";
  return cookieAgeMs(now, cookie) <= lifeMs ? "valid" : "expired";
}

/** Milliseconds since a cookie of ours was issued. */
export function cookieAgeMs(now: Instant, cookie: Uint8Array): number {
  return (Math.floor(now) - readU32(cookie, 0)) >>> 0;
}

/** A number of its own for each cookie of ours that lives at a time: the serial, and 20 bits of the time. */
export function cookieNumber(cookie: Uint8Array): number {
  return (readU32(cookie, 0) & 0xfffff) * 2 ** 32 + readU32(cookie, 4);
}
