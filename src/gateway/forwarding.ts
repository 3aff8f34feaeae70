import { type Instant, NEVER } from "../base/time.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import { type CallConnection, PROXY_AUTH_TYPE, type ProxyAuth, type SessionStage } from "../l2tp/outputs.ts";
import type { Credentials } from "../ppp/authenticator.ts";
import type { ProxyAuthentication } from "../ppp/proxy.ts";
import type { HeldSession } from "../ppp/server.ts";
import { CDN_RESULT, type ResultCode } from "../wire/l2tp-codes.ts";
import type { Call, CallHandler } from "./call.ts";
import { type EndCause, endCause } from "./cause.ts";
import type { Joint, Role, Session } from "./session.ts";
import type { Surroundings } from "./surroundings.ts";
import type { Tunnels } from "./tunnels.ts";
import type { L2tpLegView } from "./views.ts";

/** Silence of the LNS after which the held authentication frame is replayed, where its policy says so. */
const REPLAY_AFTER_MS = 1000;

/** Framing Type of ICCN: synchronous (RFC 2661 §4.4.3); Ethernet knows no other. */
const FRAMING_SYNCHRONOUS = 1;
/** Bearer Type of ICRQ: digital (§4.4.4). */
const BEARER_DIGITAL = 1;

/** What a PPPoE line is said to run at, bit/s, while nobody tells us better. */
const CONNECT_SPEED = 1_000_000_000;

/** LAC: the session's channel is bridged to a call to its LNS. */
export class Forwarding implements Role, CallHandler {
  readonly kind = "lac";
  readonly unit = null;
  readonly device = null;
  readonly address = null;
  readonly #session: Session;
  readonly #around: Surroundings;
  readonly #peerName: string;
  #call: Call | undefined;
  #bridgedTo: ChannelId | undefined;
  #replay: { readonly at: Instant; readonly frame: Uint8Array; readonly channel: ChannelId } | undefined;
  /** The LNS ended the call: it is told nothing. */
  #toldByLns = false;
  #over = false;

  constructor(session: Session, peerName: string, around: Surroundings) {
    this.#session = session;
    this.#peerName = peerName;
    this.#around = around;
  }

  get onward(): L2tpLegView | null {
    return this.#call?.view() ?? null;
  }

  get joint(): Joint | undefined {
    return this.#bridgedTo === undefined ? undefined : { state: "bridged", with: this.#bridgedTo };
  }

  /** Calls the LNS; the subscriber is kept company meanwhile. */
  start(tunnels: Tunnels, attempt: number): void {
    this.#session.hold(attempt);
    const { callingNumber, serviceName } = this.#session.carrier;
    this.#call = tunnels.place(
      this.#peerName,
      {
        bearerType: BEARER_DIGITAL,
        callingNumber,
        ...(serviceName !== undefined && serviceName !== "" && { calledNumber: serviceName }),
      },
      this,
    );
    if (this.#call === undefined)
      this.#session.leave(
        endCause("no-lns", `${this.#peerName} cannot be called: no L2TP port for its address, or no free id`),
      );
  }

  /** ICRP: the bridge first, ICCN second; the LNS's first frame may come before ICCN is acknowledged. */
  accepted(channel: ChannelId): void {
    if (this.#over || this.#session.isOver) return; // hanging up takes the call with it
    const bridged = this.#around.dataplane.bridge(this.#session.carrier.channel, channel).then(() => {
      if (this.#over || this.#session.isOver) return;
      this.#bridgedTo = channel;
      // as of now: he may have begun LCP anew while the bridge was made
      const proxy = this.#session.proxy();
      this.#call?.connect(connectionOf(proxy));
      this.#session.dropPpp();
      this.#planReplay(proxy, channel);
      this.#session.opened();
    });
    bridged.catch((error: Error) => this.#session.end(endCause("failed", `bridge: ${error.message}`)));
  }

  connected(): void {
    // ICCN goes from LAC to LNS; as the LAC we never get one
  }

  ended(text: string, stage: SessionStage): void {
    this.#toldByLns = true;
    const cause =
      stage === "connected"
        ? endCause("lns-ended", `${this.#peerName}: ${text}`)
        : endCause("no-lns", `${this.#peerName}: ${text}`);
    this.#session.leave(cause);
  }

  /** He renegotiated while we call: what he says now is what the LNS gets to see. */
  reauthenticated(_credentials: Credentials, attempt: number): void {
    this.#session.hold(attempt);
  }

  networkUp(): void {
    // the LNS's business: held links never open a network protocol
  }

  networkDown(): void {
    // as above
  }

  deadline(): Instant {
    return this.#replay?.at ?? NEVER;
  }

  timeout(now: Instant): void {
    const replay = this.#replay;
    if (replay === undefined || replay.at > now) return;
    this.#replay = undefined;
    const { dataplane } = this.#around;
    if (dataplane.counters(replay.channel).framesIn === 0) dataplane.inject(replay.channel, replay.frame);
  }

  hangUp(cause: EndCause): void {
    this.#over = true;
    // a gateway that stops tells its LNSes by one StopCCN a tunnel
    if (!this.#toldByLns && cause.code !== "shutdown") this.#call?.hangUp(disconnectCode(cause));
  }

  async release(): Promise<void> {
    this.#bridgedTo = undefined;
    await this.#call?.release();
  }

  #planReplay(proxy: HeldSession | undefined, channel: ChannelId): void {
    const policy = this.#call?.peer.replayAuthentication ?? "never";
    const frame = proxy?.frame;
    if (frame === undefined || policy === "never") return;
    if (policy === "pap" && proxy?.authentication?.type !== "pap") return;
    this.#replay = { at: this.#around.clock.now() + REPLAY_AFTER_MS, frame, channel };
    this.#around.scheduler.update(this.#session);
  }
}

/** What ICCN says: the line, and what we negotiated for the LNS (RFC 2661 §4.4.5). */
function connectionOf(held: HeldSession | undefined): CallConnection {
  return {
    txConnectSpeed: CONNECT_SPEED,
    rxConnectSpeed: CONNECT_SPEED,
    framingType: FRAMING_SYNCHRONOUS,
    ...(held !== undefined && {
      proxyLcp: {
        ...(held.lcp.initialReceivedConfReq !== undefined && {
          initialReceived: held.lcp.initialReceivedConfReq,
        }),
        lastSent: held.lcp.lastSentConfReq,
        lastReceived: held.lcp.lastReceivedConfReq,
      },
      ...(held.authentication !== undefined && { proxyAuth: proxyAuthOf(held.authentication) }),
    }),
  };
}

function proxyAuthOf(authentication: ProxyAuthentication): ProxyAuth {
  const { name, identifier: id, response } = authentication;
  return authentication.type === "pap"
    ? { type: PROXY_AUTH_TYPE.pap, name, id, response }
    : { type: PROXY_AUTH_TYPE.chap, name, id, challenge: authentication.challenge, response };
}

/** What a CDN says of our reason (RFC 2661 §4.4.2). */
function disconnectCode(cause: EndCause): ResultCode {
  switch (cause.code) {
    case "hung-up":
    case "silent":
    case "interface-gone":
      return { result: CDN_RESULT.lostCarrier, message: cause.text };
    default:
      return { result: CDN_RESULT.administrative, message: cause.text };
  }
}
