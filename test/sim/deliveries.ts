import { readU16 } from "../../src/base/bytes.ts";
import type { ChannelId, ChannelSpec, PeerSpec, Punt, UnitId } from "../../src/channel/dataplane.ts";
import type { Transmission } from "../../src/dataplane/memory/engine.ts";
import { etherTypeOffset } from "../../src/wire/ethernet.ts";
import { parseL2tp } from "../../src/wire/l2tp.ts";
import { etherTypeOf, readSessionFrame } from "./ethernet.ts";
import type { Referee } from "./invariants.ts";

const INVARIANT = "nothing is delivered on a closed session";

interface Channel {
  readonly spec: ChannelSpec;
  readonly peer: PeerSpec;
  joinedTo: { readonly channel: ChannelId } | { readonly unit: UnitId } | undefined;
}

/**
 * Books of a data plane's channels, kept beside it: what has come in for one of them may come out of nothing but
 * that one and what it is joined to, and what is nobody's out of nothing.
 */
export class Deliveries {
  readonly #name: string;
  readonly #referee: Referee;
  readonly #channels = new Map<ChannelId, Channel>();
  /** Whose frame the data plane has at the moment, by what the frame says; undefined between frames. */
  #incoming: { readonly id: ChannelId | undefined } | undefined;

  constructor(name: string, referee: Referee) {
    this.#name = name;
    this.#referee = referee;
  }

  added(id: ChannelId, spec: ChannelSpec, peer: PeerSpec): void {
    this.#channels.set(id, { spec, peer, joinedTo: undefined });
  }

  bridged(a: ChannelId, b: ChannelId): void {
    this.#join(a, { channel: b });
    this.#join(b, { channel: a });
  }

  attached(id: ChannelId, unit: UnitId): void {
    this.#join(id, { unit });
  }

  /** Not bridged, or not attached, any more. */
  parted(id: ChannelId): void {
    const joinedTo = this.#channels.get(id)?.joinedTo;
    this.#join(id, undefined);
    if (joinedTo !== undefined && "channel" in joinedTo) this.#join(joinedTo.channel, undefined);
  }

  closed(id: ChannelId): void {
    this.parted(id);
    this.#channels.delete(id);
  }

  /** `receive` gives the data plane an Ethernet frame. */
  frame(bytes: Uint8Array, receive: () => void): void {
    if (etherTypeOf(bytes) !== "session") {
      receive();
      return;
    }
    const { sessionId } = readSessionFrame(bytes);
    const from = lineOf(bytes, 6);
    this.#receive(
      ({ spec, peer }) =>
        spec.kind === "pppoe" &&
        spec.sessionId === sessionId &&
        peer.kind === "ethernet" &&
        lineOfPeer(peer) === from,
      receive,
    );
  }

  /** `receive` gives the data plane a datagram. */
  datagram(from: string, bytes: Uint8Array, receive: () => void): void {
    const packet = parseL2tp(bytes);
    if (typeof packet === "string" || packet.header.control) {
      receive();
      return;
    }
    const { tunnelId, sessionId } = packet.header;
    this.#receive(
      ({ spec, peer }) =>
        spec.kind === "l2tp" &&
        spec.localTunnelId === tunnelId &&
        spec.localSessionId === sessionId &&
        peer.kind === "udp" &&
        peer.address === from,
      receive,
    );
  }

  /** The control plane gets something; what it does about it is its own. */
  punted(punt: Punt, handle: () => void): void {
    const incoming = this.#incoming;
    if (punt.kind === "frame" && incoming !== undefined && punt.channel !== incoming.id)
      this.#report(incoming.id, `channel ${punt.channel}`);
    this.#incoming = undefined;
    handle();
    this.#incoming = incoming;
  }

  transmitted(transmission: Transmission): void {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    const joinedTo = incoming.id === undefined ? undefined : this.#channels.get(incoming.id)?.joinedTo;
    if (joinedTo !== undefined && "unit" in joinedTo) {
      if (transmission.kind !== "packet" || transmission.unit !== joinedTo.unit)
        this.#report(incoming.id, transmission.kind);
      return;
    }
    const other = joinedTo === undefined ? undefined : this.#channels.get(joinedTo.channel);
    if (other === undefined || !leavesOn(other, transmission)) this.#report(incoming.id, transmission.kind);
  }

  #join(id: ChannelId, joinedTo: Channel["joinedTo"]): void {
    const channel = this.#channels.get(id);
    if (channel !== undefined) channel.joinedTo = joinedTo;
  }

  #receive(isIts: (channel: Channel) => boolean, receive: () => void): void {
    let id: ChannelId | undefined;
    for (const [candidate, channel] of this.#channels) if (isIts(channel)) id = candidate;
    this.#incoming = { id };
    receive();
    this.#incoming = undefined;
  }

  #report(from: ChannelId | undefined, to: string): void {
    const whose = from === undefined ? "nobody" : `channel ${from}`;
    this.#referee.report(INVARIANT, `${this.#name}: what is for ${whose} comes out as ${to}`);
  }
}

/** Whether something is on its way to the other end of that channel. */
function leavesOn({ spec, peer }: Channel, transmission: Transmission): boolean {
  if (transmission.kind === "packet") return false;
  if (transmission.kind === "frame") {
    const { frame } = transmission;
    const to = peer.kind === "ethernet" ? lineOfPeer(peer) : "";
    return (
      spec.kind === "pppoe" && readSessionFrame(frame).sessionId === spec.sessionId && lineOf(frame, 0) === to
    );
  }
  const packet = parseL2tp(transmission.datagram);
  return (
    typeof packet !== "string" &&
    spec.kind === "l2tp" &&
    peer.kind === "udp" &&
    peer.address === transmission.address &&
    packet.header.tunnelId === spec.remoteTunnelId &&
    packet.header.sessionId === spec.remoteSessionId
  );
}

/** The host whose address is at `offset` of a frame, and its VLANs. */
function lineOf(frame: Uint8Array, offset: number): string {
  const vlans: number[] = [];
  for (let at = 14; at < etherTypeOffset(frame, 0, frame.length); at += 4)
    vlans.push(readU16(frame, at) & 0x0fff);
  return `${frame.subarray(offset, offset + 6).join()}/${vlans.join()}`;
}

function lineOfPeer({ remoteMac, tags }: Extract<PeerSpec, { kind: "ethernet" }>): string {
  return `${remoteMac.join()}/${tags.map(({ tci }) => tci & 0x0fff).join()}`;
}
