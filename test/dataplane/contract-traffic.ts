import { describe, expect, it } from "vitest";
import type { ChannelId, PeerId, Punt } from "../../src/channel/dataplane.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { l2tpMessage, numberedFrame, pppoeFrame, readL2tp, readPppoe, sequenceOf } from "./frames.ts";
import { lnsPeer, type Rig, subscriberPeer } from "./rig.ts";

/** Sessions 1 to 6 are PPPoE, 7 to 12 L2TP, in turn with the two remotes. */
const SESSIONS = 12;
const FIRST_L2TP = 7;
const MAC = Uint8Array.of(2, 0, 0, 0, 1, 1);
const ROUNDS = 40;

/**
 * Where a frame may come out: a session's wire, or the control plane as a punt of a session. Nowhere: what was
 * punted before a change may be stale after it.
 */
type Place = `wire ${number}` | `punt ${number}` | "nowhere";

/**
 * Frames flow on every session while channels are bridged, unbridged, bridged to others and closed at random.
 * Each frame has a number, and its places are noted when it is sent: one while nothing changes, and several
 * while its channel is between two states.
 */
class Traffic {
  readonly #rig: Rig;
  readonly #random: () => number;
  readonly #peers: readonly PeerId[];
  /** Undefined when the session is closed. */
  readonly #channels: (ChannelId | undefined)[] = [];
  /** The other end's session, or 0. */
  readonly #bridged: number[] = [];
  readonly #sessionOf = new Map<ChannelId, number>();
  /** By frame number. */
  readonly #allowed: Set<Place>[] = [];
  readonly #arrived: (Place | undefined)[] = [];
  /** Places that frames in flight may still come out at because of a change that is not complete. */
  readonly #passing = new Map<number, Set<Place>>();
  #readFrames = 0;
  #readDatagrams = 0;
  /** What must never be. */
  readonly faults: string[] = [];

  constructor(rig: Rig, seed: number) {
    const random = seededRandom(seed);
    this.#rig = rig;
    this.#random = () => random.uint32() / 2 ** 32;
    const { dataplane } = rig;
    const specs = [subscriberPeer(rig, MAC), lnsPeer(rig, 0), lnsPeer(rig, 1)];
    this.#peers = specs.map((spec) => dataplane.addPeer(spec));
    rig.onPunt((punt) => this.#punted(punt));
    for (let session = 0; session <= SESSIONS; session++) {
      this.#channels.push(undefined);
      this.#bridged.push(0);
    }
    for (let session = 1; session <= SESSIONS; session++) this.#open(session);
  }

  async round(): Promise<void> {
    // while nothing changes, each frame has one place
    const stable = this.#burst();
    await this.#settle(stable);
    const changes = Array.from({ length: 1 + Math.floor(this.#random() * 4) }, () => this.#change());
    // sent by the first frames' time, before, between and after the calls
    const during = [...this.#burst(), ...changes.flatMap((change) => [change(), this.#burst()])];
    await Promise.all(during.filter((item): item is Promise<void> => item instanceof Promise));
    this.#passing.clear();
    await this.#settle(this.#burst());
    // a bridge that stands loses nothing even now
    const sent = during.filter((item) => !(item instanceof Promise)).flat() as number[];
    await this.#settle(sent.filter((number) => this.#allowed[number]!.size === 1));
  }

  /** One frame from every session's wire; returns those that must arrive. */
  #burst(): number[] {
    const numbers: number[] = [];
    for (let session = 1; session <= SESSIONS; session++) {
      const number = this.#allowed.length;
      const place = this.#placeOf(session);
      this.#allowed.push(new Set([...(this.#passing.get(session) ?? []), ...(place ? [place] : [])]));
      this.#arrived.push(undefined);
      const frame = numberedFrame(session, number);
      if (session < FIRST_L2TP)
        this.#rig.fromSubscriber(pppoeFrame(this.#rig.gatewayMac, MAC, session, frame));
      else this.#rig.fromRemote(this.#remoteOf(session), l2tpMessage(9, session, frame));
      if (place !== undefined) numbers.push(number);
    }
    return numbers;
  }

  /** Waits until all of these have arrived where they belong. */
  async #settle(numbers: readonly number[]): Promise<void> {
    const { until } = this.#rig;
    const missing = () => {
      this.#readWires();
      return numbers.filter((number) => this.#arrived[number] === undefined);
    };
    await until("every frame arrives", () => missing().length === 0);
  }

  #change(): () => Promise<void> {
    const session = 1 + Math.floor(this.#random() * SESSIONS);
    const other = 1 + Math.floor(this.#random() * SESSIONS);
    const kind = this.#random();
    return () => this.#apply(session, other, kind);
  }

  async #apply(session: number, other: number, kind: number): Promise<void> {
    const { dataplane } = this.#rig;
    const channel = this.#channels[session];
    if (channel === undefined) {
      this.#open(session);
      return;
    }
    const end = this.#bridged[session]!;
    if (kind < 0.25) {
      this.#note(session, end);
      this.#unjoin(session);
      this.#channels[session] = undefined;
      this.#note(end);
      return dataplane.closeChannel(channel);
    }
    const done: Promise<void>[] = [];
    if (end !== 0) {
      this.#note(session, end);
      this.#unjoin(session);
      done.push(dataplane.unbridge(channel));
      this.#note(session, end);
    }
    // and at once to another, while the first change is not complete
    const to = this.#channels[other];
    if (kind < 0.85 && other !== session && to !== undefined && this.#bridged[other] === 0) {
      this.#note(session, other);
      this.#bridged[session] = other;
      this.#bridged[other] = session;
      done.push(dataplane.bridge(channel, to));
      this.#note(session, other);
    }
    await Promise.all(done);
  }

  /** Frames of these sessions that are under way may come out where they belong now. */
  #note(...sessions: number[]): void {
    for (const session of sessions) {
      const place = this.#placeOf(session);
      if (session === 0 || place === undefined) continue;
      const places = this.#passing.get(session) ?? new Set<Place>(["nowhere"]);
      this.#passing.set(session, places.add(place));
    }
    // those that have not arrived yet, too
    for (const [number, arrived] of this.#arrived.entries()) {
      if (arrived !== undefined) continue;
      const session = (number % SESSIONS) + 1;
      for (const place of this.#passing.get(session) ?? []) this.#allowed[number]!.add(place);
    }
  }

  #open(session: number): void {
    const [ethernet, ...udp] = this.#peers;
    const channel =
      session < FIRST_L2TP
        ? this.#rig.dataplane.addChannel({ kind: "pppoe", peer: ethernet!, sessionId: session })
        : this.#rig.dataplane.addChannel({
            kind: "l2tp",
            peer: udp[session % 2]!,
            localTunnelId: 9,
            localSessionId: session,
            remoteTunnelId: 90,
            remoteSessionId: session,
          });
    this.#channels[session] = channel;
    this.#sessionOf.set(channel, session);
    this.#note(session);
  }

  #unjoin(session: number): void {
    this.#bridged[this.#bridged[session]!] = 0;
    this.#bridged[session] = 0;
  }

  #placeOf(session: number): Place | undefined {
    if (this.#channels[session] === undefined) return undefined;
    return this.#bridged[session] === 0 ? `punt ${session}` : `wire ${this.#bridged[session]!}`;
  }

  #punted(punt: Punt): void {
    if (punt.kind !== "frame") return;
    const session = this.#sessionOf.get(punt.channel)!;
    if (this.#channels[session] !== punt.channel || this.#bridged[session] !== 0)
      this.faults.push(`punt of session ${session} after its bridge() or closeChannel() was called`);
    this.#arrive(`punt ${session}`, punt.frame);
  }

  #readWires(): void {
    const { frames, datagrams } = this.#rig;
    for (; this.#readFrames < frames.length; this.#readFrames++) {
      const { sessionId, ppp } = readPppoe(frames[this.#readFrames]!);
      this.#arrive(`wire ${sessionId}`, ppp);
    }
    for (; this.#readDatagrams < datagrams.length; this.#readDatagrams++) {
      const { address, datagram } = datagrams[this.#readDatagrams]!;
      const { sessionId, ppp } = readL2tp(datagram);
      if (address !== this.#remoteOf(sessionId)) this.faults.push(`session ${sessionId} at ${address}`);
      this.#arrive(`wire ${sessionId}`, ppp);
    }
  }

  #arrive(place: Place, ppp: Uint8Array): void {
    const number = sequenceOf(ppp);
    const before = this.#arrived[number];
    if (before !== undefined) this.faults.push(`frame ${number} at ${before} and again at ${place}`);
    if (!this.#allowed[number]!.has(place))
      this.faults.push(`frame ${number} at ${place}, not ${[...this.#allowed[number]!].join(" or ")}`);
    this.#arrived[number] = place;
  }

  #remoteOf(session: number): string {
    return this.#rig.remotes[session % 2]!;
  }
}

export function describeTraffic(rig: () => Rig): void {
  describe("while channels are bridged, unbridged, bridged to others and closed at random", () => {
    it.each([1, 2, 3, 4, 5])("no frame is astray or lost (seed %i)", async (seed) => {
      const traffic = new Traffic(rig(), seed);
      for (let round = 0; round < ROUNDS; round++) await traffic.round();
      expect(traffic.faults).toEqual([]);
    });
  });
}
