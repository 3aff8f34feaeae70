import type { LogFields } from "../base/logger.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { CallConnection, CallRequest } from "../l2tp/outputs.ts";
import type { PppServerConfig } from "../ppp/server.ts";
import type { Call, CallEnd, CallHandler } from "./call.ts";
import type { Carrier } from "./carrier.ts";
import { type EndCause, endCause } from "./cause.ts";
import { callEnd } from "./disconnect.ts";
import { proxiedSession } from "./proxied-session.ts";
import type { Session } from "./session.ts";
import type { L2tpLegView } from "./views.ts";

/** PPPoE leaves this much of an Ethernet frame (RFC 2516 §7); more only by PPP-Max-Payload. */
const PPPOE_MRU_BYTES = 1492;
const LARGEST_MRU_BYTES = 1500;

const ADOPTION = { accept: "adopt", renegotiate: "renegotiate", never: "never-renegotiate" } as const;

/** What subscribers behind a LAC are offered, and what they may ask for. `sequenced`: with sequence numbers. */
export function mruThrough(
  call: Call,
  sequenced: boolean,
): Pick<PppServerConfig, "mruBytes" | "maxMruBytes"> {
  const fits = call.innerMtuBytes(sequenced);
  return {
    mruBytes: Math.min(fits, PPPOE_MRU_BYTES),
    maxMruBytes: call.peer.oversize === "fragment" ? LARGEST_MRU_BYTES : fits,
  };
}

/** LNS: a call that a LAC placed carries the subscriber's PPP. */
export class L2tpCarrier implements Carrier, CallHandler {
  readonly kind = "l2tp";
  readonly channel: ChannelId;
  readonly serviceName = undefined;
  readonly accessLine = undefined;
  readonly portName = undefined;
  readonly vlanIds = [];
  readonly mac = undefined;
  readonly linkSpeed = undefined;
  readonly callingNumber: string;
  readonly mruBytes: number;
  readonly logFields: LogFields;
  session: Session | undefined;
  readonly #call: Call;

  constructor(call: Call, channel: ChannelId, request: CallRequest, mruBytes: number) {
    this.#call = call;
    this.channel = channel;
    this.callingNumber = request.callingNumber ?? "";
    this.mruBytes = mruBytes;
    this.logFields = {
      peer: call.peer.name,
      tunnel: call.tunnel,
      l2tpSession: call.session,
      ...(request.callingNumber !== undefined && { callingNumber: request.callingNumber }),
    };
  }

  accepted(): void {
    // ICRP goes from LNS to LAC; as the LNS we never get one
  }

  connected(connection: CallConnection): void {
    const { proxy, sequencing } = this.#call.peer;
    // the channel numbers what it sends while the LAC does, which it must from its first message on (§4.4.6)
    const numbered = connection.sequencingRequired === true && sequencing !== "always";
    this.session?.connected(
      proxiedSession(connection),
      ADOPTION[proxy],
      numbered ? mruThrough(this.#call, true) : undefined,
    );
  }

  ended({ text }: CallEnd): void {
    this.session?.end(endCause("lac-ended", `${this.#call.peer.name}: ${text}`));
  }

  heard(): void {
    // how many calls there may be at once is the tunnel's to say
  }

  opened(): void {
    // as above
  }

  view(): L2tpLegView {
    return this.#call.view();
  }

  hangUp(cause: EndCause): void {
    if (cause.code === "shutdown") return; // one StopCCN says it for the whole tunnel
    this.#call.hangUp(callEnd(cause));
  }

  released(): Promise<void> {
    return this.#call.release();
  }
}
