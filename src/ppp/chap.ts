import { timingSafeEqual } from "node:crypto";
import { md5 } from "../wire/md5.ts";

/** Octets of an MD5 response. */
export const CHAP_MD5_RESPONSE_BYTES = 16;

/** The Response Value of CHAP with MD5 (RFC 1994 §4.1): a hash over identifier, secret and challenge. */
export function chapMd5Response(identifier: number, secret: Uint8Array, challenge: Uint8Array): Uint8Array {
  return md5(Uint8Array.of(identifier), secret, challenge);
}

/** Whether `response` answers `challenge` under `secret`; takes the same time wherever the two differ. */
export function verifyChapMd5(
  identifier: number,
  secret: Uint8Array,
  challenge: Uint8Array,
  response: Uint8Array,
): boolean {
  const expected = chapMd5Response(identifier, secret, challenge);
  return response.length === expected.length && timingSafeEqual(response, expected);
}
