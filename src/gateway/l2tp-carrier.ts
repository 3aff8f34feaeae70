import type { LogFields } from "../base/logger.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { CallConnection, CallRequest, SessionStage } from "../l2tp/outputs.ts";
import { CDN_RESULT } from "../wire/l2tp-codes.ts";
import type { Call, CallHandler } from "./call.ts";
import type { Carrier } from "./carrier.ts";
import { type EndCause, endCause } from "./cause.ts";
import { proxiedSession } from "./proxied-session.ts";
import type { Session } from "./session.ts";
import type { L2tpLegView } from "./views.ts";

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
    if (connection.sequencingRequired === true) {
      const text = "Sequencing Required is not supported";
      this.#call.hangUp({ result: CDN_RESULT.noFacilities, message: text });
      this.session?.end(endCause("protocol", `${this.#call.peer.name}: ${text}`));
      return;
    }
    this.session?.connected(
      proxiedSession(connection),
      this.#call.peer.proxy === "accept" ? "adopt" : "renegotiate",
    );
  }

  ended(text: string, _stage: SessionStage): void {
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
    this.#call.hangUp({
      result:
        cause.code === "hung-up" || cause.code === "silent"
          ? CDN_RESULT.lostCarrier
          : CDN_RESULT.administrative,
      message: cause.text,
    });
  }

  released(): Promise<void> {
    return this.#call.release();
  }
}
