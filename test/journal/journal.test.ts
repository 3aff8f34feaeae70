import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { Journal } from "../../src/journal/journal.ts";
import { emitChap } from "../../src/wire/chap.ts";
import { L2TP_CONTROL_HEADER_BYTES, writeControlHeader } from "../../src/wire/l2tp-control-header.ts";
import { emitMessage } from "../../src/wire/l2tp-messages.ts";
import { emitLcp } from "../../src/wire/lcp.ts";
import { emitPap } from "../../src/wire/pap.ts";
import { emitPpp, PPP_CHAP, PPP_LCP, PPP_PAP } from "../../src/wire/ppp.ts";
import { PADI, PADR } from "../../src/wire/pppoe.ts";
import { fromHost, hostMac } from "../pppoe/support.ts";
import { LAC_YAML, LNS_YAML, USERS_YAML } from "../support/configurations.ts";
import { type Node, startPair, World } from "../support/world.ts";

const SIZE = 256 * 1024;

class Clock {
  at = 1_700_000_000_000;
  now = (): number => this.at;
  wallClock = (): number => this.at;
}

function journal(size = SIZE) {
  const clock = new Clock();
  return { clock, journal: new Journal(size, clock) };
}

/** Whether octets are anywhere in the memory of a journal. */
function holds({ archive }: Journal, octets: Uint8Array): boolean {
  return archive.rings.some((ring) => Buffer.from(ring.octets.buffer).includes(Buffer.from(octets)));
}

function control(message: Parameters<typeof emitMessage>[0]): Uint8Array {
  const datagram = emitMessage(message, undefined, L2TP_CONTROL_HEADER_BYTES);
  writeControlHeader(datagram, 7, 0, 0, 0);
  return datagram;
}

describe("a journal", () => {
  it("keeps names and no secrets of whatever is written down, round and round", () => {
    const secret = fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((octets) => octets.map((each) => each | 0x80));
    const { journal: all } = journal(128 * 1024);
    fc.assert(
      fc.property(secret, fc.nat(4), (value, which) => {
        const pap = {
          kind: "authenticate-request",
          identifier: 1,
          peerId: utf8("bob"),
          password: value,
        } as const;
        const chap = { kind: "response", identifier: 1, value, name: utf8("bob") } as const;
        const sccrq = {
          protocolVersion: 0x0100,
          framingCapabilities: 3,
          hostName: "lac",
          assignedTunnelId: 5,
        };
        if (which === 0) all.ppp(1, false, emitPpp(PPP_PAP, emitPap(pap)));
        if (which === 1) all.ppp(1, true, emitPpp(PPP_CHAP, emitChap(chap)));
        if (which === 2) all.control(7, true, control({ kind: "SCCRQ", ...sccrq, challenge: value }), true);
        if (which === 3) all.control(7, false, control({ kind: "SCCCN", challengeResponse: value }), false);
        const iccn = { kind: "ICCN", txConnectSpeed: 1, framingType: 1, proxyAuthenResponse: value } as const;
        if (which === 4) all.control(7, false, control(iccn), true);
        expect(holds(all, value)).toBe(false);
      }),
      { numRuns: 2000 },
    );
    expect(holds(all, utf8("bob"))).toBe(true);
    expect(all.view().usedBytes).toBeLessThanOrEqual(all.view().sizeBytes);
  });

  it("keeps what is known of sessions, however strangers flood it", async () => {
    const { journal: flooded, clock } = journal();
    flooded.note("session-begun", { session: 1, mac: 1 }, "pppoe", "acc0", "5");
    flooded.note("session-ended", { session: 1 }, "hung-up", "", "hung up", "1000");
    const sccrq = { protocolVersion: 0x0100, framingCapabilities: 3, hostName: "x", assignedTunnelId: 5 };
    for (let i = 0; i < 100_000; i++) {
      if (i % 100 === 0) clock.at += 10;
      flooded.discovery("acc0", false, fromHost({ host: hostMac(i), code: PADI }));
      flooded.discovery("acc0", false, fromHost({ host: hostMac(i), code: PADR }), "no-cookie");
      if (i % 10 === 0) flooded.control(0, false, control({ kind: "SCCRQ", ...sccrq }), false);
      if (i % 10 === 0) flooded.note("caller", { stranger: true }, "198.51.100.1");
    }
    expect(await flooded.explain({ session: "s1" })).toMatchObject({ found: true, stoppedAt: "ended" });
    expect(flooded.view().passedOver).toBeGreaterThan(100_000);
  });

  it("keeps what is known of sessions, however one subscriber talks", async () => {
    const { journal: flooded, clock } = journal(2 * 1024 * 1024);
    flooded.note("session-begun", { session: 1, mac: 1 }, "pppoe", "acc0", "5");
    flooded.note("session-ended", { session: 1 }, "hung-up", "", "hung up", "1000");
    flooded.note("session-begun", { session: 2, mac: 2 }, "pppoe", "acc0", "6");
    const options = [{ type: 250, data: new Uint8Array(250) }];
    const long = Array.from({ length: 5 }, () => options).flat();
    const lcp = emitPpp(PPP_LCP, emitLcp({ kind: "configure-request", identifier: 1, options: long }));
    const padr = fromHost({
      host: hostMac(2),
      code: PADR,
      tags: [{ type: 0x0103, value: new Uint8Array(1000) }],
    });
    for (let i = 0; i < 20_000; i++) {
      clock.at += 10;
      flooded.ppp(2, false, lcp);
      flooded.ppp(2, true, lcp);
      flooded.discovery("acc0", false, padr);
    }
    expect(await flooded.explain({ session: "s1" })).toMatchObject({ found: true, stoppedAt: "ended" });
    const { evidence } = await flooded.explain({ session: "s2" });
    expect(evidence.length).toBeGreaterThan(100);
  });

  it("says of a host how much of strangers was not written down", async () => {
    const { journal: flooded } = journal();
    for (let i = 0; i < 7000; i++)
      flooded.discovery("acc0", false, fromHost({ host: hostMac(i % 10), code: PADI }));
    const story = await flooded.explain({ mac: "02:01:00:00:00:03" });
    expect(story.paragraphs.at(-1)).toBe(
      "2000 messages of hosts and peers that nobody knew were too many to be written down.",
    );
  });

  it("passes over data, LCP echoes and messages that only acknowledge", () => {
    const { journal: quiet } = journal();
    quiet.ppp(1, false, Uint8Array.of(0x00, 0x21, 0x45));
    quiet.ppp(1, false, Uint8Array.of(0x21, 0x45));
    for (const kind of ["echo-request", "echo-reply", "discard-request"] as const)
      quiet.ppp(
        1,
        true,
        emitPpp(PPP_LCP, emitLcp({ kind, identifier: 1, magic: 0, data: new Uint8Array(0) })),
      );
    const zlb = new Uint8Array(L2TP_CONTROL_HEADER_BYTES);
    writeControlHeader(zlb, 7, 0, 0, 0);
    quiet.control(7, true, zlb, true);
    quiet.control(7, false, Uint8Array.of(0xc8, 2, 0, 20, 0, 7), true);
    expect(quiet.view().records).toBe(0);
  });

  it("cuts what is too long, and shows what is left of it", async () => {
    const { journal: long } = journal();
    const avps = {
      kind: "ICRQ",
      assignedSessionId: 9,
      callSerialNumber: 1,
      subAddress: "x".repeat(1000),
    } as const;
    const relayed = Array.from({ length: 3 }, (_, i) => ({
      vendor: 9,
      type: i,
      mandatory: false,
      value: new Uint8Array(900),
    }));
    long.note("tunnel-calling", { tunnel: 7 }, "lns", "192.0.2.1");
    long.control(7, true, control({ ...avps, avps: relayed }), true);
    long.note("tunnel-down", { tunnel: 7 }, "lns", "opening", "fault", "x".repeat(5000));
    expect(long.view().usedBytes).toBeLessThan(5000);
    expect((await long.explain({ tunnel: 7 })).headline.length).toBeLessThan(2100);
    long.note("call-placed", { session: 1, tunnel: 7, l2tpSession: 9 }, "lns");
    const { evidence } = await long.explain({ session: "s1" });
    expect(evidence.find(({ name }) => name === "ICRQ")?.text).toMatch(/; the rest was not kept$/);
  });

  it("of size 0 takes and knows nothing", async () => {
    const { journal: none } = journal(0);
    none.note("session-begun", { session: 1 }, "pppoe", "acc0", "5");
    none.discovery("acc0", false, fromHost({ code: PADI }));
    none.ppp(
      1,
      true,
      emitPpp(PPP_LCP, emitLcp({ kind: "terminate-request", identifier: 1, data: utf8("bye") })),
    );
    expect(none.view()).toEqual({ sizeBytes: 0, usedBytes: 0, records: 0, passedOver: 0 });
    expect(await none.explain({ session: "s1" })).toMatchObject({
      found: false,
      stoppedAt: "unheard",
      evidence: [],
    });
  });

  it("goes on in memory of another size with what fits", async () => {
    const { journal: one } = journal();
    for (let i = 1; i <= 1000; i++)
      one.note("session-begun", { session: i, mac: i }, "pppoe", "acc0", String(i));
    const before = await one.explain({ session: "s1000" });
    one.resize(2 * SIZE);
    expect(one.view().records).toBe(1000);
    expect(await one.explain({ session: "s1000" })).toEqual(before);
    one.resize(SIZE / 4);
    expect(await one.explain({ session: "s1000" })).toEqual(before);
    one.resize(0);
    expect(one.view().records).toBe(0);
    one.resize(SIZE);
    one.note("session-begun", { session: 1001 }, "pppoe", "acc0", "1");
    expect(one.view().records).toBe(1);
  });

  it("is read in less than 50 ms a turn when it is full, and lets others have theirs", async () => {
    const { journal: full } = journal(32 * 1024 * 1024);
    const frame = emitPpp(PPP_LCP, emitLcp({ kind: "configure-request", identifier: 1, options: [] }));
    while (full.view().usedBytes < 23 * 1024 * 1024)
      for (let i = 0; i < 10_000; i++) full.ppp(i + 2, true, frame);
    full.note("session-begun", { session: 1, mac: 5 }, "pppoe", "acc0", "5");
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 0);
    const story = await full.explain({ session: "s1" });
    clearInterval(timer);
    expect(story.found).toBe(true);
    expect(turns).toBeGreaterThan(3);
  });
});

describe("the journals of a LAC and an LNS", () => {
  it.each([
    ["chap", ""],
    ["pap", ""],
    ["ms-chap-v2", ""],
    ["pap", ", hide-avps: true"],
  ])("know who called by %s%s, and none of the secrets", async (method, hidden) => {
    const world = new World(14);
    const pair = await startPair(
      world,
      LAC_YAML.replace("interface: acc0", `interface: acc0, authentication: [${method}]`).replace(
        "secret: tunnel-secret",
        `secret: tunnel-secret${hidden}`,
      ),
      LNS_YAML.replace("role: lac", `role: lac, authentication: [${method}]`),
      USERS_YAML,
    );
    const alice = pair.side.subscriber(1, "alice@isp.example", "wonderland");
    const sent: Uint8Array[] = [];
    for (const node of [pair.lac, pair.lns])
      node.onTransmission = (each) => {
        if (each.kind === "datagram") sent.push(each.datagram);
      };
    alice.start();
    await world.until(() => pair.side.online.has(alice), 30_000);
    await world.pass(100);
    const story = async (node: Node) =>
      JSON.stringify(await node.journal.explain({ user: "alice@isp.example" }));
    for (const node of [pair.lac, pair.lns]) {
      expect(await node.journal.explain({ user: "alice@isp.example" })).toMatchObject({
        found: true,
        stoppedAt: "open",
      });
      for (const secret of ["wonderland", "tunnel-secret"]) {
        expect(await story(node)).not.toContain(secret);
        expect(holds(node.journal, utf8(secret))).toBe(false);
      }
    }
    // the challenge of the LAC's SCCRQ, and the LNS's answer to it
    const challenges = sent.flatMap((datagram) => valuesOf(datagram, [11, 13, 31, 33]));
    expect(challenges.length).toBeGreaterThan(2);
    for (const value of challenges)
      for (const node of [pair.lac, pair.lns]) expect(holds(node.journal, value)).toBe(false);
  });
});

/** Values of IETF AVPs of these types, in the clear. */
function valuesOf(datagram: Uint8Array, types: readonly number[]): Uint8Array[] {
  const values: Uint8Array[] = [];
  if ((datagram[0]! & 0x80) === 0) return values;
  for (let at = L2TP_CONTROL_HEADER_BYTES; at + 6 <= datagram.length; ) {
    const length = ((datagram[at]! & 3) << 8) | datagram[at + 1]!;
    if (length < 6) break;
    const isPlain = (datagram[at]! & 0x40) === 0 && datagram[at + 2] === 0 && datagram[at + 3] === 0;
    if (isPlain && length > 13 && types.includes(datagram[at + 5]!))
      values.push(datagram.slice(at + 6, at + length));
    at += length;
  }
  return values;
}
