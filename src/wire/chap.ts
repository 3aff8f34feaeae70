/*
 * Challenge Handshake Authentication Protocol packets (RFC 1994 §4), after Code, Identifier and Length:
 *
 *   Challenge (1) and Response (2)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Value-Size   |  Value ...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Name ...
 *   +-+-+-+-+-+-+
 *
 *   Success (3) and Failure (4)
 *   +-+-+-+-+-+-+-
 *   |  Message  ...
 *   +-+-+-+-+-+-+-
 */

import { concatBytes } from "../base/bytes.ts";
import { emitControlPacket, parseControlPacket } from "./ppp-control.ts";

const CHALLENGE = 1;
const RESPONSE = 2;
const SUCCESS = 3;
const FAILURE = 4;

export type ChapPacket =
  | {
      readonly kind: "challenge" | "response";
      readonly identifier: number;
      /** 1 to 255 octets. */
      readonly value: Uint8Array;
      readonly name: Uint8Array;
    }
  | { readonly kind: "success" | "failure"; readonly identifier: number; readonly message: Uint8Array };

/** Undefined for unknown codes, an empty Value and lengths that do not fit. The fields are copies. */
export function parseChap(packet: Uint8Array): ChapPacket | undefined {
  const control = parseControlPacket(packet);
  if (control === undefined) return undefined;
  const { code, identifier, data } = control;
  switch (code) {
    case CHALLENGE:
    case RESPONSE: {
      const size = data[0];
      if (size === undefined || size === 0 || 1 + size > data.length) return undefined;
      return {
        kind: code === CHALLENGE ? "challenge" : "response",
        identifier,
        value: data.slice(1, 1 + size),
        name: data.slice(1 + size),
      };
    }
    case SUCCESS:
    case FAILURE:
      return { kind: code === SUCCESS ? "success" : "failure", identifier, message: data.slice() };
    default:
      return undefined;
  }
}

/** The inverse of parseChap. */
export function emitChap(packet: ChapPacket): Uint8Array {
  const { identifier } = packet;
  switch (packet.kind) {
    case "challenge":
    case "response":
      return emitControlPacket({
        code: packet.kind === "challenge" ? CHALLENGE : RESPONSE,
        identifier,
        data: concatBytes(Uint8Array.of(packet.value.length), packet.value, packet.name),
      });
    case "success":
    case "failure":
      return emitControlPacket({
        code: packet.kind === "success" ? SUCCESS : FAILURE,
        identifier,
        data: packet.message,
      });
  }
}
