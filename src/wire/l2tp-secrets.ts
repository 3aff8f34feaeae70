/**
 * Overwrites with zeroes what nobody may keep of an L2TP control message: Challenge and Challenge Response, the
 * proxied ones of the subscriber (a password with PAP), every hidden value, and the values of attributes that we do
 * not know.
 */

import { accessLineField, VENDOR_BROADBAND_FORUM } from "./l2tp-access-line.ts";
import { ATTRIBUTE_BY_TYPE, ATTRIBUTES, MESSAGE_TYPE } from "./l2tp-attributes.ts";
import { AVP_HEADER_BYTES, avpIsHidden, avpLength, avpType, avpVendorId } from "./l2tp-avp.ts";
import { L2TP_CONTROL_HEADER_BYTES } from "./l2tp-control-header.ts";

const SECRETS: readonly number[] = [
  ATTRIBUTES.challenge.type,
  ATTRIBUTES.challengeResponse.type,
  ATTRIBUTES.proxyAuthenChallenge.type,
  ATTRIBUTES.proxyAuthenResponse.type,
];

/** By the number of an IETF attribute: 1, its value may be kept. */
const MAY_BE_KEPT = Uint8Array.from({ length: 128 }, (_, type) =>
  type === MESSAGE_TYPE || (ATTRIBUTE_BY_TYPE[type] !== undefined && !SECRETS.includes(type)) ? 1 : 0,
);

/**
 * Blanks the control message that fills `bytes` from `start` to `end`, in place; notL2tpControl() has accepted it, or
 * it has been cut short since. What is behind the last whole AVP goes, too.
 */
export function blankL2tpSecrets(bytes: Uint8Array, start: number, end: number): void {
  let at = start + L2TP_CONTROL_HEADER_BYTES;
  while (at + AVP_HEADER_BYTES <= end) {
    const length = avpLength(bytes, at);
    const next = at + length;
    if (length < AVP_HEADER_BYTES || next > end) break;
    if (!mayKeep(bytes, at)) bytes.fill(0, at + AVP_HEADER_BYTES, next);
    at = next;
  }
  if (at < end) bytes.fill(0, at, end);
}

function mayKeep(bytes: Uint8Array, at: number): boolean {
  if (avpIsHidden(bytes, at)) return false;
  const vendor = avpVendorId(bytes, at);
  const type = avpType(bytes, at);
  if (vendor === 0) return MAY_BE_KEPT[type] === 1;
  return vendor === VENDOR_BROADBAND_FORUM && accessLineField(type) !== undefined;
}
