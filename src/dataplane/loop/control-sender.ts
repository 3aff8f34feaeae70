import { getSystemErrorName } from "node:util";
import type { ChannelId, PortId, Punt, UnitId } from "../../channel/dataplane.ts";
import type { Addon } from "../../io/addon.ts";
import { Outlet, SendBatch, type SendRefusal } from "../../io/send-batch.ts";
import { VNET_HEADER_BYTES } from "../../wire/virtio-net.ts";
import { type DropCode, SEND_FAILED, SEND_FULL, TOO_BIG } from "../drop-codes.ts";
import { emitL2tpMessage, framingOf, l2tpHeaderBytes, sequencedFraming } from "../l2tp-message.ts";
import { DSCP_CS6, outerBytes } from "../outer.ts";
import { emitPppoeFrame, largestPppFrame } from "../pppoe-frame.ts";
import type { Registry } from "../registry.ts";
import { parseAddressRecord } from "./address-record.ts";
import { AddressSlots } from "./address-slots.ts";
import { isTapped, numbersSent } from "./channel-link.ts";
import { INDEX_MAX } from "./channel-word.ts";
import type { LoopTaps } from "./loop-taps.ts";
import { takeNs } from "./sequence-numbers.ts";
import { COUNTERS_STRIDE, FRAMES_OUT, OCTETS_OUT, type Tables } from "./tables.ts";
import { HEADER_SHIFT, senderOf } from "./transmitter.ts";

const EAGAIN = 11;
const EMSGSIZE = 90;
const ENOBUFS = 105;
/** An ICMP error about an earlier datagram that a call is told of first: nothing that is refused here. */
const ECONNREFUSED = 111;

/** Who wants to see what is sent on tapped channels. */
type SentTaps = Pick<LoopTaps, "sentFrame" | "sentMessage">;

/** More than any frame or datagram has. */
const LARGEST_BYTES = 65_535;

/**
 * Sends single frames from the control plane's thread, on the descriptors that the workers use: in order, and what one
 * turn of the event loop sends together at its end, or with the first frame that has a sequence number.
 */
export class ControlSender {
  readonly #addon: Addon;
  readonly #tables: Tables;
  readonly #registry: Registry;
  readonly #taps: SentTaps;
  readonly #counters: Float64Array;
  readonly #drops: Float64Array;
  readonly #addresses = new AddressSlots();
  readonly #batch: SendBatch;
  readonly #ports = new Map<PortId, readonly Outlet[]>();
  readonly #units = new Map<UnitId, number>();
  #onUnsent: (punt: Punt) => void = () => {};

  constructor(addon: Addon, tables: Tables, registry: Registry, taps: SentTaps) {
    this.#addon = addon;
    this.#tables = tables;
    this.#registry = registry;
    this.#taps = taps;
    // the row after the last worker's
    this.#counters = tables.counters[tables.sizes.workers]!;
    this.#drops = tables.drops[tables.sizes.workers]!;
    const region = addon.createRegion(SendBatch.REGION_BYTES);
    this.#batch = new SendBatch(region, this.#addresses.table, (refusal) => this.#refused(refusal));
  }

  /** Who is told when the system does not send an L2TP control message: in the middle of a call, perhaps. */
  onUnsent(handler: (punt: Punt) => void): void {
    this.#onUnsent = handler;
  }

  /** `fds`: of an access port its only one; of an L2TP port the one with checksums and the one without. */
  openPort(port: PortId, fds: readonly number[]): void {
    const { kind } = this.#registry.port(port).spec;
    this.#ports.set(
      port,
      fds.map((fd) => new Outlet(kind === "ethernet" ? "packet" : "udp", fd)),
    );
  }

  closePort(port: PortId): void {
    this.flush();
    this.#ports.delete(port);
  }

  /** What waits leaves now: before workers begin to send what must come after it. */
  flush(): void {
    if (!this.#batch.isEmpty) this.#batch.flush();
  }

  openUnit(unit: UnitId, fd: number): void {
    this.#units.set(unit, fd);
  }

  closeUnit(unit: UnitId): void {
    this.#units.delete(unit);
  }

  /** One PPP frame on a channel. */
  frame(channel: ChannelId, ppp: Uint8Array): void {
    const { spec } = this.#registry.channel(channel);
    const peer = this.#registry.peer(spec.peer).spec;
    const outlets = this.#ports.get(peer.port)!;
    const link = this.#tables.channelPeer[channel]!;
    if (peer.kind === "ethernet" && spec.kind === "pppoe") {
      const port = this.#registry.port(peer.port).spec;
      if (port.kind === "ethernet" && ppp.length > largestPppFrame(port.mtuBytes, peer.tags)) {
        this.dropped(TOO_BIG);
        return;
      }
      const frame = emitPppoeFrame(peer, spec.sessionId, ppp);
      if (isTapped(link)) this.#taps.sentFrame(channel, frame);
      this.#send(outlets[0]!, frame, 0, channel, ppp.length);
    } else if (peer.kind === "udp" && spec.kind === "l2tp") {
      const sequenced = numbersSent(link);
      const framing = sequenced ? sequencedFraming(framingOf(peer)) : framingOf(peer);
      const ipv6 = peer.address.includes(":");
      const octets = outerBytes(ipv6, l2tpHeaderBytes(framing) + ppp.length);
      if (peer.oversize === "drop" && octets > peer.pathMtuBytes) {
        this.dropped(TOO_BIG);
        return;
      }
      const ns = sequenced ? takeNs(this.#tables, channel) : -1;
      const message = emitL2tpMessage(framing, spec.remoteTunnelId, spec.remoteSessionId, ppp, ns);
      if (isTapped(link)) this.#taps.sentMessage(channel, message, peer);
      const to = this.#addressOf(peer.address, peer.udpPort, peer.dscp ?? 0, peer.localAddress);
      this.#send(peer.checksum || ipv6 ? outlets[0]! : outlets[1]!, message, to, channel, ppp.length);
      // else workers would number and send others meanwhile, and a peer that puts nothing in order would drop this one
      if (sequenced) this.flush();
    }
  }

  /** One L2TP control message. */
  control(
    port: PortId,
    remoteAddress: string,
    remotePort: number,
    datagram: Uint8Array,
    localAddress: string | undefined,
    dscp: number = DSCP_CS6,
  ): void {
    const to = this.#addressOf(remoteAddress, remotePort, dscp, localAddress);
    this.#send(this.#ports.get(port)![0]!, datagram, to, NO_CHANNEL, 0);
  }

  /** One IP packet out of a unit. */
  packet(unit: UnitId, packet: Uint8Array): void {
    const withHeader = new Uint8Array(VNET_HEADER_BYTES + packet.length);
    withHeader.set(packet, VNET_HEADER_BYTES);
    this.#result(this.#addon.sendFrame(this.#units.get(unit)!, withHeader));
  }

  /** Counts a drop in the control plane's row. */
  dropped(reason: DropCode): void {
    this.#drops[reason]! += 1;
  }

  #addressOf(address: string, udpPort: number, dscp: number, localAddress: string | undefined): number {
    return this.#addresses.offsetOf(address, udpPort, dscp, localAddress, () => this.flush());
  }

  /** Queues a frame, and counts it as sent by its channel. */
  #send(outlet: Outlet, frame: Uint8Array, address: number, channel: ChannelId, pppBytes: number): void {
    if (frame.length > LARGEST_BYTES) {
      this.dropped(TOO_BIG);
      return;
    }
    if (this.#batch.isEmpty) setImmediate(() => this.flush());
    const user = channel === NO_CHANNEL ? NO_CHANNEL : senderOf(channel, frame.length - pppBytes);
    const offset = this.#batch.add(outlet, frame.length, address, user);
    this.#batch.bytes.set(frame, offset);
    if (channel === NO_CHANNEL) return;
    this.#counters[channel * COUNTERS_STRIDE + FRAMES_OUT]! += 1;
    this.#counters[channel * COUNTERS_STRIDE + OCTETS_OUT]! += pppBytes;
  }

  /** What was counted as sent when it was queued was not. */
  #refused(refusal: SendRefusal): void {
    const { user, octets, errno } = refusal;
    this.#result(errno);
    if (user === NO_CHANNEL) {
      this.#tellUnsent(refusal);
      return;
    }
    const channel = user & INDEX_MAX;
    this.#counters[channel * COUNTERS_STRIDE + FRAMES_OUT]! -= 1;
    this.#counters[channel * COUNTERS_STRIDE + OCTETS_OUT]! -= octets - (user >>> HEADER_SHIFT);
  }

  #tellUnsent({ outlet, address, errno }: SendRefusal): void {
    if (PASSING.has(errno)) return;
    const record = this.#addresses.table.subarray(address);
    for (const [port, outlets] of this.#ports) {
      if (!outlets.includes(outlet)) continue;
      const { address: remoteAddress, udpPort: remotePort } = parseAddressRecord(record);
      const name = getSystemErrorName(-errno);
      this.#onUnsent({ kind: "unreachable", port, remoteAddress, remotePort, errno: name });
    }
  }

  #result(errno: number): void {
    if (errno === 0) return;
    if (errno === EMSGSIZE) this.dropped(TOO_BIG);
    else this.dropped(errno === EAGAIN || errno === ENOBUFS ? SEND_FULL : SEND_FAILED);
  }
}

/** Refusals that say nothing of the way to where a datagram goes. */
const PASSING: ReadonlySet<number> = new Set([EAGAIN, ENOBUFS, EMSGSIZE, ECONNREFUSED]);

/** Whose a control message is: ids of channels begin at 1. */
const NO_CHANNEL = 0;
