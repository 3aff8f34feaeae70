import { IPV4_DESTINATION, IPV4_SOURCE, ipv4PacketBytes } from "../../wire/ipv4.ts";
import { IPV6_DESTINATION, IPV6_SOURCE, ipv6PacketBytes } from "../../wire/ipv6.ts";
import { isPppControl, PPP_IPV4, PPP_IPV6, pppHeaderBytes, pppProtocol } from "../../wire/ppp.ts";
import { MALFORMED_IP, UNSUPPORTED_PROTOCOL, WRONG_ADDRESS } from "../drop-codes.ts";
import { clampMssTo } from "../mss.ts";
import { ADDRESSES_PER_FAMILY } from "../specs.ts";
import { ATTACHED, BRIDGED, CLOSED, indexOf, stateOf } from "./channel-word.ts";
import type { Egress } from "./egress.ts";
import type { Punter } from "./punter.ts";
import {
  ATTACH_CLAMP,
  ATTACH_IPV6,
  ATTACH_SUBSCRIBER_END,
  COUNTERS_STRIDE,
  FRAMES_IN,
  OCTETS_IN,
  type Tables,
} from "./tables.ts";
import type { UnitEgress } from "./unit-egress.ts";

/** A signed 32-bit word in network order. */
export function readWord(bytes: Uint8Array, offset: number): number {
  return (bytes[offset]! << 24) | (bytes[offset + 1]! << 16) | (bytes[offset + 2]! << 8) | bytes[offset + 3]!;
}

/** What happens to a PPP frame that a channel has received, by the channel's state. */
export class Dispatch {
  readonly #tables: Tables;
  readonly #bytes: Uint8Array;
  readonly #egress: Egress;
  readonly #units: UnitEgress;
  readonly #punter: Punter;
  readonly #counters: Float64Array;
  readonly #controlFramesIn: Float64Array;
  readonly #drops: Float64Array;

  constructor(
    tables: Tables,
    worker: number,
    bytes: Uint8Array,
    egress: Egress,
    units: UnitEgress,
    punter: Punter,
  ) {
    this.#tables = tables;
    this.#bytes = bytes;
    this.#egress = egress;
    this.#units = units;
    this.#punter = punter;
    this.#counters = tables.counters[worker]!;
    this.#controlFramesIn = tables.controlFramesIn[worker]!;
    this.#drops = tables.drops[worker]!;
  }

  /** False: the channel is closed. `headroom`: at least 28 octets before `offset` may be overwritten. */
  received(channel: number, offset: number, length: number, headroom: boolean): boolean {
    const word = Atomics.load(this.#tables.channelWord, channel);
    const state = stateOf(word);
    if (state === CLOSED) return false;
    const at = channel * COUNTERS_STRIDE;
    this.#counters[at + FRAMES_IN]! += 1;
    this.#counters[at + OCTETS_IN]! += length;
    if (isPppControl(this.#bytes, offset)) this.#controlFramesIn[channel]! += 1;
    if (state === BRIDGED) this.#egress.toChannel(indexOf(word), offset, length, 0, headroom);
    else if (state === ATTACHED) this.#attached(channel, word, offset, length);
    else this.#punter.frame(channel, word, this.#bytes, offset, length);
    return true;
  }

  #attached(channel: number, word: number, offset: number, length: number): void {
    const bytes = this.#bytes;
    const headerBytes = pppHeaderBytes(bytes, offset, length);
    const protocol = headerBytes === 0 ? 0 : pppProtocol(bytes, offset, headerBytes);
    if (protocol !== PPP_IPV4 && protocol !== PPP_IPV6) {
      // what nobody knows is the control plane's too: LCP answers with a Protocol-Reject
      this.#punter.frame(channel, word, bytes, offset, length);
      return;
    }
    const t = this.#tables;
    const attachment = indexOf(word);
    const flags = t.attachFlags[attachment]!;
    const packet = offset + headerBytes;
    const available = length - headerBytes;
    let packetBytes: number;
    if (protocol === PPP_IPV4) {
      packetBytes = ipv4PacketBytes(bytes, packet, available);
    } else {
      if ((flags & ATTACH_IPV6) === 0) {
        this.#drops[UNSUPPORTED_PROTOCOL]! += 1;
        return;
      }
      packetBytes = ipv6PacketBytes(bytes, packet, available);
    }
    if (packetBytes < 0) {
      this.#drops[MALFORMED_IP]! += 1;
      return;
    }
    const subscriberEnd = (flags & ATTACH_SUBSCRIBER_END) !== 0;
    if (
      !(protocol === PPP_IPV4
        ? this.#isIpv4Subscriber(attachment, packet + (subscriberEnd ? IPV4_DESTINATION : IPV4_SOURCE))
        : this.#isIpv6Subscriber(attachment, packet + (subscriberEnd ? IPV6_DESTINATION : IPV6_SOURCE)))
    ) {
      this.#drops[WRONG_ADDRESS]! += 1;
      return;
    }
    if ((flags & ATTACH_CLAMP) !== 0) clampMssTo(t.attachMru[attachment]!, bytes, packet, packetBytes);
    this.#units.toUnit(t.attachUnit[attachment]!, packet, packetBytes);
  }

  /** The address at `offset` is one of the attached ones. */
  #isIpv4Subscriber(attachment: number, offset: number): boolean {
    const { attachIpv4, attachIpv4Mask } = this.#tables;
    const address = readWord(this.#bytes, offset);
    const first = attachment * ADDRESSES_PER_FAMILY;
    for (let i = first; i < first + ADDRESSES_PER_FAMILY; i++)
      if ((address & attachIpv4Mask[i]!) === attachIpv4[i]!) return true;
    return false;
  }

  #isIpv6Subscriber(attachment: number, offset: number): boolean {
    const { attachIpv6, attachIpv6Mask } = this.#tables;
    const first = attachment * ADDRESSES_PER_FAMILY * 4;
    for (let i = first; i < first + 4 * ADDRESSES_PER_FAMILY; i += 4) {
      let word = 0;
      while (
        word < 4 &&
        (readWord(this.#bytes, offset + 4 * word) & attachIpv6Mask[i + word]!) === attachIpv6[i + word]!
      )
        word += 1;
      if (word === 4) return true;
    }
    return false;
  }
}
