/** Calls that an LNS asks us to make (RFC 2661 §5.2.2). We are the LAC then, though the peer has placed the call. */

import type { L2tpPeerConfig } from "../config/config.ts";
import type { CallConnection, CallRequest } from "../l2tp/outputs.ts";
import type { ActiveCall } from "./call.ts";

/** What OCRQ asks for. */
type OutgoingWish = NonNullable<CallRequest["outgoing"]>;

/** Bits of Framing Type (§4.4.3). */
const FRAMING_SYNCHRONOUS = 1;
const FRAMING_ASYNCHRONOUS = 2;

/** What OCCN says: the speed of the policy, or else the best that was asked for, as there is no line that limits it. */
function outgoingConnection(
  { connectSpeed, sequencing }: Pick<L2tpPeerConfig, "connectSpeed" | "sequencing">,
  { maximumBps, framingType }: OutgoingWish,
): CallConnection {
  const speed = connectSpeed.from === "static" ? connectSpeed.bps : maximumBps;
  const asynchronous = (framingType & FRAMING_SYNCHRONOUS) === 0 && framingType !== 0;
  return {
    txConnectSpeed: speed,
    rxConnectSpeed: speed,
    framingType: asynchronous ? FRAMING_ASYNCHRONOUS : FRAMING_SYNCHRONOUS,
    ...(sequencing === "required" && { sequencingRequired: true }),
  };
}

/** There is no line to dial on: what an LNS has asked for is there at once, and goes on like a call that came in. */
export function connectOutgoing(call: ActiveCall, wanted: OutgoingWish): void {
  const connection = outgoingConnection(call.peer, wanted);
  call.connect(connection);
  call.handler?.connected(connection);
}

/** Whether we number our data messages in a call that the peer has placed, whatever the peer does. */
export function isNumberedByUs(
  { sequencing }: Pick<L2tpPeerConfig, "sequencing">,
  outgoing: boolean,
): boolean {
  return sequencing === (outgoing ? "required" : "always");
}
