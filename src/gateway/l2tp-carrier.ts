import type { LogFields } from "../base/logger.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { Destination } from "../config/config.ts";
import type { Journal } from "../journal/journal.ts";
import type { CallConnection, CallRequest } from "../l2tp/outputs.ts";
import { DEFAULT_ACCM } from "../ppp/lcp.ts";
import type { PppServerConfig } from "../ppp/server.ts";
import type { AccessLine } from "../wire/pppoe-tags.ts";
import { type Call, type CallEnd, type CallHandler, cdnOf } from "./call.ts";
import type { CallReport } from "./call-reports.ts";
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

/** A call that a LAC has placed with us and connected, as it came. */
export interface IncomingCall {
  readonly call: Call;
  readonly request: CallRequest;
  readonly connection: CallConnection;
}

/** Who may send calls on to another LNS. */
export interface CallSwitch {
  /** Sends the call on, or ends it, when ICCN says enough for that; otherwise the subscriber is asked who he is. */
  switched(carrier: L2tpCarrier, incoming: IncomingCall): boolean;
}

/** Who sends a call on is told what its LAC says of it. */
export interface ReportSink {
  reported(report: CallReport): boolean;
}

/** LNS, or tunnel switch: a call that a LAC placed carries the subscriber's PPP. */
export class L2tpCarrier implements Carrier, CallHandler {
  readonly kind = "l2tp";
  readonly channel: ChannelId;
  readonly serviceName = undefined;
  readonly accessLine: AccessLine | undefined;
  readonly portName = undefined;
  readonly vlanIds = [];
  readonly mac = undefined;
  readonly linkSpeed = undefined;
  readonly callingNumber: string;
  readonly mruBytes: number;
  readonly logFields: LogFields;
  session: Session | undefined;
  /** Who has sent it on. */
  reports: ReportSink | undefined;
  readonly #call: Call;
  readonly #switch: CallSwitch;
  #request: CallRequest | undefined;
  #connection: CallConnection | undefined;
  /** What the LAC believes is to be escaped on the line. */
  #accm = DEFAULT_ACCM;

  constructor(
    call: Call,
    channel: ChannelId,
    request: CallRequest,
    mruBytes: number,
    callSwitch: CallSwitch,
  ) {
    this.#call = call;
    this.#request = request;
    this.#switch = callSwitch;
    this.channel = channel;
    this.accessLine = accessLineOf(request);
    this.callingNumber = request.callingNumber ?? "";
    this.mruBytes = mruBytes;
    this.logFields = {
      peer: call.peer.name,
      tunnel: call.tunnel,
      l2tpSession: call.session,
      ...(request.callingNumber !== undefined && { callingNumber: request.callingNumber }),
    };
  }

  /** Where its peer's calls go. */
  get destination(): Destination | undefined {
    return this.#call.peer.destination;
  }

  /** What came with it; undefined before ICCN, and when the session is open: there is a password in it. */
  get incoming(): IncomingCall | undefined {
    const request = this.#request;
    const connection = this.#connection;
    return request && connection && { call: this.#call, request, connection };
  }

  accepted(): void {
    // ICRP goes from LNS to LAC; as the LNS we never get one
  }

  connected(connection: CallConnection): void {
    if (this.session?.isOver !== false) return; // a gateway that stops tells the LAC by its StopCCN
    this.#connection = connection;
    const { incoming } = this;
    const { proxy, sequencing } = this.#call.peer;
    // from our first message on, also where the LAC's own has not come yet (RFC 2661 §4.4.6)
    const numbered = connection.sequencingRequired === true && sequencing !== "never";
    if (numbered) this.#call.number(this.channel);
    if (incoming !== undefined && this.#switch.switched(this, incoming)) return;
    this.session?.connected(
      proxiedSession(connection),
      ADOPTION[proxy],
      numbered ? mruThrough(this.#call, true) : undefined,
    );
  }

  report(report: CallReport): boolean {
    return this.reports?.reported(report) ?? false;
  }

  ended(end: CallEnd): void {
    this.session?.end(endCause("lac-ended", `${this.#call.peer.name}: ${end.text}`, cdnOf(end)));
  }

  introduce(journal: Journal, session: number): void {
    const { tunnel, session: l2tpSession, peer } = this.#call;
    journal.note("session-begun", { session, tunnel, l2tpSession }, "l2tp", peer.name, this.callingNumber);
  }

  heard(): void {
    // how many calls there may be at once is the tunnel's to say
  }

  /** SLI: it is the LAC that escapes what it sends on the subscriber's line (§6.14). What he is to escape is the default. */
  lcpOpened(accm: number): void {
    if (accm === this.#accm) return;
    this.#accm = accm;
    this.#call.tell({ kind: "link-info", info: { sendAccm: accm, receiveAccm: DEFAULT_ACCM } });
  }

  opened(): void {
    this.#request = undefined;
    this.#connection = undefined;
  }

  view(): L2tpLegView {
    return this.#call.view();
  }

  hangUp(cause: EndCause): void {
    // one StopCCN says it for the whole tunnel
    if (cause.code === "shutdown") this.#call.forsake();
    else this.#call.hangUp(callEnd(cause));
  }

  released(): Promise<void> {
    return this.#call.release();
  }
}

/** The ids of the line, for those who make a Calling Number of them: its rates are in the AVPs that go on. */
function accessLineOf({ accessLine }: CallRequest): AccessLine | undefined {
  const { agentCircuitId: circuitId, agentRemoteId: remoteId } = accessLine ?? {};
  if (circuitId === undefined && remoteId === undefined) return undefined;
  return {
    ...(circuitId !== undefined && { circuitId }),
    ...(remoteId !== undefined && { remoteId }),
    subOptions: [],
  };
}
