import { utf8Within } from "../base/bytes.ts";
import { emitChap } from "../wire/chap.ts";
import {
  emitMsChapFailure,
  emitMsChapSuccess,
  type MsChapV2Response,
  parseMsChapV2Response,
} from "../wire/ms-chap.ts";
import { emitPap } from "../wire/pap.ts";
import { PPP_CHAP, PPP_PAP } from "../wire/ppp.ts";
import { CHAP_MD5_RESPONSE_BYTES } from "./chap.ts";
import type { AuthenticationMethod } from "./lcp.ts";

/** PAP's Msg-Length has one octet. */
const MAX_PAP_MESSAGE_BYTES = 255;

/** The methods that begin with a Challenge of ours. */
export type ChapMethod = Exclude<AuthenticationMethod, "pap">;

/** One authentication packet of the peer, as plain data. */
export type Attempt =
  | { method: "pap"; identifier: number; name: Uint8Array; password: Uint8Array }
  | {
      method: "chap-md5";
      identifier: number;
      name: Uint8Array;
      challenge: Uint8Array;
      response: Uint8Array;
    }
  | ({ method: "ms-chap-v2"; identifier: number; name: Uint8Array; challenge: Uint8Array } & MsChapV2Response)
  | { method: "none" };

/** A Response of the peer to `challenge`, or undefined when its Value is not of the method's length. */
export function chapAttempt(
  method: ChapMethod,
  challenge: Uint8Array,
  packet: { readonly identifier: number; readonly value: Uint8Array; readonly name: Uint8Array },
): Attempt | undefined {
  const { identifier, value, name } = packet;
  if (method === "chap-md5")
    return value.length === CHAP_MD5_RESPONSE_BYTES
      ? { method, identifier, name, challenge, response: value }
      : undefined;
  const proof = parseMsChapV2Response(value);
  return proof && { method, identifier, name, challenge, ...proof };
}

/** What is made known of the owner's decision. */
export type Verdict =
  /** For MS-CHAPv2, and only then, with what shows the peer that its password is known here: "S=" and 40 digits. */
  | { readonly accepted: true; readonly authenticatorResponse: string | undefined }
  /** `challenge`: the 16 octets that an MS-CHAPv2 Failure must name (RFC 2759 §6). */
  | { readonly accepted: false; readonly message: string; readonly challenge: Uint8Array };

/** The packet that tells the peer. Nothing is sent where nothing was demanded. */
export function verdictPacket(
  method: Attempt["method"],
  identifier: number,
  verdict: Verdict,
): { readonly protocol: number; readonly packet: Uint8Array } | undefined {
  if (method === "none") return undefined;
  if (method === "pap")
    return {
      protocol: PPP_PAP,
      packet: emitPap({
        kind: verdict.accepted ? "authenticate-ack" : "authenticate-nak",
        identifier,
        message: utf8Within(verdict.accepted ? "" : verdict.message, MAX_PAP_MESSAGE_BYTES),
      }),
    };
  const kind = verdict.accepted ? "success" : "failure";
  return {
    protocol: PPP_CHAP,
    packet: emitChap({ kind, identifier, message: chapMessage(method, verdict) }),
  };
}

function chapMessage(method: ChapMethod, verdict: Verdict): Uint8Array {
  if (verdict.accepted)
    return method === "ms-chap-v2" && verdict.authenticatorResponse !== undefined
      ? emitMsChapSuccess(verdict.authenticatorResponse, "Welcome")
      : utf8Within("", 0);
  return method === "ms-chap-v2"
    ? emitMsChapFailure(verdict.challenge, verdict.message)
    : utf8Within(verdict.message, MAX_PAP_MESSAGE_BYTES);
}
