import type { ChannelId, Dataplane, EthernetPeerSpec, PeerId, PeerSpec, Punt } from "../channel/dataplane.ts";
import { DataplaneError } from "../channel/errors.ts";
import { ACCEPT } from "../dataplane/drop-codes.ts";
import { packetOptions } from "../dataplane/loop/descriptors.ts";
import { DEFAULT_LOOP_OPTIONS } from "../dataplane/loop/options.ts";
import { ethernetHeader, PppoeFrame, readPppoeFrame, writePppoeHeaders } from "../dataplane/pppoe-frame.ts";
import { type PacketOptions, type Receiver, RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../io/addon.ts";
import { addon } from "../io/native.ts";
import { Outlet, SendBatch } from "../io/send-batch.ts";
import { etherTypeFilter } from "../wire/bpf.ts";
import { ETHERTYPE_PPPOE_DISCOVERY, ethernetHeaderBytes } from "../wire/ethernet.ts";
import { PPPOE_HEADER_BYTES } from "../wire/pppoe.ts";
import type { LinkInfo } from "../wire/rtnetlink-link.ts";
import type { DialDataplane } from "./dialer.ts";
import { macNumber } from "./mac-number.ts";

/** Slots of each receive ring. Many subscribers are many hosts: the answers to all of them, in one moment, fit. */
const LEAST_RING_SLOTS = 8192;
const MOST_RING_SLOTS = 65_536;
const SLOTS_PER_SUBSCRIBER = 2;
const SLOT_BYTES = 2048;
/** Frames that one call receives, and batches before other events get their turn. */
const BATCH = 256;
const BATCHES_PER_TURN = 8;
const HEADER_BYTES = ethernetHeaderBytes(0);

function ringSlots(subscribers: number): number {
  const wanted = 2 ** Math.ceil(Math.log2(subscribers * SLOTS_PER_SUBSCRIBER));
  return Math.max(LEAST_RING_SLOTS, Math.min(MOST_RING_SLOTS, wanted));
}

/** A session's place in the sockets. */
interface Session {
  readonly channel: ChannelId;
  /** MAC addresses and EtherType of what we send. */
  readonly header: Uint8Array;
  readonly sessionId: number;
}

/**
 * What emulated subscribers without devices use in place of a data plane: one thread, two packet sockets, and batches
 * in both directions. Nothing is forwarded, so nothing has to be handed from thread to thread. Whoever is given a
 * frame sees it in the ring, and must not keep it: a copy of each would cost more than what is done with it.
 */
export class SessionSocket implements DialDataplane {
  readonly #link: LinkInfo;
  readonly #isThere: () => boolean;
  readonly #descriptors = new Int32Array(BATCH * RX_STRIDE);
  readonly #batch: SendBatch;
  readonly #outlet: Outlet;
  readonly #bytes: Uint8Array;
  readonly #closers: (() => void)[] = [];
  readonly #frame = new PppoeFrame();
  readonly #peers = new Map<PeerId, EthernetPeerSpec>();
  readonly #sessions = new Map<ChannelId, Session>();
  /** The same by the subscriber's MAC address. */
  readonly #byMac = new Map<number, Session>();
  #punted: (punt: Punt) => void = () => {};
  #discovered: (frame: Uint8Array) => void = () => {};
  #nextId = 1;
  /** Frames that are sent now leave before anybody else's turn. */
  #sendsSoon = false;

  /** For so many subscribers. `isThere`: whether the link still is. Throws a NativeError when the system refuses. */
  constructor(link: LinkInfo, subscribers: number, isThere: () => boolean) {
    this.#link = link;
    this.#isThere = isThere;
    const loop = {
      ...DEFAULT_LOOP_OPTIONS,
      packetRingSlots: ringSlots(subscribers),
      packetSlotBytes: SLOT_BYTES,
    };
    const sessions = packetOptions({ kind: "ethernet", ...link }, loop);
    const discovery = { ...sessions, filter: etherTypeFilter(ETHERTYPE_PPPOE_DISCOVERY) };
    const region = addon.createRegion(2 * sessions.ringSlots * sessions.slotBytes + SendBatch.REGION_BYTES);
    const lost = (): void => {
      // lost, as on any wire: discovery and PPP repeat themselves
    };
    this.#batch = new SendBatch(region, new Uint8Array(0), lost);
    this.#bytes = region.bytes;
    const open = (options: PacketOptions, handle: (offset: number, length: number) => void): number => {
      const fd = addon.openPacket(options);
      const receiver = region.packetReceiver(fd, options);
      const watcher = addon.watch(fd, () => this.#receive(receiver, handle));
      this.#closers.push(() => {
        watcher.close();
        receiver.close();
        addon.close(fd);
      });
      return fd;
    };
    this.#outlet = new Outlet(
      "packet",
      open(sessions, (offset, length) => this.#sessionFrame(offset, length)),
    );
    open(discovery, (offset, length) => this.#discovered(this.#bytes.subarray(offset, offset + length)));
  }

  onPunt(handler: (punt: Punt) => void): void {
    this.#punted = handler;
  }

  /** The one receiver of discovery frames. */
  onDiscovery(handler: (frame: Uint8Array) => void): void {
    this.#discovered = handler;
  }

  sendDiscovery(frame: Uint8Array): void {
    this.#bytes.set(frame, this.#batch.add(this.#outlet, frame.length, 0, 0));
    this.#sendSoon();
  }

  addPeer(spec: PeerSpec): PeerId {
    if (spec.kind !== "ethernet") throw new DataplaneError("bad-spec", "subscribers call on Ethernet");
    const peer = this.#nextId++;
    this.#peers.set(peer, spec);
    return peer;
  }

  removePeer(peer: PeerId): Promise<void> {
    this.#peers.delete(peer);
    return Promise.resolve();
  }

  addChannel(spec: Parameters<Dataplane["addChannel"]>[0]): ChannelId {
    const peer = this.#peers.get(spec.peer);
    if (peer === undefined || spec.kind !== "pppoe") throw new DataplaneError("bad-spec", "no such peer");
    const channel = this.#nextId++;
    const session = { channel, header: ethernetHeader(peer), sessionId: spec.sessionId };
    this.#sessions.set(channel, session);
    this.#byMac.set(macNumber(peer.localMac, 0), session);
    return channel;
  }

  closeChannel(channel: ChannelId): Promise<void> {
    const session = this.#sessions.get(channel);
    this.#sessions.delete(channel);
    if (session !== undefined) this.#byMac.delete(macNumber(session.header, SOURCE));
    return Promise.resolve();
  }

  inject(channel: ChannelId, ppp: Uint8Array): void {
    const session = this.#sessions.get(channel);
    if (session === undefined) return;
    const headers = HEADER_BYTES + PPPOE_HEADER_BYTES;
    const end = headers + this.#batch.add(this.#outlet, headers + ppp.length, 0, channel);
    writePppoeHeaders(this.#bytes, end, session.header, 0, HEADER_BYTES, session.sessionId, ppp.length);
    this.#bytes.set(ppp, end);
    this.#sendSoon();
  }

  attach(): Promise<void> {
    return Promise.reject(new DataplaneError("bad-state", "sessions without devices carry no IP"));
  }

  detach(): Promise<void> {
    return Promise.reject(new DataplaneError("bad-state", "sessions without devices carry no IP"));
  }

  createUnit(): Promise<number> {
    return Promise.reject(new DataplaneError("bad-state", "sessions without devices carry no IP"));
  }

  closeUnit(): Promise<void> {
    return Promise.reject(new DataplaneError("bad-state", "sessions without devices carry no IP"));
  }

  close(): Promise<void> {
    this.#batch.flush();
    for (const close of this.#closers.splice(0)) close();
    return Promise.resolve();
  }

  #receive(receiver: Receiver, handle: (offset: number, length: number) => void): void {
    for (let batches = 0; batches < BATCHES_PER_TURN; batches++) {
      const count = receiver.receive(this.#descriptors, BATCH);
      if (count < 0 && !this.#isThere())
        this.#punted({ kind: "port-down", port: 0, reason: `${this.#link.name} is gone` });
      if (count <= 0) return;
      for (let i = 0; i < count; i++)
        handle(this.#descriptors[i * RX_STRIDE + RX_OFFSET]!, this.#descriptors[i * RX_STRIDE + RX_LENGTH]!);
      receiver.release();
      if (count < BATCH) return;
    }
  }

  #sessionFrame(offset: number, length: number): void {
    const bytes = this.#bytes;
    const frame = this.#frame;
    const session = this.#byMac.get(macNumber(bytes, offset));
    if (session === undefined || readPppoeFrame(frame, bytes, offset, length) !== ACCEPT) return;
    if (frame.ethernetBytes !== HEADER_BYTES || frame.sessionId !== session.sessionId) return;
    if (macNumber(bytes, offset + SOURCE) !== macNumber(session.header, 0)) return;
    const ppp = bytes.subarray(frame.pppOffset, frame.pppOffset + frame.pppBytes);
    this.#punted({ kind: "frame", channel: session.channel, frame: ppp });
  }

  /** Once everybody who has something to say now has said it. */
  #sendSoon(): void {
    if (this.#sendsSoon) return;
    this.#sendsSoon = true;
    setImmediate(() => {
      this.#sendsSoon = false;
      this.#batch.flush();
    });
  }
}

/** Offset of the source MAC address. */
const SOURCE = 6;
