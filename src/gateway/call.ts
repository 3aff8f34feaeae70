import { type Deferred, deferred } from "../base/deferred.ts";
import type { ChannelId } from "../channel/dataplane.ts";
import type { L2tpPeerConfig } from "../config/config.ts";
import type { L2tpEndpoint } from "../l2tp/endpoint.ts";
import type { CallConnection, L2tpOutput, SessionCause, SessionStage, TunnelCause } from "../l2tp/outputs.ts";
import { CDN_RESULT, GENERAL_ERROR, type ResultCode } from "../wire/l2tp-codes.ts";
import type { CallReport, CallSpeeds } from "./call-reports.ts";
import type { Surroundings } from "./surroundings.ts";
import type { TunnelTable } from "./tunnel-table.ts";
import type { L2tpLegView } from "./views.ts";

/** A call in a tunnel, placed by us or by the peer. */
export interface Call {
  readonly peer: L2tpPeerConfig;
  readonly tunnel: number;
  readonly session: number;
  view(): L2tpLegView;
  /** Octets of the largest subscriber's packet whose outer packet fits the path; `sequenced`: with Ns and Nr. */
  innerMtuBytes(sequenced: boolean): number;
  /** Where and who its peer is; undefined while the tunnel is not up. */
  remote(): CallRemote | undefined;
  /** LAC: sends ICCN. The bridge stands. */
  connect(connection: CallConnection): void;
  /** Numbers all data messages that we send in it, on its `channel`, from now on. */
  number(channel: ChannelId): void;
  /** Sends the message that says so, where the peer may be told: nothing happens where it may not. */
  tell(report: CallReport): void;
  /** Sends a CDN, unless the call has ended already. */
  hangUp(code: ResultCode): void;
  /** Nobody hangs up: its tunnel is about to be closed, which ends it. */
  forsake(): void;
  /** Closes the channel of a call that we placed. The call must have ended, or been hung up or forsaken. */
  release(): Promise<void>;
}

/** How a call ended that we did not hang up. */
export interface CallEnd {
  /** Who ended it and why, for people. */
  readonly text: string;
  readonly stage: SessionStage;
  readonly why:
    | { readonly kind: "session"; readonly cause: SessionCause }
    /** Its tunnel ended, and it with it. `isFault`: that is held against the peer, or was our own doing. */
    | { readonly kind: "tunnel"; readonly cause: TunnelCause; readonly isFault: boolean }
    /** We could not go on with it: the data plane had no room. */
    | { readonly kind: "local" };
}

/** The CDN by which the peer ended a call, if that is how it ended. */
export function cdnOf({ why }: CallEnd): ResultCode | undefined {
  if (why.kind !== "session" || why.cause.by !== "peer") return undefined;
  const { by: _, ...code } = why.cause;
  return code;
}

/** Who is at the other end of a tunnel: its address, and its Host Name AVP. */
export interface CallRemote {
  readonly address: string;
  readonly hostName: string;
}

/** What happens to a call. `ended` is told once, and not after hangUp(). */
export interface CallHandler {
  /** LAC: ICRP came; the channel is there, and punted. */
  accepted(channel: ChannelId): void;
  /** LNS: ICCN came. */
  connected(connection: CallConnection): void;
  /** Returns whether it has been passed on. */
  report(report: CallReport): boolean;
  ended(end: CallEnd): void;
}

/** What a call needs of the tunnels around it. */
export interface CallOwner {
  endpointDo(act: (endpoint: L2tpEndpoint, now: number) => readonly L2tpOutput[]): void;
  readonly table: TunnelTable;
  /** The call is over: the tunnel has room for another. */
  over(call: ActiveCall): void;
  /** Its ids may be another call's. */
  forget(call: ActiveCall): void;
}

/** Where a call is. */
export interface CallPlace {
  readonly tunnel: number;
  readonly session: number;
  readonly placed: boolean;
  readonly numbered: boolean;
}

/** A call that lives: its place between the endpoint machine, the data plane and its handler. */
export class ActiveCall implements Call {
  readonly peer: L2tpPeerConfig;
  readonly tunnel: number;
  readonly session: number;
  handler: CallHandler | undefined;
  /** We placed it. */
  readonly placed: boolean;
  /** We number all data messages that we send in it: the other end wants it, or has been told so. */
  readonly numbered: boolean;
  #over = false;
  #forsaken = false;
  #speeds: CallSpeeds | undefined;
  readonly #owner: CallOwner;
  readonly #around: Surroundings;
  /** Who waits for the release; made when it is asked for. */
  #release: Deferred | undefined;
  /** Of a call that we placed; that of a call which came in belongs to its session. */
  #channel: ChannelId | undefined;
  #remoteSessionId = 0;
  #remoteTunnelId = 0;

  constructor(
    owner: CallOwner,
    around: Surroundings,
    peer: L2tpPeerConfig,
    { tunnel, session, placed, numbered }: CallPlace,
  ) {
    this.placed = placed;
    this.numbered = numbered;
    this.#owner = owner;
    this.#around = around;
    this.peer = peer;
    this.tunnel = tunnel;
    this.session = session;
  }

  /** Resolves when the channel is closed: the tunnel's data-plane peer is not needed for it any more. */
  whenReleased(): Promise<void> {
    this.#release ??= deferred();
    return this.#release.promise;
  }

  /** It has ended, or will with its tunnel: its channel may be closed at any moment. */
  get isEnding(): boolean {
    return this.#over || this.#forsaken;
  }

  /** What we have told the LNS, in ICCN and since; undefined before, and of a call that came in. */
  get speeds(): CallSpeeds | undefined {
    return this.#speeds;
  }

  view(): L2tpLegView {
    return {
      kind: "l2tp",
      peer: this.peer.name,
      localTunnelId: this.tunnel,
      remoteTunnelId: this.#remoteTunnelId,
      localSessionId: this.session,
      remoteSessionId: this.#remoteSessionId,
    };
  }

  remote(): CallRemote | undefined {
    const up = this.#owner.table.get(this.tunnel);
    return up && { address: up.remote.address, hostName: up.hostName };
  }

  innerMtuBytes(sequenced: boolean): number {
    return this.#owner.table.innerMtuBytes(this.tunnel, sequenced);
  }

  /** Makes the channel, now that the peer's ids are known. Throws a DataplaneError when there is no room. */
  open(remoteSessionId: number): ChannelId {
    this.#remoteSessionId = remoteSessionId;
    this.#remoteTunnelId = this.#owner.table.get(this.tunnel)?.remoteTunnelId ?? 0;
    return this.#owner.table.addChannel(this, remoteSessionId);
  }

  /** LAC: ICRP came. */
  accepted(remoteSessionId: number): void {
    try {
      this.#channel = this.open(remoteSessionId);
    } catch (error) {
      const message = (error as Error).message;
      this.hangUp({ result: CDN_RESULT.error, error: GENERAL_ERROR.resources, message: "no resources" });
      const why = { kind: "local" } as const;
      this.handler?.ended({ text: `no room for its channel: ${message}`, stage: "set-up", why });
      return;
    }
    this.handler?.accepted(this.#channel);
  }

  connect(connection: CallConnection): void {
    const { txConnectSpeed, rxConnectSpeed } = connection;
    // the proxy AVPs hold a password: they are let go
    this.#speeds = { txConnectSpeed, rxConnectSpeed: rxConnectSpeed ?? txConnectSpeed };
    this.#owner.endpointDo((endpoint, now) =>
      endpoint.connectCall(now, this.tunnel, this.session, connection),
    );
  }

  number(channel: ChannelId): void {
    this.#around.dataplane.setSequencing(channel, "always");
  }

  tell(report: CallReport): void {
    const { tunnel, session } = this;
    if (report.kind === "speeds-updated") this.#speeds = report.speeds;
    this.#owner.endpointDo((endpoint, now) => {
      switch (report.kind) {
        case "link-info":
          return endpoint.sendLinkInfo(now, tunnel, session, report.info);
        case "wan-error":
          return endpoint.sendWanError(now, tunnel, session, report.errors);
        case "speeds-updated":
          return endpoint.updateSpeeds(now, tunnel, [{ session, ...report.speeds }]);
        case "speeds-requested":
          return endpoint.requestSpeeds(now, tunnel, [session]);
      }
    });
  }

  hangUp(code: ResultCode): void {
    if (!this.finish()) return;
    this.#owner.endpointDo((endpoint, now) => endpoint.closeSession(now, this.tunnel, this.session, code));
  }

  /** The endpoint knows it no more. Returns false when that had been so before. */
  finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#owner.over(this);
    return true;
  }

  forsake(): void {
    this.#forsaken = true;
  }

  async release(): Promise<void> {
    this.forsake();
    this.#owner.forget(this);
    if (this.#channel !== undefined) await this.#around.dataplane.closeChannel(this.#channel);
    this.#owner.table.closedChannel(this);
    this.#release?.resolve();
  }
}
