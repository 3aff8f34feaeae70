import { readDiscoveryFrame } from "../../src/pppoe/discovery-frame.ts";
import { ETHERTYPE_PPPOE_SESSION, emitEthernet, formatMac, parseEthernet } from "../../src/wire/ethernet.ts";
import { emitLcp, type LcpPacket, parseLcp } from "../../src/wire/lcp.ts";
import { emitPpp, PPP_LCP, parsePpp } from "../../src/wire/ppp.ts";
import {
  PADI,
  PADO,
  PADR,
  PADS,
  PPPOE_HEADER_BYTES,
  PPPOE_SESSION_DATA,
  writePppoeHeader,
} from "../../src/wire/pppoe.ts";
import {
  findTag,
  type PppoeTag,
  TAG_AC_COOKIE,
  TAG_SERVICE_NAME,
  textTag,
} from "../../src/wire/pppoe-tags.ts";
import { AC_MAC, fromHost } from "../pppoe/support.ts";
import { macOf, type Node, type World } from "../support/world.ts";

const SERVICE = textTag(TAG_SERVICE_NAME, "");

/** A PPPoE host that a test plays frame by frame, and that does nothing by itself but what `onPpp` says. */
export class HandHost {
  readonly mac: Uint8Array;
  readonly macText: string;
  /** What it has got, but PPP. */
  readonly answers: {
    readonly code: number;
    readonly sessionId: number;
    readonly tags: readonly PppoeTag[];
  }[] = [];
  onPpp: (protocol: number, packet: Uint8Array) => void = () => {};
  readonly #world: World;
  readonly #node: Node;
  #sessionId = 0;

  constructor(world: World, node: Node, number = 1) {
    this.#world = world;
    this.#node = node;
    this.mac = macOf(number);
    this.macText = formatMac(this.mac);
    const toOthers = node.onEthernet;
    node.onEthernet = (bytes) => {
      if (formatMac(bytes.subarray(0, 6)) === this.macText) world.carry(() => this.#receive(bytes));
      else toOthers(bytes);
    };
  }

  say(code: number, tags: readonly PppoeTag[] = [SERVICE]): void {
    this.#send(fromHost({ host: this.mac, code, tags }));
  }

  /** PADI, and what came of it a moment later: the cookie. */
  async offer(tags: readonly PppoeTag[] = [SERVICE]): Promise<Uint8Array | undefined> {
    this.say(PADI, tags);
    await this.#world.pass(100);
    const pado = this.answers.findLast(({ code }) => code === PADO);
    return pado && findTag(pado.tags, TAG_AC_COOKIE);
  }

  /** PADI to PADS; `more`: in PADR. */
  async call(...more: readonly PppoeTag[]): Promise<void> {
    const cookie = await this.offer();
    const tags = cookie === undefined ? [] : [{ type: TAG_AC_COOKIE, value: cookie }];
    this.say(PADR, [SERVICE, ...tags, ...more]);
    await this.#world.pass(20);
    this.#sessionId = this.answers.findLast(({ code }) => code === PADS)?.sessionId ?? 0;
  }

  ppp(protocol: number, packet: Uint8Array): void {
    const frame = emitPpp(protocol, packet);
    const payload = new Uint8Array(PPPOE_HEADER_BYTES + frame.length);
    writePppoeHeader(payload, 0, PPPOE_SESSION_DATA, this.#sessionId, frame.length);
    payload.set(frame, PPPOE_HEADER_BYTES);
    const addresses = { destination: AC_MAC, source: this.mac, tags: [] };
    this.#send(emitEthernet({ ...addresses, etherType: ETHERTYPE_PPPOE_SESSION, payload }));
  }

  lcp(packet: LcpPacket): void {
    this.ppp(PPP_LCP, emitLcp(packet));
  }

  /** Agrees to whatever we ask for, and asks for nothing itself; `then` gets the rest. */
  agreeToLcp(then: (protocol: number, packet: Uint8Array) => void = () => {}): void {
    this.onPpp = (protocol, packet) => {
      const asked = protocol === PPP_LCP ? parseLcp(packet) : undefined;
      if (asked?.kind === "configure-request") this.lcp({ ...asked, kind: "configure-ack" });
      else if (asked?.kind === "echo-request") this.lcp({ ...asked, kind: "echo-reply", magic: 0 });
      else then(protocol, packet);
    };
    this.lcp({ kind: "configure-request", identifier: 1, options: [] });
  }

  #send(frame: Uint8Array): void {
    this.#world.carry(() => this.#node.receiveEthernet(frame));
  }

  #receive(bytes: Uint8Array): void {
    const frame = readDiscoveryFrame(bytes);
    if (typeof frame !== "string") {
      this.answers.push(frame.packet);
      return;
    }
    const payload = parseEthernet(bytes)?.payload;
    const ppp = payload && parsePpp(payload.slice(PPPOE_HEADER_BYTES));
    if (ppp !== undefined) this.onPpp(ppp.protocol, ppp.information);
  }
}
