import { RX_LENGTH, RX_OFFSET, RX_STRIDE } from "../../io/addon.ts";
import { IPV4_DESTINATION, IPV4_SOURCE, ipv4PacketBytes } from "../../wire/ipv4.ts";
import { IPV6_DESTINATION, IPV6_SOURCE, ipv6PacketBytes } from "../../wire/ipv6.ts";
import { PPP_IPV4, PPP_IPV6 } from "../../wire/ppp.ts";
import { VNET_HEADER_BYTES } from "../../wire/virtio-net.ts";
import { ACCEPT, MALFORMED_IP, TOO_BIG, UNKNOWN_DESTINATION, UNSUPPORTED_PROTOCOL } from "../drop-codes.ts";
import { clampMssTo } from "../mss.ts";
import { AddressLookup } from "./address-map.ts";
import { ATTACHED, indexOf, stateOf } from "./channel-word.ts";
import { readWord } from "./dispatch.ts";
import type { Egress } from "./egress.ts";
import type { Punter } from "./punter.ts";
import { ATTACH_CLAMP, ATTACH_IPV6, type Tables, UNIT_BY_SOURCE } from "./tables.ts";

/** Octets of headroom that a unit's receive buffers need: the longest header, less what the vnet header gives. */
export const UNIT_HEADROOM_BYTES = 32;
/** The largest that a unit's device hands over: an IP packet, to be cut up, behind its vnet header. */
export const UNIT_LARGEST_BYTES = VNET_HEADER_BYTES + 65_535;

/** Takes batches of packets from units, finds each one's channel and sends it there. */
export class UnitIngress {
  readonly #tables: Tables;
  readonly #bytes: Uint8Array;
  readonly #egress: Egress;
  readonly #punter: Punter;
  readonly #drops: Float64Array;
  readonly #lookup: AddressLookup;

  constructor(tables: Tables, worker: number, bytes: Uint8Array, egress: Egress, punter: Punter) {
    this.#tables = tables;
    this.#bytes = bytes;
    this.#egress = egress;
    this.#punter = punter;
    this.#drops = tables.drops[worker]!;
    this.#lookup = new AddressLookup(tables.subscribers);
  }

  /** Packets of a unit, each behind a vnet header. */
  fromUnit(unit: number, descriptors: Int32Array, count: number): void {
    for (let i = 0; i < count * RX_STRIDE; i += RX_STRIDE) {
      const offset = descriptors[i + RX_OFFSET]! + VNET_HEADER_BYTES;
      const verdict = this.#packet(unit, offset, descriptors[i + RX_LENGTH]! - VNET_HEADER_BYTES);
      if (verdict !== ACCEPT) this.#drops[verdict]! += 1;
    }
  }

  #packet(unit: number, offset: number, length: number): number {
    const t = this.#tables;
    const bytes = this.#bytes;
    const ipv6 = length > 0 && bytes[offset]! >>> 4 === 6;
    const packetBytes = ipv6
      ? ipv6PacketBytes(bytes, offset, length)
      : ipv4PacketBytes(bytes, offset, length);
    if (packetBytes < 0) return MALFORMED_IP;
    let channel = Atomics.load(t.unitChannel, unit);
    if (channel < 0) {
      const bySource = channel === UNIT_BY_SOURCE;
      if (ipv6) {
        const address = offset + (bySource ? IPV6_SOURCE : IPV6_DESTINATION);
        channel = this.#lookup.ipv6(
          unit,
          readWord(bytes, address),
          readWord(bytes, address + 4),
          readWord(bytes, address + 8),
          readWord(bytes, address + 12),
        );
      } else {
        channel = this.#lookup.ipv4(
          unit,
          readWord(bytes, offset + (bySource ? IPV4_SOURCE : IPV4_DESTINATION)),
        );
      }
    }
    if (channel === 0) return UNKNOWN_DESTINATION;
    const word = Atomics.load(t.channelWord, channel);
    // a record that is about to go may still be found: what it says must hold for the channel as it is now
    if (stateOf(word) !== ATTACHED || t.attachUnit[indexOf(word)] !== unit) return UNKNOWN_DESTINATION;
    const attachment = indexOf(word);
    const flags = t.attachFlags[attachment]!;
    if (ipv6 && (flags & ATTACH_IPV6) === 0) return UNSUPPORTED_PROTOCOL;
    const mru = t.attachMru[attachment]!;
    if (packetBytes > mru) {
      this.#punter.tooBig(unit, channel, word, bytes, offset, packetBytes);
      return TOO_BIG;
    }
    if ((flags & ATTACH_CLAMP) !== 0) clampMssTo(mru, bytes, offset, packetBytes);
    this.#egress.toChannel(channel, offset, packetBytes, ipv6 ? PPP_IPV6 : PPP_IPV4, true);
    return ACCEPT;
  }
}
