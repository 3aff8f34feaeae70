import type { LogFields } from "../base/logger.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { Destination } from "../config/config.ts";
import type { Journal } from "../journal/journal.ts";
import type { AccessLine } from "../wire/pppoe-tags.ts";
import type { EndCause } from "./cause.ts";
import type { L2tpLegView, PppoeOriginView } from "./views.ts";

/** What carries a subscriber's PPP to us: a PPPoE session, or a call that a LAC placed. */
export interface Carrier {
  readonly kind: "pppoe" | "l2tp";
  readonly channel: ChannelId;
  /** The Service-Name that the subscriber asked for; undefined on L2TP. */
  readonly serviceName: string | undefined;
  /** What the access node told of the subscriber's line (TR-101); undefined when it told nothing, and on L2TP. */
  readonly accessLine: AccessLine | undefined;
  /** The access interface as configured; undefined on L2TP. */
  readonly portName: string | undefined;
  /** The VLANs that he called under, outermost first. */
  readonly vlanIds: readonly number[];
  /** "02:00:5e:10:00:01"; undefined on L2TP. */
  readonly mac: string | undefined;
  /** What the access interface runs at, bit/s; undefined when nobody knows, and on L2TP. */
  readonly linkSpeed: number | undefined;
  /** Where everybody goes whom its L2TP peer brings; undefined when the peer's policy says nothing, and on PPPoE. */
  readonly destination?: Destination | undefined;
  /** How an LNS is told where the subscriber called from (Calling Number AVP). */
  readonly callingNumber: string;
  /** Octets of the largest PPP packet that it takes, either way. */
  readonly mruBytes: number;
  /** For log lines: interface, MAC and line, or peer, tunnel and session. */
  readonly logFields: LogFields;
  /** Writes down where its session comes from. */
  introduce(journal: Journal, session: number): void;
  /** His first PPP frame has come. */
  heard(): void;
  /**
   * We have agreed on LCP with him; `accm`: the characters that he wants escaped on an asynchronous line, which is never
   * ours. Told again when he begins LCP anew.
   */
  lcpOpened(accm: number): void;
  /** His session is complete: what there was to set up is set up. */
  opened(): void;
  view(): PppoeOriginView | L2tpLegView;
  /** Tells the other end that it is over (PADT, CDN); does nothing when the other end said so itself. */
  hangUp(cause: EndCause): void;
  /** The channel is closed and nothing of the session is left: its ids may be used again. */
  released(): Promise<void>;
}
