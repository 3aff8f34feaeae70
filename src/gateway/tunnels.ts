import type { ChannelId, PortId, Punt } from "../channel/dataplane.ts";
import type { L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import type { L2tpAddress } from "../l2tp/config.ts";
import { L2tpEndpoint } from "../l2tp/endpoint.ts";
import { type CallRequest, describeCause, type L2tpOutput, type SessionStage } from "../l2tp/outputs.ts";
import { CDN_RESULT, GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import { ActiveCall, type Call, type CallHandler, type CallOwner } from "./call.ts";
import { L2tpPorts } from "./l2tp-ports.ts";
import { peerPolicy } from "./peer-policy.ts";
import type { Surroundings } from "./surroundings.ts";
import { TunnelTable } from "./tunnel-table.ts";
import type { TunnelView } from "./views.ts";

/** Takes a call that a LAC offers, on the channel that was made for it. */
export type CallTaker = (call: Call, channel: ChannelId, request: CallRequest) => CallHandler;

/** Session ids are unique in their tunnel only. */
function callKey(tunnel: number, session: number): number {
  return tunnel * 0x10000 + session;
}

/** All L2TP tunnels of the gateway: the endpoint machine between UDP ports, the data plane and the sessions. */
export class Tunnels implements CallOwner {
  readonly #around: Surroundings;
  readonly #takeCall: CallTaker;
  readonly #endpoint: L2tpEndpoint;
  readonly #peers = new Map<string, PeerConfig>();
  readonly #ports: L2tpPorts;
  readonly #table: TunnelTable;
  /** Tunnels that we have opened and that are not down, by peer. */
  readonly #outgoing = new Map<string, number>();
  readonly #calls = new Map<number, ActiveCall>();
  #idle: (() => void) | undefined;
  #stopping = false;
  #callSerialNumber = 0;

  private constructor(around: Surroundings, takeCall: CallTaker, ports: L2tpPorts) {
    this.#around = around;
    this.#takeCall = takeCall;
    this.#ports = ports;
    this.#table = new TunnelTable(around);
    for (const peer of around.config.l2tp.peers) this.#peers.set(peer.name, peer);
    this.#endpoint = new L2tpEndpoint(
      {
        hostName: around.config.name,
        peers: around.config.l2tp.peers.map((peer) => peerPolicy(peer, ports)),
      },
      around.random,
    );
  }

  /** Opens the UDP ports whose devices are there; rejects when the system refuses one. */
  static async open(around: Surroundings, takeCall: CallTaker): Promise<Tunnels> {
    const ports = new L2tpPorts(around);
    await ports.openWhatIsThere();
    return new Tunnels(around, takeCall, ports);
  }

  /** A link has come or has another name now. */
  async linkChanged(name: string): Promise<void> {
    if (!this.#ports.waitsFor(name)) return;
    try {
      await this.#ports.openWhatIsThere();
    } catch (error) {
      this.#around.logger.error(
        { interface: name, error: (error as Error).message },
        "L2TP port could not be opened; tried again when the interface changes",
      );
    }
  }

  /** A device that ports may have been bound to is gone, and with it the tunnels through them. */
  async deviceGone(ifindex: number): Promise<void> {
    for (const key of this.#ports.keysOn(ifindex)) await this.#portLost(key, "the interface was removed");
  }

  /** The data plane has given a port up. */
  async portDown(port: PortId, reason: string): Promise<void> {
    const key = this.#ports.keyOf(port);
    if (key !== undefined) await this.#portLost(key, reason);
  }

  async #portLost(key: number, reason: string): Promise<void> {
    const lost = this.#table.through(key);
    const code = { result: STOPCCN_RESULT.general, message: reason };
    for (const id of lost) this.endpointDo((endpoint, now) => endpoint.closeTunnel(now, id, code));
    await this.#table.released();
    await this.#ports.close(key);
    this.#around.logger.warn(
      { address: this.#ports.addressOf(key), tunnels: lost.length, reason },
      "L2TP port lost, and its tunnels with it; it opens again when its interface comes back",
    );
  }

  /**
   * Places a call to a peer of ours, opening a tunnel to it if there is none. Returns undefined when the peer
   * cannot be called: no socket of ours speaks its address family, or all session ids are taken.
   */
  place(
    peerName: string,
    request: Omit<CallRequest, "callSerialNumber">,
    handler: CallHandler,
  ): Call | undefined {
    const now = this.#around.clock.now();
    const peer = this.#peers.get(peerName);
    if (peer === undefined) return undefined;
    const tunnel = this.#outgoing.get(peerName) ?? this.#openTunnel(now, peer);
    if (tunnel === undefined) return undefined;
    this.#callSerialNumber = (this.#callSerialNumber + 1) >>> 0;
    const numbered = { ...request, callSerialNumber: this.#callSerialNumber };
    const placed = this.#endpoint.placeCall(now, tunnel, numbered);
    if (placed.session === undefined) {
      this.#input(placed.outputs);
      return undefined;
    }
    const call = new ActiveCall(this, this.#around, peer, tunnel, placed.session);
    call.handler = handler;
    this.#calls.set(callKey(tunnel, placed.session), call);
    this.#input(placed.outputs);
    return call;
  }

  /** An L2TP control message from the data plane. */
  control(punt: Extract<Punt, { kind: "control" }>): void {
    const portKey = this.#ports.keyOf(punt.port);
    if (portKey === undefined) return; // its device is gone
    const from: L2tpAddress = {
      address: punt.remoteAddress,
      port: punt.remotePort,
      localAddress: punt.localAddress,
      portKey,
    };
    this.#input(this.#endpoint.receive(this.#around.clock.now(), from, punt.datagram));
  }

  /** The network says that datagrams to a peer do not arrive. */
  unreachable(punt: Extract<Punt, { kind: "unreachable" }>): void {
    this.#table.unreachable(punt);
  }

  deadline(): number {
    return this.#endpoint.deadline();
  }

  timeout(now: number): void {
    this.#input(this.#endpoint.timeout(now));
  }

  /** Every tunnel, also those that are coming up or whose state is kept after their end. */
  views(): readonly TunnelView[] {
    const now = this.#around.clock.now();
    return this.#endpoint.tunnels().map((tunnel) => {
      const upSince = this.#table.get(tunnel.tunnel)?.upSince;
      return {
        localTunnelId: tunnel.tunnel,
        remoteTunnelId: tunnel.remoteTunnelId,
        peer: tunnel.peerName === "" ? null : tunnel.peerName,
        hostName: tunnel.peerHostName === "" ? null : tunnel.peerHostName,
        localAddress: tunnel.remote.localAddress ?? this.#ports.addressOf(tunnel.remote.portKey),
        remoteAddress: tunnel.remote.address,
        remotePort: tunnel.remote.port,
        state: tunnel.phase,
        initiator: tunnel.initiator,
        sessions: tunnel.sessions,
        establishedForSeconds: upSince === undefined ? null : Math.floor((now - upSince) / 1000),
      };
    });
  }

  /** Control messages that were passed over, by reason. */
  discards(): Readonly<Record<string, number>> {
    return this.#endpoint.discards();
  }

  /** One StopCCN a tunnel; resolves when every peer has acknowledged, or `patienceMs` are over. */
  async shutdown(patienceMs: number): Promise<void> {
    this.#stopping = true;
    this.#input(this.#endpoint.shutdown(this.#around.clock.now()));
    if (!this.#anyClosing()) return;
    const patience = { deadline: this.#around.clock.now() + patienceMs };
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#around.scheduler.remove(timer);
        this.#idle = undefined;
        resolve();
      };
      const timer = { deadline: () => patience.deadline, timeout: done };
      this.#around.scheduler.update(timer);
      this.#idle = done;
    });
  }

  /** Closes the ports; every call has been released before. */
  async close(): Promise<void> {
    this.#around.scheduler.remove(this);
    await this.#table.close();
    await this.#ports.closeAll();
  }

  /** For ActiveCall. */
  endpointDo(act: (endpoint: L2tpEndpoint, now: number) => readonly L2tpOutput[]): void {
    this.#input(act(this.#endpoint, this.#around.clock.now()));
  }

  /** For ActiveCall: makes the channel of a call whose ids are known. */
  addChannel(call: ActiveCall, remoteSessionId: number): ChannelId {
    return this.#table.addChannel(call, remoteSessionId);
  }

  /** For ActiveCall: octets of the largest subscriber's packet whose outer packet fits the path. */
  innerMtuBytes(tunnel: number): number {
    return this.#table.innerMtuBytes(tunnel);
  }

  /** For ActiveCall; 0 while the tunnel is not up. */
  remoteTunnelId(tunnel: number): number {
    return this.#table.get(tunnel)?.remoteTunnelId ?? 0;
  }

  /** For ActiveCall: nothing of it is left. */
  forget(call: ActiveCall): void {
    const key = callKey(call.tunnel, call.session);
    if (this.#calls.get(key) === call) this.#calls.delete(key);
  }

  #openTunnel(now: number, peer: PeerConfig): number | undefined {
    if (peer.address === undefined || this.#ports.keyTowards(peer.address) === undefined) return undefined;
    const opened = this.#endpoint.openTunnel(now, peer.name);
    if (opened.tunnel === undefined) return undefined;
    this.#outgoing.set(peer.name, opened.tunnel);
    this.#around.logger.info(
      { peer: peer.name, address: peer.address, tunnel: opened.tunnel },
      "calling L2TP peer: SCCRQ sent",
    );
    this.#input(opened.outputs);
    return opened.tunnel;
  }

  #input(outputs: readonly L2tpOutput[]): void {
    for (const output of outputs) this.#act(output);
    this.#around.scheduler.update(this);
    if (this.#idle !== undefined && !this.#anyClosing()) this.#idle();
  }

  #anyClosing(): boolean {
    return this.#endpoint.unacknowledgedCloses() > 0;
  }

  #act(output: L2tpOutput): void {
    const { logger } = this.#around;
    switch (output.kind) {
      case "send":
        this.#send(output);
        return;
      case "tunnel-up":
        this.#tunnelUp(output);
        return;
      case "tunnel-down":
        this.#tunnelDown(output);
        return;
      case "tunnel-refused":
        logger.warn(
          {
            address: output.from.address,
            port: output.from.port,
            hostName: output.peerHostName,
            reason: describeCause("StopCCN", { by: "us", ...output.cause }),
          },
          "L2TP tunnel refused",
        );
        return;
      case "call-offered":
        this.#offered(output);
        return;
      case "call-accepted":
        this.#calls.get(callKey(output.tunnel, output.session))?.accepted(output.remoteSessionId);
        return;
      case "call-connected":
        this.#calls.get(callKey(output.tunnel, output.session))?.handler?.connected(output.connection);
        return;
      case "session-down":
        this.#callEnded(output.tunnel, output.session, describeCause("CDN", output.cause), output);
        return;
    }
  }

  /** What has no port at the moment is lost, as on any path: it is sent again. */
  #send({ to, datagram }: Extract<L2tpOutput, { kind: "send" }>): void {
    const port = this.#ports.portOf(to.portKey);
    if (port === undefined) return;
    this.#around.dataplane.sendControl(port, to.address, to.port, datagram, to.localAddress);
  }

  #tunnelUp(up: Extract<L2tpOutput, { kind: "tunnel-up" }>): void {
    const peer = this.#peers.get(up.peerName);
    const port = this.#ports.portOf(up.remote.portKey);
    // the endpoint knows only the peers that it was given, and has just heard this one through its port
    if (peer === undefined || port === undefined) return;
    try {
      this.#table.add(up, peer, port);
    } catch (error) {
      this.#around.logger.error(
        { peer: up.peerName, address: up.remote.address, tunnel: up.tunnel, error: (error as Error).message },
        "L2TP tunnel refused: no room for it in the data plane",
      );
      const code = { result: STOPCCN_RESULT.error, error: GENERAL_ERROR.resources, message: "no resources" };
      this.endpointDo((endpoint, now) => endpoint.closeTunnel(now, up.tunnel, code));
      return;
    }
    this.#around.logger.info(
      {
        peer: up.peerName,
        hostName: up.peerHostName,
        address: up.remote.address,
        port: up.remote.port,
        tunnel: up.tunnel,
        remoteTunnel: up.remoteTunnelId,
        initiator: up.initiator,
      },
      "L2TP tunnel up",
    );
  }

  #tunnelDown(down: Extract<L2tpOutput, { kind: "tunnel-down" }>): void {
    const text = describeCause("StopCCN", down.cause);
    const tunnel = this.#table.get(down.tunnel);
    if (this.#outgoing.get(down.peerName) === down.tunnel) this.#outgoing.delete(down.peerName);
    const fields = {
      peer: down.peerName,
      address: tunnel?.remote.address ?? this.#peers.get(down.peerName)?.address,
      tunnel: down.tunnel,
      sessions: down.sessions.length,
      reason: text,
    };
    if (this.#stopping) this.#around.logger.info(fields, "L2TP tunnel closed");
    else
      this.#around.logger.warn(fields, down.wasUp ? "L2TP tunnel down" : "L2TP tunnel could not be opened");
    for (const { session, stage } of down.sessions) this.#callEnded(down.tunnel, session, text, { stage });
    this.#table.remove(down.tunnel);
  }

  #offered(offer: Extract<L2tpOutput, { kind: "call-offered" }>): void {
    const { tunnel: tunnelId, session } = offer;
    const tunnel = this.#table.get(tunnelId);
    if (tunnel === undefined) return; // it went down in the same breath, and took its sessions with it
    const call = new ActiveCall(this, this.#around, tunnel.peer, tunnelId, session);
    const refuse = (code: ResultCode): void =>
      this.endpointDo((endpoint, now) => endpoint.closeSession(now, tunnelId, session, code));
    if (this.#stopping) {
      refuse({ result: CDN_RESULT.noFacilitiesNow });
      return;
    }
    let channel: ChannelId;
    try {
      channel = call.open(offer.remoteSessionId);
    } catch (error) {
      const fields = { peer: tunnel.peer.name, tunnel: tunnelId, error: (error as Error).message };
      this.#around.logger.error(fields, "L2TP call refused: no room for its channel");
      refuse({ result: CDN_RESULT.error, error: GENERAL_ERROR.resources, message: "no resources" });
      return;
    }
    this.#calls.set(callKey(tunnelId, session), call);
    call.handler = this.#takeCall(call, channel, offer.call);
    this.endpointDo((endpoint, now) => endpoint.acceptCall(now, tunnelId, session));
  }

  #callEnded(tunnel: number, session: number, text: string, at: { readonly stage: SessionStage }): void {
    const call = this.#calls.get(callKey(tunnel, session));
    if (call === undefined || call.over) return; // we hung up, and were the first to know
    call.over = true;
    call.handler?.ended(text, at.stage);
  }
}
