import { fromUtf8 } from "../../base/bytes.ts";
import type { ChannelId, Punt } from "../../channel/dataplane.ts";
import { ADDRESS_BYTES } from "../../io/addon.ts";
import { unreachableReason } from "../../wire/icmp.ts";
import { isFromPeer, readTags } from "../pppoe-frame.ts";
import type { Registry } from "../registry.ts";
import { parseAddressRecord } from "./address-record.ts";
import { peerOf } from "./channel-link.ts";
import { BRIDGED, generationOf, indexOf, isNextGeneration, stateOf } from "./channel-word.ts";
import { PUNT_CONTROL, PUNT_FRAME, PUNT_TOO_BIG, PUNT_UNKNOWN_SESSION, PUNT_UNREACHABLE } from "./punter.ts";
import type { RingRecord } from "./record-ring.ts";
import { PEER_HEADER_STRIDE, type Tables } from "./tables.ts";

/** What becomes of a record. */
export type Delivery =
  | { readonly kind: "punt"; readonly punt: Punt }
  /** The channel was bridged meanwhile: the frame leaves on the other end. */
  | { readonly kind: "forward"; readonly channel: ChannelId; readonly frame: Uint8Array }
  /** The channel is another by now, or closed. */
  | { readonly kind: "stale" };

const STALE: Delivery = { kind: "stale" };

/** Turns records of the punt ring into punts, held against what channels are now. */
export class PuntReader {
  readonly #tables: Tables;
  readonly #registry: Registry;

  constructor(tables: Tables, registry: Registry) {
    this.#tables = tables;
    this.#registry = registry;
  }

  read(record: RingRecord): Delivery {
    switch (record.kind) {
      case PUNT_FRAME:
        return this.#frame(record);
      case PUNT_CONTROL: {
        const { address, udpPort, localAddress } = parseAddressRecord(record.payload);
        return this.#ofPort(record.a, {
          kind: "control",
          port: record.a,
          remoteAddress: address,
          remotePort: udpPort,
          localAddress,
          datagram: record.payload.subarray(ADDRESS_BYTES),
        });
      }
      case PUNT_UNKNOWN_SESSION:
        return this.#unknownSession(record);
      case PUNT_TOO_BIG:
        return this.#tooBig(record);
      case PUNT_UNREACHABLE:
        return this.#unreachable(record);
      default:
        throw new TypeError(`punt record of kind ${record.kind}`);
    }
  }

  #frame({ a: channel, b: word, payload: frame }: RingRecord): Delivery {
    const now = this.#tables.channelWord[channel]!;
    if (generationOf(now) === generationOf(word))
      return { kind: "punt", punt: { kind: "frame", channel, frame } };
    if (stateOf(now) === BRIDGED && isNextGeneration(word, now))
      return { kind: "forward", channel: indexOf(now), frame };
    return STALE;
  }

  #unknownSession({ a: port, b: sessionId, payload }: RingRecord): Delivery {
    // the session may have come to be since
    if (this.#hasSession(port, sessionId, payload)) return STALE;
    return this.#ofPort(port, {
      kind: "unknown-session",
      port,
      remoteMac: payload.slice(6, 12),
      localMac: payload.slice(0, 6),
      tags: readTags(payload, 0, payload.length),
      sessionId,
    });
  }

  /** Whether a channel takes PPPoE frames of that id under an Ethernet header. */
  #hasSession(port: number, sessionId: number, header: Uint8Array): boolean {
    const { pppoeChannel, pppoeNext, channelPeer, slotOfPeer, peerHeaders, peerHeaderBytes } = this.#tables;
    for (let at = pppoeChannel[(port << 16) | sessionId]!; at !== 0; at = pppoeNext[at]!) {
      const slot = slotOfPeer[peerOf(channelPeer[at]!)]!;
      const headers = slot * PEER_HEADER_STRIDE;
      if (isFromPeer(header, 0, header.length, peerHeaders, headers, peerHeaderBytes[slot]!)) return true;
    }
    return false;
  }

  #tooBig({ a: unit, b: channel, c: word, payload: packet }: RingRecord): Delivery {
    const state = this.#registry.findChannel(channel)?.state;
    const now = this.#tables.channelWord[channel]!;
    if (state?.kind !== "attached" || state.unit !== unit || now !== word) return STALE;
    const { mruBytes } = state.spec;
    return { kind: "punt", punt: { kind: "too-big", unit, channel, mruBytes, packet } };
  }

  #unreachable({ a: port, b: icmp, c: mtuBytes, payload }: RingRecord): Delivery {
    const { address, udpPort, localAddress: reporter } = parseAddressRecord(payload);
    const errno = fromUtf8(payload.subarray(ADDRESS_BYTES));
    const reason = unreachableReason(address.includes(":"), icmp >>> 8, icmp & 0xff);
    return this.#ofPort(port, {
      kind: "unreachable",
      port,
      remoteAddress: address,
      remotePort: udpPort,
      errno,
      ...(errno === "EMSGSIZE" && { mtuBytes }),
      ...(icmp !== 0 && { icmp: { reason, reporter } }),
    });
  }

  #ofPort(port: number, punt: Punt): Delivery {
    return this.#registry.hasPort(port) ? { kind: "punt", punt } : STALE;
  }
}
