import type { ChannelId } from "../channel/dataplane.ts";
import type { CallRequest } from "../l2tp/outputs.ts";
import type { Call, CallHandler } from "./call.ts";
import type { CallDoor } from "./call-door.ts";

/** Who is told what tunnels are for. */
export interface TunnelOwner {
  /** Whether it takes calls. */
  readonly door: CallDoor;
  /** Takes a call that a LAC offers, on the channel that was made for it. */
  takeCall(call: Call, channel: ChannelId, request: CallRequest): CallHandler;
  /** A peer that we may call has brought up a tunnel, or answered a call. */
  reachable(peer: string): void;
  /** Such a peer does not acknowledge what it is sent; it may yet. */
  silent(peer: string): void;
  /** A tunnel with such a peer was lost or could not be opened. `elsewhere`: another one with it is up. */
  unreachable(peer: string, reason: string, elsewhere: boolean): void;
}
