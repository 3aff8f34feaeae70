import type { LogFields } from "../base/logger.ts";
import type { Instant } from "../base/time.ts";
import type { ChannelId, PeerId } from "../channel/dataplane.ts";
import type { Journal } from "../journal/journal.ts";
import type { AccessConcentratorOutput } from "../pppoe/access-concentrator-types.ts";
import { formatMac, macNumber, macOctets, vlanId } from "../wire/ethernet.ts";
import type { AccessLine as WireAccessLine } from "../wire/pppoe-tags.ts";
import type { AccessLine } from "./access-line.ts";
import type { Carrier } from "./carrier.ts";
import { type EndCause, publicText } from "./cause.ts";
import { mayBeFailedLogin } from "./disconnect.ts";
import type { Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { PppoeOriginView } from "./views.ts";

/** A session that is refused, or that its LNS ends, within this time of its PADS was a login that failed. */
const SHORT_CYCLE_MS = 10_000;

export type SessionRequest = Extract<AccessConcentratorOutput, { kind: "session-requested" }>;

const NO_VLANS: readonly number[] = [];

/** A PPPoE session of an access line. */
export class PppoeCarrier implements Carrier {
  readonly kind = "pppoe";
  readonly channel: ChannelId;
  readonly serviceName: string;
  readonly accessLine: WireAccessLine | undefined;
  readonly vlanIds: readonly number[];
  readonly mruBytes: number;
  session: Session | undefined;
  /** The subscriber ended it himself: he is told nothing. */
  toldByPeer = false;
  /** The interface is gone: nobody can be told. */
  lost = false;
  readonly #line: AccessLine;
  readonly #around: Surroundings;
  readonly #peer: PeerId;
  /** As a number: text takes more, and is made when it is asked for. */
  readonly #mac: number;
  /** The concentrator's number of the session, and PPPoE's. */
  readonly #number: number;
  readonly #pppoeSessionId: number;
  readonly #startedAt: Instant;
  #wasOpen = false;

  constructor(
    line: AccessLine,
    around: Surroundings,
    request: SessionRequest,
    channel: ChannelId,
    peer: PeerId,
    mruBytes: number,
  ) {
    this.#line = line;
    this.#around = around;
    this.#peer = peer;
    this.#number = request.session;
    this.#pppoeSessionId = request.sessionId;
    this.#startedAt = around.clock.now();
    this.channel = channel;
    this.serviceName = request.serviceName;
    this.accessLine = request.line;
    this.#mac = macNumber(request.remoteMac);
    this.vlanIds = request.tags.length === 0 ? NO_VLANS : request.tags.map(vlanId);
    this.mruBytes = mruBytes;
  }

  get mac(): string {
    return formatMac(macOctets(this.#mac));
  }

  get portName(): string {
    return this.#line.config.interface;
  }

  get linkSpeed(): number | undefined {
    return this.#line.linkSpeed;
  }

  get callingNumber(): string {
    return this.accessLine?.circuitId ?? this.mac;
  }

  get logFields(): LogFields {
    const { portName, mac, vlanIds, accessLine } = this;
    return {
      interface: portName,
      mac,
      pppoeSession: this.#pppoeSessionId,
      ...(vlanIds.length > 0 && { vlans: vlanIds.join(".") }),
      ...(accessLine?.circuitId !== undefined && { line: accessLine.circuitId }),
    };
  }

  view(): PppoeOriginView {
    return {
      kind: "pppoe",
      interface: this.portName,
      mac: this.mac,
      vlans: this.vlanIds,
      pppoeSessionId: this.#pppoeSessionId,
      serviceName: this.serviceName,
    };
  }

  introduce(journal: Journal, session: number): void {
    const where =
      this.vlanIds.length === 0 ? this.portName : `${this.portName}, VLAN ${this.vlanIds.join(".")}`;
    journal.note("session-begun", { session, mac: this.#mac }, "pppoe", where, String(this.#pppoeSessionId));
  }

  heard(): void {
    this.#line.heard(this.#number);
  }

  lcpOpened(): void {
    // Ethernet escapes nothing
  }

  opened(): void {
    this.#wasOpen = true;
    this.#line.established(this.#number);
  }

  hangUp(cause: EndCause): void {
    if (this.lost) return;
    this.#judgeLogin(cause);
    if (!this.toldByPeer) this.#line.hangUp(this.#number, publicText(cause));
  }

  async released(): Promise<void> {
    await this.#around.dataplane.removePeer(this.#peer);
    if (!this.lost) this.#line.released(this.#number);
  }

  /** Behind a LAC it is the LNS who refuses, by ending a call that was complete for us. */
  #judgeLogin({ code, cdn }: EndCause): void {
    const short = this.#around.clock.now() - this.#startedAt < SHORT_CYCLE_MS;
    const carried = this.#around.dataplane.userFrames(this.channel) > 0;
    const failed = code === "refused" || (code === "lns-ended" && mayBeFailedLogin(cdn, carried));
    if (short && failed) this.#line.loginResult(this.#number, false);
    else if (!short && this.#wasOpen) this.#line.loginResult(this.#number, true);
  }
}
