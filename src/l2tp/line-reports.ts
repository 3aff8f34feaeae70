/** What the ends of a session that stands tell each other of its asynchronous line: WEN and SLI (RFC 2661 §6.13, §6.14). */

import { readU32, writeU32 } from "../base/bytes.ts";
import type { MessageOf } from "../wire/l2tp-messages.ts";
import type { CallErrors, LinkInfo } from "./outputs.ts";
import type { Turn } from "./registry.ts";
import type { SessionState, TunnelState } from "./state.ts";
import { send } from "./tunnel.ts";

/** Octets of the two AVPs, of which the first two are reserved. */
const ACCM_BYTES = 10;
const CALL_ERRORS_BYTES = 26;

/** LNS: SLI. */
export function sendLinkInfo(turn: Turn, tunnel: TunnelState, session: SessionState, info: LinkInfo): void {
  if (session.progress.stage !== "established" || session.side !== "lns") return;
  const accm = new Uint8Array(ACCM_BYTES);
  writeU32(accm, 2, info.sendAccm);
  writeU32(accm, 6, info.receiveAccm);
  send(turn, tunnel, { kind: "SLI", accm }, session.remoteId);
}

/** LAC: WEN. */
export function sendWanError(turn: Turn, tunnel: TunnelState, session: SessionState, e: CallErrors): void {
  if (session.progress.stage !== "established" || session.side !== "lac") return;
  const callErrors = new Uint8Array(CALL_ERRORS_BYTES);
  writeU32(callErrors, 2, e.crcErrors);
  writeU32(callErrors, 6, e.framingErrors);
  writeU32(callErrors, 10, e.hardwareOverruns);
  writeU32(callErrors, 14, e.bufferOverruns);
  writeU32(callErrors, 18, e.timeoutErrors);
  writeU32(callErrors, 22, e.alignmentErrors);
  send(turn, tunnel, { kind: "WEN", callErrors }, session.remoteId);
}

/** Tells the owner what has come; a report from the wrong side, or without its AVP, is only counted. */
export function onLineReport(
  turn: Turn,
  { id: tunnel }: TunnelState,
  { id: session, side }: SessionState,
  message: MessageOf<"WEN"> | MessageOf<"SLI">,
): void {
  if (message.kind === "WEN" && side === "lns" && message.callErrors !== undefined) {
    turn.out.push({ kind: "wan-error", tunnel, session, errors: callErrorsOf(message.callErrors) });
  } else if (message.kind === "SLI" && side === "lac" && message.accm !== undefined) {
    const info = { sendAccm: readU32(message.accm, 2), receiveAccm: readU32(message.accm, 6) };
    turn.out.push({ kind: "link-info", tunnel, session, info });
  } else {
    turn.registry.discard("unexpected");
  }
}

function callErrorsOf(bytes: Uint8Array): CallErrors {
  return {
    crcErrors: readU32(bytes, 2),
    framingErrors: readU32(bytes, 6),
    hardwareOverruns: readU32(bytes, 10),
    bufferOverruns: readU32(bytes, 14),
    timeoutErrors: readU32(bytes, 18),
    alignmentErrors: readU32(bytes, 22),
  };
}
