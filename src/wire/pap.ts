/*
 * Password Authentication Protocol packets (RFC 1334 §2.2), after Code, Identifier and Length:
 *
 *   Authenticate-Request (1)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   | Peer-ID Length|  Peer-Id ...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+
 *   | Passwd-Length |  Password  ...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+
 *
 *   Authenticate-Ack (2) and Authenticate-Nak (3)
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+
 *   |  Msg-Length   |  Message  ...
 *   +-+-+-+-+-+-+-+-+-+-+-+-+-+
 */

import { concatBytes } from "../base/bytes.ts";
import { emitControlPacket, parseControlPacket } from "./ppp-control.ts";

const AUTHENTICATE_REQUEST = 1;
const AUTHENTICATE_ACK = 2;
const AUTHENTICATE_NAK = 3;

export type PapPacket =
  | {
      readonly kind: "authenticate-request";
      readonly identifier: number;
      /** At most 255 octets each. */
      readonly peerId: Uint8Array;
      readonly password: Uint8Array;
    }
  | {
      readonly kind: "authenticate-ack" | "authenticate-nak";
      readonly identifier: number;
      /** At most 255 octets. */
      readonly message: Uint8Array;
    };

/** Undefined for unknown codes and lengths that do not fit. The fields are copies. */
export function parsePap(packet: Uint8Array): PapPacket | undefined {
  const control = parseControlPacket(packet);
  if (control === undefined) return undefined;
  const { code, identifier, data } = control;
  switch (code) {
    case AUTHENTICATE_REQUEST: {
      const peerId = lengthValue(data, 0);
      if (peerId === undefined) return undefined;
      const password = lengthValue(data, 1 + peerId.length);
      if (password === undefined) return undefined;
      return { kind: "authenticate-request", identifier, peerId, password };
    }
    case AUTHENTICATE_ACK:
    case AUTHENTICATE_NAK: {
      // Some implementations leave out Msg-Length when there is no message
      const message = data.length === 0 ? new Uint8Array(0) : lengthValue(data, 0);
      if (message === undefined) return undefined;
      return {
        kind: code === AUTHENTICATE_ACK ? "authenticate-ack" : "authenticate-nak",
        identifier,
        message,
      };
    }
    default:
      return undefined;
  }
}

/** The inverse of parsePap. */
export function emitPap(packet: PapPacket): Uint8Array {
  const { identifier } = packet;
  switch (packet.kind) {
    case "authenticate-request":
      return emitControlPacket({
        code: AUTHENTICATE_REQUEST,
        identifier,
        data: concatBytes(
          Uint8Array.of(packet.peerId.length),
          packet.peerId,
          Uint8Array.of(packet.password.length),
          packet.password,
        ),
      });
    case "authenticate-ack":
    case "authenticate-nak":
      return emitControlPacket({
        code: packet.kind === "authenticate-ack" ? AUTHENTICATE_ACK : AUTHENTICATE_NAK,
        identifier,
        data: concatBytes(Uint8Array.of(packet.message.length), packet.message),
      });
  }
}

function lengthValue(data: Uint8Array, offset: number): Uint8Array | undefined {
  const length = data[offset];
  if (length === undefined || offset + 1 + length > data.length) return undefined;
  return data.slice(offset + 1, offset + 1 + length);
}
