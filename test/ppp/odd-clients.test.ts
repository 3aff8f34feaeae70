import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex } from "../../src/base/bytes.ts";
import type { LinkKind } from "../../src/ppp/lcp.ts";
import { PppServer, type PppServerOutput } from "../../src/ppp/server.ts";
import { OPTION_AUTHENTICATION } from "../../src/wire/lcp.ts";
import { emitPpp, PPP_IPCP, PPP_LCP, PPP_PAP, parsePpp } from "../../src/wire/ppp.ts";
import {
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  type ConfigOption,
  emitControlPacket,
  emitOptions,
  parseControlPacket,
  parseOptions,
} from "../../src/wire/ppp-control.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { framesOf } from "./frames.ts";
import { GRANT, SERVER } from "./pair.ts";
import { attemptOf, papRequest } from "./peer.ts";

/** What CPEs have been seen to ask for, and some that nobody should. */
const LCP_WISHES: Readonly<Record<string, string>> = {
  "MRU 1500": "010405dc",
  "MRU 1492": "010405d4",
  "MRU 576": "01040240",
  "MRU 65535": "0104ffff",
  "MRU 0": "01040000",
  "an MRU of three octets": "01050005dc",
  ACCM: "0206000a0000",
  "that we authenticate": "0304c023",
  "quality reports": "0408c025000003e8",
  magic: "050611223344",
  "no magic": "050600000000",
  PFC: "0702",
  ACFC: "0802",
  "FCS alternatives": "090302",
  callback: "0d0306",
  MRRU: "110405dc",
  "short sequence numbers": "1202",
  "an endpoint discriminator": "130903020011223344",
  "type 0": "0006aabbccdd",
};
const IPCP_WISHES: Readonly<Record<string, string>> = {
  "IP-Addresses": "010a0000000000000000",
  "VJ compression": "0206002d0f01",
  "IP header compression": "020e006100000000000000000000",
  "any address": "030600000000",
  "another address": "0306c0a80001",
  "an address of two octets": "03040a00",
  "mobile IPv4": "04060a000001",
  "primary DNS": "810600000000",
  "its own DNS": "810608080808",
  "secondary DNS": "830600000000",
  "primary NBNS": "820600000000",
  "secondary NBNS": "840600000000",
  "type 254": "fe0401ff",
};

interface Habits {
  readonly link: LinkKind;
  readonly lcp: readonly string[];
  readonly ipcp: readonly string[];
  /** Goes on asking for the same until it is rejected. */
  readonly ignoresNaks: boolean;
  /** Takes up options that a Nak appends. */
  readonly takesHints: boolean;
  /** Rejects every option of ours but authentication. */
  readonly rejectsOurs: boolean;
}

/** One protocol of a client that keeps to RFC 1661 but for its wishes and habits. */
class OddNegotiation {
  readonly #protocol: number;
  readonly #habits: Habits;
  #options: readonly ConfigOption[];
  #identifier = 0;
  opened = { ours: false, theirs: false };

  constructor(protocol: number, options: readonly ConfigOption[], habits: Habits) {
    this.#protocol = protocol;
    this.#options = options;
    this.#habits = habits;
  }

  request(): Uint8Array {
    this.#identifier += 1;
    return this.#packet(CONFIGURE_REQUEST, this.#identifier, emitOptions(this.#options));
  }

  receive(information: Uint8Array): Uint8Array[] {
    const { code, identifier, data } = parseControlPacket(information)!;
    const options = parseOptions(data) ?? [];
    switch (code) {
      case CONFIGURE_REQUEST: {
        const unwanted = options.filter(
          ({ type }) => this.#protocol !== PPP_LCP || type !== OPTION_AUTHENTICATION,
        );
        if (this.#habits.rejectsOurs && unwanted.length > 0)
          return [this.#packet(CONFIGURE_REJECT, identifier, emitOptions(unwanted))];
        this.opened.theirs = true;
        return [this.#packet(CONFIGURE_ACK, identifier, data)];
      }
      case CONFIGURE_ACK:
        this.opened.ours = true;
        return [];
      case CONFIGURE_NAK:
        if (!this.#habits.ignoresNaks) this.#take(options);
        return [this.request()];
      case CONFIGURE_REJECT:
        this.#options = this.#options.filter(({ type }) => !options.some((other) => other.type === type));
        return [this.request()];
      default:
        return [];
    }
  }

  #take(options: readonly ConfigOption[]): void {
    const asked = this.#options.map((wish) => options.find(({ type }) => type === wish.type) ?? wish);
    const hints = options.filter(({ type }) => !asked.some((wish) => wish.type === type));
    this.#options = this.#habits.takesHints ? [...asked, ...hints] : asked;
  }

  #packet(code: number, identifier: number, data: Uint8Array): Uint8Array {
    return emitPpp(this.#protocol, emitControlPacket({ code, identifier, data }));
  }
}

function wishes(names: readonly string[], table: Readonly<Record<string, string>>): ConfigOption[] {
  return names.flatMap((name) => parseOptions(fromHex(table[name]!))!);
}

/** Lets such a client call; the events of the server are returned. */
function call(habits: Habits): readonly PppServerOutput[] {
  const server = new PppServer({ ...SERVER, link: habits.link, authentication: ["pap"] }, seededRandom(3));
  const lcp = new OddNegotiation(PPP_LCP, wishes(habits.lcp, LCP_WISHES), habits);
  const ipcp = new OddNegotiation(PPP_IPCP, wishes(habits.ipcp, IPCP_WISHES), habits);
  const events: PppServerOutput[] = [];
  let toClient = framesOf(server.start(0));
  let toServer: Uint8Array[] = [lcp.request()];
  let asked = false;
  for (let round = 0; round < 100; round++) {
    for (const frame of toClient) {
      const { protocol, information } = parsePpp(frame)!;
      if (protocol === PPP_LCP) toServer.push(...lcp.receive(information));
      else if (protocol === PPP_IPCP) toServer.push(...ipcp.receive(information));
      else if (protocol === PPP_PAP) toServer.push(ipcp.request());
    }
    if (!asked && lcp.opened.ours && lcp.opened.theirs) {
      asked = true;
      toServer.push(papRequest(1));
    }
    const outputs = toServer.flatMap((frame) => server.receive(0, frame));
    toServer = [];
    if (outputs.some(({ kind }) => kind === "authenticate"))
      outputs.push(...server.accept(0, attemptOf(outputs), GRANT));
    events.push(...outputs.filter(({ kind }) => kind !== "send"));
    toClient = framesOf(outputs);
    if (events.some(({ kind }) => kind === "network-up" || kind === "down")) return events;
  }
  return events;
}

const habits = fc.record({
  link: fc.constantFrom<LinkKind>("pppoe", "l2tp"),
  lcp: fc.subarray(Object.keys(LCP_WISHES)),
  ipcp: fc.subarray(Object.keys(IPCP_WISHES)),
  ignoresNaks: fc.boolean(),
  takesHints: fc.boolean(),
  rejectsOurs: fc.boolean(),
});

describe("a client that asks for odd things", () => {
  it("gets in whatever it asks for, with the address that it was given and no frame too large for the line", () => {
    fc.assert(
      fc.property(habits, (client) => {
        const events = call(client);
        expect(events.map(({ kind }) => kind)).toEqual(["authenticate", "network-up"]);
        const up = events.at(-1);
        if (up?.kind !== "network-up" || up.protocol !== "ipv4") return expect.unreachable();
        expect(up.remoteAddress).toBe("10.0.0.2");
        expect(up.mruBytes).toBeLessThanOrEqual(1492);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(Object.keys(LCP_WISHES))("gets in with LCP's %s alone", (wish) => {
    const one = {
      lcp: [wish],
      ipcp: ["any address"],
      ignoresNaks: false,
      takesHints: true,
      rejectsOurs: false,
    };
    for (const link of ["pppoe", "l2tp"] as const)
      expect(call({ ...one, link }).at(-1)).toMatchObject({ kind: "network-up" });
  });

  it.each([...Object.keys(IPCP_WISHES), undefined])("gets in with IPCP's %s alone", (wish) => {
    const one = { link: "pppoe", lcp: ["magic"], ipcp: wish === undefined ? [] : [wish] } as const;
    for (const ignoresNaks of [false, true])
      for (const takesHints of [false, true])
        expect(call({ ...one, ignoresNaks, takesHints, rejectsOurs: true }).at(-1)).toMatchObject({
          kind: "network-up",
          remoteAddress: "10.0.0.2",
        });
  });
});
