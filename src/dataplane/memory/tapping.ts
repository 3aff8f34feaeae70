import type { ChannelId, PortSpec, TapSpec, TapTotals, UdpPeerSpec } from "../../channel/dataplane.ts";
import { packetAround, sentPacket } from "../outer-packet.ts";
import { addressOctets } from "../specs.ts";
import { TapTable } from "../tap-table.ts";
import { onwardTime, type TapSink, Taps } from "../taps.ts";
import type { DatagramSource } from "./engine.ts";

type Direction = "in" | "out";

/** Taps of an engine whose world is one thread: each frame is a batch, given to its sink before the call returns. */
export class Tapping {
  readonly #table = new TapTable(TapTable.allocate(1), 0);
  readonly #taps = new Taps(this.#table);
  #now = 0;

  tap(channel: ChannelId, spec: TapSpec, sink: TapSink): void {
    this.#taps.open(channel, spec, sink, this.#now, 0);
  }

  untap(channel: ChannelId): TapTotals {
    const tap = this.#taps.end(channel);
    this.#taps.forget(tap);
    return this.#taps.totals(tap);
  }

  totals(channel: ChannelId): TapTotals | undefined {
    const tap = this.#taps.of(channel);
    return tap && this.#taps.totals(tap);
  }

  /** The channel is closed, tapped or not. */
  closed(channel: ChannelId): void {
    if (this.#taps.of(channel) !== undefined) this.untap(channel);
  }

  passTime(ms: number): void {
    this.#now += ms;
  }

  frame(channel: ChannelId, direction: Direction, frame: Uint8Array): void {
    if (this.#taps.of(channel) !== undefined) this.#keep(channel, direction, frame);
  }

  /** `port`: where the datagram came to. */
  received(channel: ChannelId, datagram: Uint8Array, from: DatagramSource, port: PortSpec): void {
    if (this.#taps.of(channel) === undefined || port.kind !== "udp") return;
    const headers = {
      source: addressOctets(from.address),
      destination: addressOctets(from.localAddress ?? port.address),
      sourcePort: from.udpPort,
      destinationPort: port.udpPort,
      tos: 0,
    };
    this.#keep(channel, "in", packetAround(datagram, headers, true));
  }

  /** `port`: where the datagram leaves. */
  sent(channel: ChannelId, datagram: Uint8Array, to: UdpPeerSpec, port: PortSpec): void {
    if (this.#taps.of(channel) === undefined || port.kind !== "udp") return;
    this.#keep(channel, "out", sentPacket(datagram, to, addressOctets(port.address), port.udpPort));
  }

  #keep(channel: ChannelId, direction: Direction, whole: Uint8Array): void {
    const tap = this.#taps.of(channel)!;
    const kept = this.#table.keep(tap.slot, whole.length, this.#now);
    if (kept === 0) return;
    const timeUs = onwardTime(tap, direction, this.#table.timeUs(tap.slot, this.#now));
    tap.sink([{ channel, direction, timeUs, lengthBytes: whole.length, frame: whole.slice(0, kept) }]);
  }
}
