import type { ChannelId } from "../../../src/channel/dataplane.ts";
import { emitL2tp } from "../../../src/wire/l2tp.ts";
import { numberedFrame, pppoeFrame, readL2tp, readPppoe, sequenceOf } from "../frames.ts";
import { lnsPeer, subscriberPeer } from "../rig.ts";
import type { LoopRig } from "./rig.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 3, 1);
/** Each with a tunnel of its own, and every third with sequence numbers. */
const SESSIONS = 12;
const FIRST_ID = 101;
/** Frames on their way at once: fewer than any queue between here and there takes. */
const IN_FLIGHT = 96;

interface Session {
  readonly id: number;
  readonly subscriber: ChannelId;
  readonly lns: ChannelId;
  readonly numbered: boolean;
  /** The next number to send, up and down. */
  up: number;
  down: number;
  /** What arrived, in order. */
  readonly arrivedUp: number[];
  readonly arrivedDown: number[];
}

/**
 * Bridged sessions over all lanes, and frames in both directions on all of them without pause. Of a session with
 * sequence numbers the messages from the LNS come in pairs the wrong way round, so that half of the time one waits.
 */
export class SteadyTraffic {
  readonly #rig: LoopRig;
  readonly #sessions: Session[] = [];
  #running = true;
  #readFrames = 0;
  #readDatagrams = 0;
  #done: Promise<void> = Promise.resolve();

  private constructor(rig: LoopRig) {
    this.#rig = rig;
  }

  static async start(rig: LoopRig): Promise<SteadyTraffic> {
    const traffic = new SteadyTraffic(rig);
    const { dataplane } = rig;
    const ethernet = dataplane.addPeer(subscriberPeer(rig, MAC));
    const udp = dataplane.addPeer(lnsPeer(rig));
    for (let i = 0; i < SESSIONS; i++) {
      const id = FIRST_ID + i;
      const numbered = i % 3 === 0;
      const subscriber: ChannelId = dataplane.addChannel({ kind: "pppoe", peer: ethernet, sessionId: id });
      const lns = dataplane.addChannel({
        kind: "l2tp",
        peer: udp,
        localTunnelId: id,
        localSessionId: 1,
        remoteTunnelId: id,
        remoteSessionId: id,
        sequencing: "never",
        reorder: { frames: 64, timeMs: 5000 },
      });
      await dataplane.bridge(subscriber, lns);
      traffic.#sessions.push({
        id,
        subscriber,
        lns,
        numbered,
        up: 0,
        down: 0,
        arrivedUp: [],
        arrivedDown: [],
      });
    }
    traffic.#done = traffic.#run();
    return traffic;
  }

  /** One without sequence numbers: its channels, and what has been sent on it. */
  get plain(): Pick<Session, "subscriber" | "lns" | "up" | "down"> {
    return this.#sessions[1]!;
  }

  /** So many frames have arrived. */
  get arrived(): number {
    this.#read();
    return this.#sessions.reduce((sum, s) => sum + s.arrivedUp.length + s.arrivedDown.length, 0);
  }

  get sent(): number {
    return this.#sessions.reduce((sum, s) => sum + s.up + s.down, 0);
  }

  /** What is on its way will not come any more: others may be sent in its place. */
  forgive = 0;

  /** Resolves when so many more have arrived. */
  async flow(frames: number): Promise<void> {
    const before = this.arrived;
    await this.#rig.until("traffic", () => this.arrived >= before + frames);
  }

  /** No more is sent. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    for (const session of this.#sessions)
      if (session.numbered && session.down % 2 === 1) this.#sendDown(session);
  }

  /** What is wrong with what has arrived: by session, what is missing, and what is out of order. */
  faults({ lossAllowed = false } = {}): string[] {
    this.#read();
    const faults: string[] = [];
    for (const { id, up, down, arrivedUp, arrivedDown } of this.#sessions) {
      for (const [way, sent, arrived] of [
        ["up", up, arrivedUp],
        ["down", down, arrivedDown],
      ] as const) {
        if (!lossAllowed && arrived.length !== sent)
          faults.push(`${way} ${id}: ${arrived.length} of ${sent}`);
        const bad = arrived.findIndex((sequence, i) => i > 0 && sequence <= arrived[i - 1]!);
        if (bad >= 0) faults.push(`${way} ${id}: ${arrived[bad]} after ${arrived[bad - 1]}`);
      }
    }
    return faults;
  }

  async #run(): Promise<void> {
    while (this.#running) {
      while (this.sent - this.arrived - this.forgive < IN_FLIGHT)
        for (const s of this.#sessions) this.#send(s);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #send(session: Session): void {
    const { id } = session;
    this.#rig.fromSubscriber(pppoeFrame(this.#rig.gatewayMac, MAC, id, numberedFrame(id, session.up++)));
    this.#sendDown(session);
  }

  #sendDown(session: Session): void {
    const { id, numbered } = session;
    const count = session.down++;
    const number = numbered ? count ^ 1 : count;
    const header = { control: false, lengthBit: true, tunnelId: id, sessionId: 1, priority: false };
    const sequence = numbered ? { sequence: { ns: number & 0xffff, nr: 0 } } : {};
    const message = emitL2tp({ ...header, ...sequence }, numberedFrame(id, number));
    this.#rig.fromRemote(this.#rig.remotes[0], message);
  }

  #read(): void {
    const { frames, datagrams } = this.#rig;
    for (; this.#readFrames < frames.length; this.#readFrames++) {
      const { sessionId, ppp } = readPppoe(frames[this.#readFrames]!);
      this.#sessions[sessionId - FIRST_ID]?.arrivedDown.push(sequenceOf(ppp));
    }
    for (; this.#readDatagrams < datagrams.length; this.#readDatagrams++) {
      const { sessionId, ppp } = readL2tp(datagrams[this.#readDatagrams]!.datagram);
      this.#sessions[sessionId - FIRST_ID]?.arrivedUp.push(sequenceOf(ppp));
    }
  }
}
