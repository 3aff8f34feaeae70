import type { ChannelId, PortId, UnitId } from "../../channel/dataplane.ts";
import type { Addon } from "../../io/addon.ts";
import { type DropCode, SEND_FAILED, SEND_FULL, TOO_BIG } from "../drop-codes.ts";
import { emitL2tpMessage, framingOf, l2tpHeaderBytes, sequencedFraming } from "../l2tp-message.ts";
import { DSCP_CS6, outerBytes } from "../outer.ts";
import { emitPppoeFrame, largestPppFrame } from "../pppoe-frame.ts";
import type { Registry } from "../registry.ts";
import { addressRecord } from "./address-record.ts";
import { VNET_HEADER_BYTES } from "./egress.ts";
import { numbersSent, takeNs } from "./sequence-numbers.ts";
import { COUNTERS_STRIDE, FRAMES_OUT, OCTETS_OUT, type Tables } from "./tables.ts";

const EAGAIN = 11;
const EMSGSIZE = 90;
const ENOBUFS = 105;

/** Sends single frames from the control plane's thread, on the descriptors that the workers use, at once. */
export class ControlSender {
  readonly #addon: Addon;
  readonly #tables: Tables;
  readonly #registry: Registry;
  readonly #counters: Float64Array;
  readonly #drops: Float64Array;
  readonly #ports = new Map<PortId, readonly number[]>();
  readonly #units = new Map<UnitId, number>();

  constructor(addon: Addon, tables: Tables, registry: Registry) {
    this.#addon = addon;
    this.#tables = tables;
    this.#registry = registry;
    // the row after the last worker's
    this.#counters = tables.counters[tables.sizes.workers]!;
    this.#drops = tables.drops[tables.sizes.workers]!;
  }

  /** `fds`: of an L2TP port the one with checksums and the one without. */
  openPort(port: PortId, fds: readonly number[]): void {
    this.#ports.set(port, fds);
  }

  closePort(port: PortId): void {
    this.#ports.delete(port);
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
    const fds = this.#ports.get(peer.port)!;
    if (peer.kind === "ethernet" && spec.kind === "pppoe") {
      const port = this.#registry.port(peer.port).spec;
      if (port.kind === "ethernet" && ppp.length > largestPppFrame(port.mtuBytes, peer.tags)) {
        this.dropped(TOO_BIG);
        return;
      }
      const errno = this.#addon.sendFrame(fds[0]!, emitPppoeFrame(peer, spec.sessionId, ppp));
      this.#sent(channel, ppp, errno);
    } else if (peer.kind === "udp" && spec.kind === "l2tp") {
      const sequenced = numbersSent(this.#tables.channelPeer[channel]!);
      const framing = sequenced ? sequencedFraming(framingOf(peer)) : framingOf(peer);
      const ipv6 = peer.address.includes(":");
      const octets = outerBytes(ipv6, l2tpHeaderBytes(framing) + ppp.length);
      if (peer.oversize === "drop" && octets > peer.pathMtuBytes) {
        this.dropped(TOO_BIG);
        return;
      }
      const ns = sequenced ? takeNs(this.#tables, channel) : -1;
      const message = emitL2tpMessage(framing, spec.remoteTunnelId, spec.remoteSessionId, ppp, ns);
      const to = addressRecord(peer.address, peer.udpPort, peer.dscp, peer.localAddress);
      const fd = peer.checksum || ipv6 ? fds[0]! : fds[1]!;
      const errno = this.#addon.sendDatagram(fd, to, message);
      this.#sent(channel, ppp, errno);
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
    const record = addressRecord(remoteAddress, remotePort, dscp, localAddress);
    this.#result(this.#addon.sendDatagram(this.#ports.get(port)![0]!, record, datagram));
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

  #sent(channel: ChannelId, ppp: Uint8Array, errno: number): void {
    this.#result(errno);
    if (errno !== 0) return;
    this.#counters[channel * COUNTERS_STRIDE + FRAMES_OUT]! += 1;
    this.#counters[channel * COUNTERS_STRIDE + OCTETS_OUT]! += ppp.length;
  }

  #result(errno: number): void {
    if (errno === 0) return;
    if (errno === EMSGSIZE) this.dropped(TOO_BIG);
    else this.dropped(errno === EAGAIN || errno === ENOBUFS ? SEND_FULL : SEND_FAILED);
  }
}
