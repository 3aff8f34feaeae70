import type { ChannelId } from "../channel/dataplane.ts";
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from "../wire/pcapng.ts";
import type { CaptureLegs } from "./capture-request.ts";
import { OperationError } from "./operation-error.ts";
import type { Session } from "./session.ts";
import type { L2tpLegView, PppoeOriginView } from "./views.ts";

/** One of the ways that a session's frames come and go. */
export interface CaptureLeg {
  readonly kind: "access" | "tunnel";
  readonly channel: ChannelId;
  readonly linkType: number;
  /** The access interface, or the L2TP peer. */
  readonly name: string;
  readonly description: string;
}

/**
 * The legs that are meant, of those that are there now. Throws an OperationError when one of them is not there and will
 * not be: a call that is on its way to an LNS may get its tunnel yet.
 */
export function legsToCapture(session: Session, wanted: CaptureLegs | undefined): readonly CaptureLeg[] {
  const legs = legsOf(session).filter(({ kind }) => wanted !== "access" || kind === "access");
  if (wanted === undefined) return legs;
  const meant = wanted === "tunnel" ? legs.filter(({ kind }) => kind === "tunnel") : legs;
  const { role } = session;
  const mayGrow = !session.isOpen && role !== "lns" && role !== "pta";
  if (wanted === "access" && meant.length === 0) throw missing(session, "access", "it came by a tunnel");
  if (wanted === "tunnel" && meant.length === 0 && !mayGrow)
    throw missing(session, "tunnel", "it came by PPPoE, and ends here");
  if (wanted === "both" && meant.length < 2 && !mayGrow)
    throw missing(session, "second", "it ends here, and goes to no LNS");
  return meant;
}

function legsOf(session: Session): readonly CaptureLeg[] {
  const [first, second] = session.channels();
  const { onward } = session;
  const legs: CaptureLeg[] = [];
  if (first !== undefined) legs.push(legOf(first.channel, session.carrier.view()));
  if (second !== undefined && onward !== null) legs.push(legOf(second.channel, onward));
  return legs;
}

function legOf(channel: ChannelId, view: PppoeOriginView | L2tpLegView): CaptureLeg {
  if (view.kind === "pppoe") {
    const { interface: name, mac, vlans, pppoeSessionId } = view;
    const under = vlans.length === 0 ? "" : `, VLAN ${vlans.join(".")}`;
    const description = `PPPoE session ${pppoeSessionId} of ${mac}${under}`;
    return { kind: "access", channel, linkType: LINKTYPE_ETHERNET, name, description };
  }
  const { peer, localTunnelId, localSessionId, remoteTunnelId, remoteSessionId } = view;
  const description = `L2TP with ${peer}: tunnel/session ${localTunnelId}/${localSessionId} here, ${remoteTunnelId}/${remoteSessionId} there`;
  return { kind: "tunnel", channel, linkType: LINKTYPE_RAW, name: peer, description };
}

function missing({ id }: Session, kind: string, why: string): OperationError {
  return new OperationError(
    "bad-request",
    `session ${id} has no ${kind} leg: ${why}`,
    "when no leg is named, all that there are are captured",
  );
}
