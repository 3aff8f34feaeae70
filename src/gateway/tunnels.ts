import { NEVER } from "../base/time.ts";
import type { ChannelId, PortId, Punt } from "../channel/dataplane.ts";
import type { Config, L2tpPeerConfig as PeerConfig } from "../config/config.ts";
import { listenerIdentity } from "../config/difference.ts";
import type { L2tpAddress } from "../l2tp/config.ts";
import { L2tpEndpoint } from "../l2tp/endpoint.ts";
import type { CallRequest, L2tpOutput } from "../l2tp/outputs.ts";
import { CDN_RESULT, GENERAL_ERROR, type ResultCode, STOPCCN_RESULT } from "../wire/l2tp-codes.ts";
import { ActiveCall, type Call, type CallHandler, type CallOwner, type CallPlace } from "./call.ts";
import { type ReportOutput, tellCalls } from "./call-reports.ts";
import { CallTable } from "./call-table.ts";
import { L2tpPorts } from "./l2tp-ports.ts";
import { connectOutgoing, isNumberedByUs } from "./outgoing-call.ts";
import { Patience } from "./patience.ts";
import { PeerBook } from "./peer-book.ts";
import type { Surroundings } from "./surroundings.ts";
import { isPeersFault, type TunnelDown } from "./tunnel-faults.ts";
import { TunnelJournal } from "./tunnel-journal.ts";
import { TunnelNews } from "./tunnel-news.ts";
import type { TunnelOwner } from "./tunnel-owner.ts";
import { TunnelPool } from "./tunnel-pool.ts";
import { TunnelSilence } from "./tunnel-silence.ts";
import { TunnelTable } from "./tunnel-table.ts";
import { controlCounters, tunnelViews } from "./tunnel-views.ts";
import type { TunnelView } from "./views.ts";

const CALLED_ANEW = { result: STOPCCN_RESULT.general, message: "configured anew" };
const TAKEN_OUT = { result: STOPCCN_RESULT.general, message: "no longer configured" };

/** All L2TP tunnels of the gateway: the endpoint machine between UDP ports, the data plane and the sessions. */
export class Tunnels implements CallOwner {
  readonly #around: Surroundings;
  readonly #owner: TunnelOwner;
  readonly #endpoint: L2tpEndpoint;
  readonly #peers: PeerBook;
  readonly #ports: L2tpPorts;
  readonly #table: TunnelTable;
  readonly #pool: TunnelPool;
  readonly #news: TunnelNews;
  readonly #journal: TunnelJournal;
  readonly silence: TunnelSilence;
  /** Tunnels that we are closing for a reason of our own: their peers are not to blame. */
  readonly #closing = new Set<number>();
  #depth = 0;
  /** When we look for data in the tunnels next. */
  #lookAt = NEVER;
  readonly #calls = new CallTable();
  #idle: (() => void) | undefined;
  #stopping = false;
  #callSerialNumber = 0;

  private constructor(around: Surroundings, owner: TunnelOwner, ports: L2tpPorts) {
    this.#around = around;
    this.#owner = owner;
    this.#ports = ports;
    this.#table = new TunnelTable(around);
    this.#news = new TunnelNews(around);
    this.#peers = new PeerBook(around, ports);
    this.#pool = new TunnelPool((name) => this.#peers.poolPolicy(name));
    this.#journal = new TunnelJournal(around.journal, this.#table, this.#pool);
    this.#endpoint = new L2tpEndpoint(this.#peers.endpointConfig, around.random);
    const parts = { endpoint: this.#endpoint, peers: this.#peers, pool: this.#pool, news: this.#news, owner };
    this.silence = new TunnelSilence(around, parts);
  }

  /** Opens the UDP ports whose devices are there; rejects when the system refuses one. */
  static async open(around: Surroundings, owner: TunnelOwner): Promise<Tunnels> {
    const ports = new L2tpPorts(around);
    await ports.openWhatIsThere();
    return new Tunnels(around, owner, ports);
  }

  /** The tunnels of peers, and through local addresses, that a configuration does not have. */
  leaving({ l2tp }: Config): ReadonlySet<number> {
    const peers = new Set(l2tp.peers.map(({ name }) => name));
    const addresses = new Set(l2tp.listen.map(listenerIdentity));
    const tunnels = this.#endpoint.tunnels().filter(({ phase, peerName, remote }) => {
      const address = this.#ports.identityOf(remote.portKey) ?? "";
      return phase !== "closing" && !(peers.has(peerName) && addresses.has(address));
    });
    return new Set(tunnels.map(({ tunnel }) => tunnel));
  }

  /** Goes on with the configuration as it is now, but for what settle() does. In tunnels that leave, no call begins. */
  reconfigure(): void {
    this.#ports.read();
    const moved = this.#peers.read();
    this.#endpoint.reconfigure(this.#peers.endpointConfig);
    this.#table.reconfigure((name) => this.#peers.get(name));
    for (const { tunnel, peerName, initiator, phase } of this.#endpoint.tunnels()) {
      if (!initiator || phase === "closing" || !moved.has(peerName)) continue;
      this.#pool.retire(tunnel);
      // who was called as it is no more: the calls that wait for it are placed anew
      if (phase !== "established") this.#closeTunnel(tunnel, CALLED_ANEW);
    }
    this.#pool.reschedule();
    this.#around.scheduler.update(this);
  }

  /** Ends the tunnels that leave, closes their ports, and opens new ones; rejects when the system refuses one. */
  async settle(patienceMs: number): Promise<void> {
    const leaving = this.leaving(this.#around.config);
    for (const id of leaving) this.#closeTunnel(id, TAKEN_OUT);
    if (leaving.size > 0) await this.#acknowledged(patienceMs);
    await this.#table.released();
    await this.#ports.closeGone();
    await this.#ports.openWhatIsThere();
    await this.#ports.introducePeers();
  }

  /** A link has come or has another name now. */
  linkChanged(name: string): Promise<void> {
    return this.#ports.linkChanged(name);
  }

  /** A device that ports may have been bound to is gone, and with it the tunnels through them. */
  async deviceGone(ifindex: number): Promise<void> {
    const keys = this.#ports.keysOn(ifindex);
    await Promise.all(keys.map((key) => this.#portLost(key, "the interface was removed")));
  }

  /** The data plane has given a port up. */
  async portDown(port: PortId, reason: string): Promise<void> {
    const key = this.#ports.keyOf(port);
    if (key !== undefined) await this.#portLost(key, reason);
  }

  async #portLost(key: number, reason: string): Promise<void> {
    const close = this.#ports.lose(key);
    if (close === undefined) return;
    // also those that are coming up: their peers could not answer if they would
    const lost = this.#endpoint
      .tunnels()
      .filter(({ remote, phase }) => remote.portKey === key && phase !== "closing");
    this.#around.logger.warn(
      { address: this.#ports.addressOf(key), tunnels: lost.length, reason },
      "L2TP port lost, and its tunnels with it; it opens again when its interface comes back",
    );
    const code = { result: STOPCCN_RESULT.general, message: reason };
    for (const { tunnel } of lost) this.#closeTunnel(tunnel, code);
    await this.#table.released();
    await close().catch((error: Error) => {
      const fields = { address: this.#ports.addressOf(key), error: error.message };
      this.#around.logger.error(fields, "a lost L2TP port could not be given back");
    });
    if (!this.#stopping) await this.#ports.openAgain(key);
  }

  /**
   * Places a call to a peer of ours, in a tunnel that has room or in a new one. `numbered`: ICCN will say Sequencing
   * Required. Returns undefined when the peer cannot be called: its tunnels are full, or no socket of ours speaks its
   * address family.
   */
  place(
    peerName: string,
    request: Omit<CallRequest, "callSerialNumber">,
    handler: CallHandler,
    numbered: boolean,
  ): Call | undefined {
    const now = this.#around.clock.now();
    const peer = this.#peers.get(peerName);
    const picked = this.#pool.pick(now, peerName);
    if (peer === undefined || picked === undefined) return undefined;
    const tunnel = picked === "open" ? this.#openTunnel(now, peer) : picked;
    if (tunnel === undefined) return undefined;
    this.#callSerialNumber = (this.#callSerialNumber + 1) >>> 0;
    const icrq = { callSerialNumber: this.#callSerialNumber, ...request };
    const { session, outputs } = this.#endpoint.placeCall(now, tunnel, icrq);
    if (session === undefined) {
      this.#input(outputs);
      return undefined;
    }
    const call = this.#begin(peer, { tunnel, session, placed: true, numbered });
    call.handler = handler;
    this.#input(outputs);
    return call;
  }

  /** Whether another call may be placed with a peer. */
  hasRoom(peerName: string): boolean {
    const peer = this.#peers.get(peerName);
    const picked = this.#pool.pick(this.#around.clock.now(), peerName);
    return picked === "open" ? peer !== undefined && this.#ports.isOpenTowards(peer) : picked !== undefined;
  }

  /** Whether a peer has been called, and whether there is a tunnel with it. */
  reach(peerName: string): "up" | "coming-up" | "idle" {
    const { up, opening } = this.#pool.tunnels(peerName);
    if (up > 0) return "up";
    return opening > 0 ? "coming-up" : "idle";
  }

  /** Calls that we have placed with a peer, and that have not ended. */
  sessions(peerName: string): number {
    return this.#pool.sessions(peerName);
  }

  /** Tunnels with a peer. */
  tunnelsWith(peerName: string): { readonly up: number; readonly opening: number } {
    return this.#pool.tunnels(peerName);
  }

  /** Since when the peer has said nothing to calls in the tunnel of this one; undefined while it is coming up. */
  silentSince(call: Call): number | undefined {
    return this.#pool.answeredAt(call.tunnel);
  }

  /** A call has waited in vain in its tunnel, for a while. Returns whether the peer may be asked in another one. */
  silent({ peer, tunnel }: Call): boolean {
    const now = this.#around.clock.now();
    if (this.#pool.answeredAt(tunnel) !== undefined) this.#pool.silent(now, tunnel);
    return this.#pool.pick(now, peer.name) !== tunnel && this.hasRoom(peer.name);
  }

  /** When a peer last brought up a tunnel or answered a call, in tunnels that stand. */
  heardOf(peerName: string): number | undefined {
    return this.#pool.heardOf(peerName);
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
    const outputs = this.#endpoint.receive(this.#around.clock.now(), from, punt.datagram);
    this.#journal.received(punt, outputs);
    this.#input(outputs);
  }

  /** Datagrams to a peer do not arrive: they are too big for the path, or there is none. */
  unreachable(punt: Extract<Punt, { kind: "unreachable" }>): void {
    (punt.errno === "EMSGSIZE" ? this.#table : this.#news).unreachable(punt);
  }

  deadline(): number {
    return Math.min(this.#endpoint.deadline(), this.#pool.deadline(), this.#lookAt);
  }

  timeout(now: number): void {
    const idle = { result: STOPCCN_RESULT.general, message: "no session in this tunnel" };
    for (const id of this.#pool.idle(now)) this.#closeTunnel(id, idle);
    if (now >= this.#lookAt) this.#noticeTraffic(now);
    this.#input(this.#endpoint.timeout(now));
  }

  /** Where data comes from the peer, HELLO has nothing to find out; where it only leaves, all the more. */
  #noticeTraffic(now: number): void {
    const { heard, oneSided } = this.#table.traffic();
    for (const id of heard) this.endpointDo((endpoint) => endpoint.onTraffic(now, id));
    for (const id of oneSided) this.endpointDo((endpoint) => endpoint.onOneSidedTraffic(now, id));
    this.#lookAt = this.#table.isEmpty ? NEVER : now + this.#peers.lookIntervalMs;
  }

  /** Every tunnel, also those that are coming up or whose state is kept after their end. */
  views(): readonly TunnelView[] {
    return tunnelViews(this.#endpoint.tunnels(), this.#table, this.#ports, this.#around.clock.now());
  }

  /** Of control messages: what was sent or came again, and what was passed over, as "discarded.REASON". */
  counters(): Readonly<Record<string, number>> {
    return controlCounters(this.#endpoint.transportCounters(), this.#endpoint.discards());
  }

  /** One StopCCN a tunnel; resolves when every peer has acknowledged, or `patienceMs` are over. */
  async shutdown(patienceMs: number): Promise<void> {
    this.#stopping = true;
    this.#input(this.#endpoint.shutdown(this.#around.clock.now()));
    await this.#acknowledged(patienceMs);
  }

  async #acknowledged(patienceMs: number): Promise<void> {
    if (this.#endpoint.unacknowledgedCloses() === 0) return;
    const patience = new Patience(this.#around, patienceMs);
    this.#idle = () => patience.end();
    await patience.over;
    this.#idle = undefined;
  }

  /** As shutdown(), and waits for nobody: who has not been told to end is told now. The ports go with the data plane. */
  abandon(): void {
    this.#stopping = true;
    this.#input(this.#endpoint.shutdown(this.#around.clock.now()));
    this.#around.scheduler.remove(this);
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

  /** For ActiveCall. */
  get table(): TunnelTable {
    return this.#table;
  }

  /** For ActiveCall: the tunnel has room for another. */
  over(call: ActiveCall): void {
    this.#pool.end(this.#around.clock.now(), call.tunnel, call.placed);
    this.#around.scheduler.update(this);
  }

  /** For ActiveCall: nothing of it is left. */
  forget(call: ActiveCall): void {
    this.#calls.forget(call);
  }

  #openTunnel(now: number, peer: PeerConfig): number | undefined {
    if (!this.#ports.isOpenTowards(peer)) return undefined;
    const opened = this.#endpoint.openTunnel(now, peer.name);
    if (opened.tunnel === undefined) return undefined;
    this.#pool.opening(now, opened.tunnel, peer.name);
    this.#news.calling(opened.tunnel, peer);
    this.#input(opened.outputs);
    return opened.tunnel;
  }

  #begin(peer: PeerConfig, place: CallPlace): ActiveCall {
    const call = new ActiveCall(this, this.#around, peer, place);
    this.#calls.add(call);
    this.#pool.begin(place.tunnel, place.placed);
    return call;
  }

  /** An operator ends a tunnel, and its sessions with it; false when there is none of that id. */
  end(id: number, message: string): boolean {
    const isThere = this.#endpoint
      .tunnels()
      .some(({ tunnel, phase }) => tunnel === id && phase !== "closing");
    if (isThere) this.#closeTunnel(id, { result: STOPCCN_RESULT.general, message });
    return isThere;
  }

  /** The local addresses that are to be spoken on. */
  listeners(): ReturnType<L2tpPorts["views"]> {
    return this.#ports.views();
  }

  /** For a reason of our own. */
  #closeTunnel(id: number, code: ResultCode): void {
    this.#closing.add(id);
    this.endpointDo((endpoint, now) => endpoint.closeTunnel(now, id, code));
    this.#closing.delete(id);
  }

  #input(outputs: readonly L2tpOutput[]): void {
    this.#depth += 1;
    for (const output of outputs) this.#act(output);
    this.#depth -= 1;
    if (this.#depth === 0) this.#calls.tellEnds();
    this.#around.scheduler.update(this);
    if (this.#idle !== undefined && this.#endpoint.unacknowledgedCloses() === 0) this.#idle();
  }

  #act(output: L2tpOutput): void {
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
      case "tunnel-unanswered":
      case "tunnel-answered":
        this.silence.noted(output);
        return;
      case "tunnel-refused":
        this.#news.refused(output);
        return;
      case "call-offered":
        this.#offered(output);
        return;
      case "call-accepted":
        this.#answered(output.tunnel);
        this.#calls.get(output.tunnel, output.session)?.accepted(output.remoteSessionId);
        return;
      case "call-connected":
        this.#calls.get(output.tunnel, output.session)?.handler?.connected(output.connection);
        return;
      case "link-info":
      case "wan-error":
      case "speeds-updated":
      case "speeds-requested":
        this.#reported(output);
        return;
      case "session-down": {
        const { tunnel, session, stage, cause } = output;
        if (cause.by === "peer") this.#answered(tunnel);
        const why = { kind: "session", cause } as const;
        const from = this.#calls.get(tunnel, session) ?? this.#table.get(tunnel);
        const text = this.#news.callDown(from?.peer.name ?? "", output);
        this.#calls.end(tunnel, session, { text, stage, why });
        return;
      }
    }
  }

  /** What has no port at the moment is lost, as on any path: it is sent again. */
  #send({ tunnel, to, datagram }: Extract<L2tpOutput, { kind: "send" }>): void {
    this.#around.journal.control(tunnel, true, datagram, tunnel !== 0);
    const port = this.#ports.portOf(to.portKey);
    if (port === undefined) return;
    const dscp = this.#peers.controlDscp(to.address);
    this.#around.dataplane.sendControl(port, to.address, to.port, datagram, to.localAddress, dscp);
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
      this.#closeTunnel(up.tunnel, code);
      return;
    }
    const now = this.#around.clock.now();
    this.#pool.up(now, up.tunnel, peer.name);
    if (this.#lookAt === NEVER) this.#lookAt = now + this.#peers.lookIntervalMs;
    if (peer.role !== "lac") this.#owner.reachable(peer.name);
    this.#news.up(up);
  }

  #tunnelDown(down: TunnelDown): void {
    const text = this.#news.textOf(down);
    const address = this.#table.get(down.tunnel)?.remote.address ?? this.#peers.get(down.peerName)?.address;
    const ending = this.#stopping || this.#closing.has(down.tunnel);
    this.#news.down(down, text, address, ending);
    const ours = this.#pool.isOurs(down.tunnel);
    // one that is out of use says nothing of its peer as it is configured now
    const isFault = isPeersFault(down) && !this.#pool.isRetired(down.tunnel);
    this.#pool.down(down.tunnel);
    const role = this.#peers.get(down.peerName)?.role ?? "lac";
    if (role !== "lac" && (ours || down.wasUp) && !ending && isFault)
      this.#owner.unreachable(down.peerName, text, this.#pool.tunnels(down.peerName).up > 0);
    const why = { kind: "tunnel", cause: down.cause, isFault } as const;
    for (const { session, stage } of down.sessions)
      this.#calls.end(down.tunnel, session, { text, stage, why });
    this.#table.remove(down.tunnel);
  }

  #answered(tunnel: number): void {
    this.#pool.answered(this.#around.clock.now(), tunnel);
    const peer = this.#table.get(tunnel)?.peer;
    if (peer !== undefined && peer.role !== "lac") this.#owner.reachable(peer.name);
  }

  #offered(offer: Extract<L2tpOutput, { kind: "call-offered" }>): void {
    const { tunnel: tunnelId, session } = offer;
    const tunnel = this.#table.get(tunnelId);
    if (tunnel === undefined) return; // it went down in the same breath, and took its sessions with it
    const refusal = this.#owner.door.refusal(tunnel.peer.name, this.#stopping);
    if (refusal !== undefined) {
      this.endpointDo((endpoint, now) => endpoint.closeSession(now, tunnelId, session, refusal));
      return;
    }
    const numbered = isNumberedByUs(tunnel.peer, offer.outgoing);
    const call = this.#begin(tunnel.peer, { tunnel: tunnelId, session, placed: false, numbered });
    let channel: ChannelId;
    try {
      channel = call.open(offer.remoteSessionId);
    } catch (error) {
      const fields = { peer: tunnel.peer.name, tunnel: tunnelId, error: (error as Error).message };
      this.#around.logger.error(fields, "L2TP call refused: no room for its channel");
      this.#owner.door.refused("no-room");
      call.hangUp({ result: CDN_RESULT.error, error: GENERAL_ERROR.resources, message: "no resources" });
      this.forget(call);
      return;
    }
    call.handler = this.#owner.takeCall(call, channel, offer.call);
    this.endpointDo((endpoint, now) => endpoint.acceptCall(now, tunnelId, session));
    if (offer.call.outgoing !== undefined) connectOutgoing(call, offer.call.outgoing);
  }

  #reported(output: ReportOutput): void {
    const { tunnel } = output;
    const speeds = tellCalls(output, (session) => this.#calls.get(tunnel, session), this.#around.logger);
    if (speeds !== undefined) this.endpointDo((endpoint, now) => endpoint.updateSpeeds(now, tunnel, speeds));
  }
}
