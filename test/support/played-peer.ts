import { Secret } from "../../src/base/secret.ts";
import { PppClient } from "../../src/ppp/client.ts";
import type { LinkOutput } from "../../src/ppp/link-types.ts";
import { DEFAULT_TIMERS } from "../../src/ppp/timers.ts";
import { emitL2tp, parseL2tp } from "../../src/wire/l2tp.ts";
import {
  emitMessage,
  type L2tpMessage,
  type MessageKind,
  type MessageOf,
  parseMessage,
} from "../../src/wire/l2tp-messages.ts";
import type { Node, World } from "./world.ts";

const TUNNEL = 500;
const SESSION = 900;
const ADDRESS_CONTROL = Uint8Array.of(0xff, 0x03);

/** An L2TP peer that a test plays message by message, on a path that loses nothing, with a subscriber behind it. */
export class PlayedPeer {
  readonly address = "10.0.0.77";
  /** What it has been told, in order. */
  readonly heard: L2tpMessage[] = [];
  /** PPP frames that came, and whether their data messages had sequence numbers. */
  readonly frames: { readonly frame: Uint8Array; readonly numbered: boolean }[] = [];
  /** What the subscriber's PPP has told, if there is one. */
  readonly told: LinkOutput[] = [];
  onDatagram: Node["onDatagram"] = () => {};
  readonly #world: World;
  readonly #gateway: string;
  #ppp: PppClient | undefined;
  #tunnelId = 0;
  #sessionId = 0;
  #ns = 0;
  #nr = 0;

  constructor(world: World, gateway: Node) {
    this.#world = world;
    this.#gateway = gateway.address;
    this.onDatagram = (_to, _port, datagram) =>
      world.carry(() => gateway.receiveDatagram(this.address, datagram));
    gateway.onDatagram = (to, _port, datagram) => {
      if (to === this.address) world.carry(() => this.#receive(datagram));
    };
  }

  /** Opens a tunnel. */
  async openTunnel(hostName: string): Promise<void> {
    const greeting = { protocolVersion: 0x0100, framingCapabilities: 3, assignedTunnelId: TUNNEL };
    this.say({ kind: "SCCRQ", hostName, ...greeting });
    this.#tunnelId = (await this.answer("SCCRP")).assignedTunnelId;
    this.say({ kind: "SCCCN" });
  }

  /** As LAC: places a call and connects it. `between`: after ICRP, while ICCN is not sent yet. */
  async call(connection: Partial<MessageOf<"ICCN">> = {}, between?: () => Promise<void>): Promise<void> {
    this.say({ kind: "ICRQ", assignedSessionId: SESSION, callSerialNumber: 1 });
    this.#sessionId = (await this.answer("ICRP")).assignedSessionId;
    await between?.();
    this.say({ kind: "ICCN", txConnectSpeed: 1_000_000, framingType: 1, ...connection });
  }

  /** As LNS: asks for a call to be made. */
  askForCall(): void {
    this.say({
      kind: "OCRQ",
      assignedSessionId: SESSION,
      callSerialNumber: 3,
      minimumBps: 9600,
      maximumBps: 2_000_000,
      bearerType: 1,
      framingType: 1,
      calledNumber: "100",
    });
  }

  /** The call is connected: a subscriber begins PPP in it. */
  dial(user: string, password: string): void {
    const config = { link: "l2tp", mruBytes: 1460, maxMruBytes: 1500, ipv4: true, ipv6: false } as const;
    const accept = ["chap-md5", "pap"] as const;
    this.#ppp = new PppClient(
      { ...config, accept, user, password: new Secret(password), timers: DEFAULT_TIMERS },
      this.#world.random(),
    );
    this.#act(this.#ppp.start(this.#world.clock.now()));
  }

  say(message: L2tpMessage): void {
    // what opens a tunnel or a call does not know the other end's ids yet
    const isAboutCall = !["SCCRQ", "SCCCN", "ICRQ", "OCRQ"].includes(message.kind);
    this.#control(emitMessage(message), isAboutCall ? this.#sessionId : 0);
    this.#ns += 1;
  }

  sendFrame(frame: Uint8Array): void {
    const payload = Uint8Array.of(...ADDRESS_CONTROL, ...frame);
    const ids = { tunnelId: this.#tunnelId, sessionId: this.#sessionId };
    const header = { control: false, lengthBit: true, priority: false, ...ids };
    this.onDatagram(this.#gateway, 1701, emitL2tp(header, payload));
  }

  /** Waits for a message of a kind, which may have come already. */
  async answer<K extends MessageKind>(kind: K): Promise<MessageOf<K>> {
    const find = () => this.heard.find((each) => each.kind === kind);
    await this.#world.until(() => find() !== undefined, 5000);
    const found = find();
    if (found === undefined)
      throw new Error(`no ${kind}, only ${this.heard.map((each) => each.kind).join(", ")}`);
    // OCRP: the id of the session that OCCN and the frames are for
    if (found.kind === "OCRP") this.#sessionId = found.assignedSessionId;
    return found as MessageOf<K>;
  }

  #control(body: Uint8Array, sessionId: number): void {
    const sequence = { ns: this.#ns, nr: this.#nr };
    const header = { control: true, lengthBit: true, tunnelId: this.#tunnelId, sessionId, priority: false };
    this.onDatagram(this.#gateway, 1701, emitL2tp({ ...header, sequence }, body));
  }

  #receive(datagram: Uint8Array): void {
    const packet = parseL2tp(datagram);
    if (typeof packet === "string") throw new Error(`an L2TP message that is ${packet}`);
    const { header, payload } = packet;
    if (!header.control) {
      const frame = payload.slice(ADDRESS_CONTROL.length);
      this.frames.push({ frame, numbered: header.sequence !== undefined });
      this.#act(this.#ppp?.receive(this.#world.clock.now(), frame) ?? []);
    } else if (payload.length > 0 && header.sequence?.ns === this.#nr) {
      this.#nr += 1;
      const parsed = parseMessage(payload, undefined);
      if (parsed.outcome !== "message") throw new Error(`an L2TP message that is ${parsed.outcome}`);
      this.heard.push(parsed.message);
      this.#control(new Uint8Array(0), 0);
    }
  }

  #act(outputs: readonly LinkOutput[]): void {
    this.told.push(...outputs);
    for (const output of outputs) if (output.kind === "send") this.sendFrame(output.frame);
  }
}
