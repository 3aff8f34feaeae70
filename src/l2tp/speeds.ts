/**
 * Connect speeds that change while a session stands (RFC 5515 §4, §6): the LAC tells them by CSUN, also when the
 * LNS has asked for them by CSURQ. Only about sessions whose ICRQ announced it.
 */

import type { SpeedUpdate } from "../wire/l2tp-attributes.ts";
import type { MessageOf } from "../wire/l2tp-messages.ts";
import { bitsPerSecond } from "./call-values.ts";
import type { ConnectSpeeds } from "./outputs.ts";
import type { Turn } from "./registry.ts";
import type { SessionState, TunnelState } from "./state.ts";
import { send } from "./tunnel.ts";

/** Of 18 octets each: a message of so many fits an Ethernet frame. */
const ENTRIES_PER_MESSAGE = 64;

/** LAC: CSUN. */
export function updateSpeeds(turn: Turn, tunnel: TunnelState, speeds: readonly ConnectSpeeds[]): void {
  const entries: SpeedUpdate[] = [];
  for (const { session: id, txConnectSpeed, rxConnectSpeed } of speeds) {
    const session = updatable(tunnel, id, "lac");
    if (session === undefined) continue;
    entries.push({
      sessionId: session.remoteId,
      txConnectSpeed: bitsPerSecond(txConnectSpeed),
      rxConnectSpeed: bitsPerSecond(rxConnectSpeed),
    });
  }
  sendEntries(turn, tunnel, "CSUN", entries);
}

/** LNS: CSURQ. It has the form of CSUN; there are no speeds to be told. */
export function requestSpeeds(turn: Turn, tunnel: TunnelState, sessions: readonly number[]): void {
  const entries: SpeedUpdate[] = [];
  for (const id of sessions) {
    const session = updatable(tunnel, id, "lns");
    if (session === undefined) continue;
    entries.push({ sessionId: session.remoteId, txConnectSpeed: 0, rxConnectSpeed: 0 });
  }
  sendEntries(turn, tunnel, "CSURQ", entries);
}

function sendEntries(
  turn: Turn,
  tunnel: TunnelState,
  kind: "CSUN" | "CSURQ",
  entries: readonly SpeedUpdate[],
): void {
  for (let at = 0; at < entries.length; at += ENTRIES_PER_MESSAGE)
    send(turn, tunnel, { kind, connectSpeedUpdate: entries.slice(at, at + ENTRIES_PER_MESSAGE) });
}

/** Takes one in-order CSUN or CSURQ; entries about sessions that it cannot be about are counted. */
export function onSpeedMessage(
  turn: Turn,
  tunnel: TunnelState,
  message: MessageOf<"CSUN"> | MessageOf<"CSURQ">,
): void {
  const side = message.kind === "CSUN" ? "lns" : "lac";
  const speeds: ConnectSpeeds[] = [];
  for (const { sessionId, txConnectSpeed, rxConnectSpeed } of message.connectSpeedUpdate ?? []) {
    if (updatable(tunnel, sessionId, side) === undefined) turn.registry.discard("unexpected");
    else speeds.push({ session: sessionId, txConnectSpeed, rxConnectSpeed });
  }
  if (speeds.length === 0) return;
  if (side === "lns") turn.out.push({ kind: "speeds-updated", tunnel: tunnel.id, speeds });
  else {
    const sessions = speeds.map(({ session }) => session);
    turn.out.push({ kind: "speeds-requested", tunnel: tunnel.id, sessions });
  }
}

function updatable(tunnel: TunnelState, id: number, side: SessionState["side"]): SessionState | undefined {
  const session = tunnel.sessions[id];
  if (session?.progress.stage !== "established" || session.side !== side) return undefined;
  return session.speedUpdates ? session : undefined;
}
