import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readU16, writeU16 } from "../../src/base/bytes.ts";
import {
  XDP_CHAIN_MAX,
  XDP_CHANNEL_SEQUENCED,
  XDP_INTERFACE_NEEDS_CHECKSUM,
  XDP_INTERFACE_NEEDS_LENGTH,
  XDP_PASS,
  XDP_PEER_KEEP_ID,
  XDP_PEER_SUM_ALL,
  XDP_REDIRECT,
} from "../../src/io/xdp.ts";
import { addToSum, checksumOf } from "../../src/wire/checksum.ts";
import { type EthernetSide, received, sent, type UdpSide } from "./xdp-frames.ts";
import { PPP_FRAMES, pppFrame } from "./xdp-packets.ts";
import { loadXdp, SIZES, withoutXdp, XdpSite } from "./xdp-site.ts";

const TAGS = [
  [],
  [{ tpid: 0x8100, tci: 0x2064 }],
  [
    { tpid: 0x88a8, tci: 7 },
    { tpid: 0x8100, tci: 0xefff },
  ],
];
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 0x99);
const IPV4_PEER = Uint8Array.of(198, 51, 100, 9);
const IPV6_PEER = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0xff, 0xee, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd);

let ids = 0;

function subscriber(changes: Partial<EthernetSide> = {}): EthernetSide {
  ids += 1;
  return { kind: "ethernet", remoteMac: MAC, tags: [], sessionId: ids, ...changes };
}

function tunnel(changes: Partial<UdpSide> = {}): UdpSide {
  ids += 1;
  const framing = { lengthBit: true, addressControl: true, checksum: true, dscp: 10 };
  return {
    kind: "udp",
    remoteMac: Uint8Array.of(2, 0, 0, 0, 0, 0x77),
    tags: [],
    remote: IPV4_PEER,
    remotePort: 1701,
    localTunnelId: 0x1200 + (ids & 7),
    localSessionId: (ids * 251) & 0xffff,
    remoteTunnelId: 0xfe00 + ids,
    remoteSessionId: 0x8000 + ids,
    ...framing,
    ...changes,
  };
}

/** A tunnel of each shape: which parts its headers have. */
const anyTunnel = fc.record({
  tags: fc.constantFrom(...TAGS),
  remote: fc.constantFrom(IPV4_PEER, IPV6_PEER),
  remotePort: fc.constantFrom(1701, 40_001),
  lengthBit: fc.boolean(),
  addressControl: fc.boolean(),
  checksum: fc.boolean(),
  dscp: fc.constantFrom(0, 46),
});
const anySubscriber = fc.record({ tags: fc.constantFrom(...TAGS) });
/** What the sender may do as it likes. */
const anySending = fc.record({
  addressControl: fc.boolean(),
  lengthBit: fc.boolean(),
  checksum: fc.boolean(),
});

/** As it is with CAP_PERFMON, and as it is without. */
const VARIANTS = [
  ["quick", false],
  ["plain", true],
] as const;

describe.skipIf(withoutXdp !== undefined).each(VARIANTS)("the %s XDP program", (_variant, plain) => {
  let site: XdpSite;
  beforeAll(() => {
    site = new XdpSite(loadXdp(SIZES, plain));
  });
  afterAll(() => site.program.close());

  function expectForwarded(frame: Uint8Array, expected: Uint8Array): void {
    const verdict = site.run(frame);
    expect(verdict.action).toBe(XDP_REDIRECT);
    expect(Buffer.from(verdict.frame).toString("hex")).toBe(Buffer.from(expected).toString("hex"));
  }

  function expectLeft(frame: Uint8Array): void {
    const verdict = site.run(frame);
    expect(verdict.action).toBe(XDP_PASS);
    expect(verdict.frame).toEqual(frame);
  }

  it("carries every PPP frame from PPPoE to L2TP, with a UDP checksum like the one of all its octets", () => {
    fc.assert(
      fc.property(anySubscriber, anyTunnel, pppFrame, (s, t, [, ppp]) => {
        const a = subscriber(s);
        const b = tunnel(t);
        site.bridge(a, b);
        expectForwarded(received(a, ppp), sent(b, ppp));
      }),
      { numRuns: 200 },
    );
  });

  it.each(Object.entries(PPP_FRAMES))("sums %s as its octets say", (_, frames) => {
    const a = subscriber();
    const b = tunnel();
    const c = tunnel({ remote: IPV6_PEER });
    const d = subscriber();
    site.bridge(a, b);
    site.bridge(c, d);
    fc.assert(
      fc.property(frames, (ppp) => {
        expectForwarded(received(a, ppp), sent(b, ppp));
        expectForwarded(received(c, ppp), sent(d, ppp));
      }),
      { numRuns: 25 },
    );
  });

  it("carries every PPP frame from L2TP to PPPoE, with and without FF03, length and checksum", () => {
    fc.assert(
      fc.property(anySubscriber, anyTunnel, anySending, pppFrame, (s, t, sending, [, ppp]) => {
        // without FF03 before it, one that begins so would lose it
        fc.pre(sending.addressControl || readU16(ppp, 0) !== 0xff03);
        const a = subscriber(s);
        const b = tunnel(t);
        site.bridge(a, b);
        const frame = received(b, ppp, { ...sending, checksum: sending.checksum || b.remote.length === 16 });
        expectForwarded(frame, sent(a, ppp));
      }),
      { numRuns: 200 },
    );
  });

  it("carries every PPP frame from one tunnel to another", () => {
    fc.assert(
      fc.property(anyTunnel, anyTunnel, anySending, pppFrame, (s, t, sending, [, ppp]) => {
        fc.pre(sending.addressControl || readU16(ppp, 0) !== 0xff03);
        const a = tunnel(s);
        const b = tunnel(t);
        site.bridge(a, b);
        const frame = received(a, ppp, { ...sending, checksum: sending.checksum || a.remote.length === 16 });
        expectForwarded(frame, sent(b, ppp));
      }),
      { numRuns: 200 },
    );
  });

  it("trims the padding of short frames, and leaves alone what has more of it", () => {
    const a = subscriber({ tags: TAGS[1]! });
    const b = tunnel();
    site.bridge(a, b);
    const lcp = Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4);
    for (const padding of [1, 2, 3, 30, 46, 63]) {
      expectForwarded(received(a, lcp, { padding }), sent(b, lcp));
      expectForwarded(received(b, lcp, { padding }), sent(a, lcp));
    }
    const long = new Uint8Array(1400).fill(7);
    expectForwarded(received(a, long, { padding: 5 }), sent(b, long));
  });

  it("sums to the last octet, odd or even, up to the longest frame", () => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b, { maxPpp: 4000, flags: XDP_PEER_KEEP_ID });
    for (let length = 4; length < 2010; length += 13) {
      const ppp = Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff);
      expectForwarded(received(a, ppp), sent(b, ppp));
    }
    expectLeft(received(a, new Uint8Array(2100)));
  });

  it("sums every octet where it is told to, and trusts the inner checksum elsewhere", () => {
    const a = subscriber();
    const trusting = tunnel();
    const b = subscriber();
    const summing = tunnel();
    site.bridge(a, trusting);
    site.bridge(b, summing, { flags: XDP_PEER_KEEP_ID | XDP_PEER_SUM_ALL });
    const ppp = fc.sample(PPP_FRAMES["TCP over IPv4"]!, { numRuns: 1, seed: 1 })[0]!;
    ppp[ppp.length - 1]! ^= 0x55;
    expectForwarded(received(b, ppp), sent(summing, ppp));
    const expected = sent(trusting, ppp);
    const { frame } = site.run(received(a, ppp));
    expect(readU16(frame, 40)).not.toBe(readU16(expected, 40));
    writeU16(frame, 40, readU16(expected, 40));
    expect(frame).toEqual(expected);
  });

  it("gives every IPv4 packet another identification, unless told to leave it 0", () => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b, { flags: 0 });
    const seen = new Set<number>();
    const ppp = new Uint8Array(50);
    for (let i = 0; i < 1000; i++) {
      const { action, frame } = site.run(received(a, ppp));
      expect(action).toBe(XDP_REDIRECT);
      seen.add(readU16(frame, 18));
    }
    expect(seen.size).toBe(1000);
  });

  it("counts frames, octets and control frames by channel", () => {
    const a = subscriber();
    const b = tunnel();
    const [x, y] = site.bridge(a, b);
    for (let i = 0; i < 3; i++) site.run(received(a, Uint8Array.of(0xc0, 0x21, 9, 1, 0, 4)));
    site.run(received(a, new Uint8Array(100)));
    site.run(received(b, new Uint8Array(200)));
    expect(site.counters(x)).toEqual({ frames: 4, octets: 118, control: 3 });
    expect(site.counters(y)).toEqual({ frames: 1, octets: 200, control: 0 });
  });

  it("tells sessions of one id apart by their tags and addresses", () => {
    const session = { sessionId: 0x4321 };
    const others = [
      subscriber(session),
      subscriber({ ...session, tags: TAGS[1]! }),
      subscriber({ ...session, tags: TAGS[2]! }),
      subscriber({ ...session, remoteMac: Uint8Array.of(2, 0, 0, 0, 1, 1) }),
    ];
    const tunnels = others.map(() => tunnel());
    for (const [i, a] of others.entries()) site.bridge(a, tunnels[i]!);
    const ppp = new Uint8Array(64);
    for (const [i, a] of others.entries()) expectForwarded(received(a, ppp), sent(tunnels[i]!, ppp));
    // another priority is the same VLAN
    const priority = received(others[1]!, ppp);
    priority[14]! ^= 0xf0;
    expectForwarded(priority, sent(tunnels[1]!, ppp));
    expectLeft(received({ ...others[0]!, remoteMac: Uint8Array.of(2, 0, 0, 0, 1, 2) }, ppp));
  });

  it("looks at so many sessions of one id and leaves further ones alone", () => {
    const scopes = Array.from({ length: XDP_CHAIN_MAX + 1 }, (_, i) =>
      subscriber({ sessionId: 0x6543, tags: [{ tpid: 0x8100, tci: i }] }),
    );
    const tunnels = scopes.map(() => tunnel());
    for (const [i, a] of scopes.entries()) site.bridge(a, tunnels[i]!);
    const ppp = new Uint8Array(64);
    // the last one that was added is the first
    expectLeft(received(scopes[0]!, ppp));
    for (let i = 1; i < scopes.length; i++)
      expectForwarded(received(scopes[i]!, ppp), sent(tunnels[i]!, ppp));
  });

  it("leaves both ends of a bridge to the system once a message with a sequence number came", () => {
    const a = subscriber();
    const b = tunnel();
    const channels = site.bridge(a, b);
    const ppp = new Uint8Array(64);
    expectForwarded(received(b, ppp), sent(a, ppp));
    const sequenced = received(b, ppp);
    sequenced[14 + 28]! |= 0x08;
    const forged = sequenced.slice();
    forged[14 + 12]! ^= 1;
    fixIpv4(forged);
    expectLeft(forged);
    expectForwarded(received(b, ppp), sent(a, ppp));
    expectLeft(sequenced);
    for (const channel of channels) expect(site.flags(channel) & XDP_CHANNEL_SEQUENCED).not.toBe(0);
    expectLeft(received(b, ppp));
    expectLeft(received(a, ppp));
  });

  it("leaves messages without a length alone where several may look like one", () => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b);
    const ppp = new Uint8Array(64);
    site.setInterface(XDP_INTERFACE_NEEDS_LENGTH);
    expectLeft(received(b, ppp, { lengthBit: false }));
    expectForwarded(received(b, ppp), sent(a, ppp));
    site.setInterface(0);
    expectForwarded(received(b, ppp, { lengthBit: false }), sent(a, ppp));
  });

  it("leaves messages alone whose checksum is left to a device, where that would be done to what it sends", () => {
    const ppp = new Uint8Array(64);
    for (const remote of [IPV4_PEER, IPV6_PEER]) {
      const a = subscriber();
      const b = tunnel({ remote });
      site.bridge(a, b);
      const whole = received(b, ppp);
      const partial = whole.slice();
      const udp = 14 + (remote.length === 4 ? 20 : 40);
      const addresses = whole.slice(udp - 2 * remote.length, udp);
      const length = readU16(whole, udp + 4);
      const pseudoHeader = addToSum(17 + length, addresses, 0, addresses.length);
      writeU16(partial, udp + 6, ~checksumOf(pseudoHeader) & 0xffff);
      site.setInterface(XDP_INTERFACE_NEEDS_CHECKSUM);
      expectLeft(partial);
      expectForwarded(whole, sent(a, ppp));
      if (remote.length === 4) expectForwarded(received(b, ppp, { checksum: false }), sent(a, ppp));
      site.setInterface(0);
      expectForwarded(partial, sent(a, ppp));
    }
  });

  it("leaves everything alone on an interface that is not ours, or not for that", () => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b);
    const ppp = new Uint8Array(64);
    for (const use of [{ port: 0 }, { port: 2 }, { domain: 0 }, { domain: 8 }, { mac: MAC }]) {
      site.setInterface(0, use);
      if ("port" in use) expectLeft(received(a, ppp));
      else expectLeft(received(b, ppp));
    }
    site.setInterface(0);
    expectForwarded(received(a, ppp), sent(b, ppp));
  });

  it.each<[string, object]>([
    ["too big for the peer", { maxPpp: 63 }],
    ["to a peer whose next hop is not known", { ifindex: 0 }],
    ["to a device that frames may not leave by, or that is gone", { ifindex: 2 }],
    ["to a device beyond the table", { ifindex: SIZES.interfaces }],
  ])("leaves what is %s alone", (_, options) => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b, { flags: XDP_PEER_KEEP_ID, ...options });
    expectLeft(received(a, new Uint8Array(64)));
    expectLeft(received(b, new Uint8Array(64)));
  });

  /** Offsets in an Ethernet frame without tags. */
  const IP = 14;
  const UDP = IP + 20;
  const L2TP = UDP + 8;
  const IPV6_UDP = IP + 40;

  it.each<[string, (frame: Uint8Array) => Uint8Array]>([
    ["of another PPPoE version", (frame) => changed(frame, 14, 0x21)],
    ["of PPPoE discovery's codes", (frame) => changed(frame, 15, 0xa7)],
    ["of an unknown session", (frame) => changed(frame, 17, frame[17]! ^ 0x80)],
    ["from another station", (frame) => changed(frame, 11, 1)],
    ["to another station", (frame) => changed(frame, 5, 1)],
    ["shorter than PPPoE says", (frame) => frame.subarray(0, frame.length - 1)],
    ["of PPPoE length 0", (frame) => changed(changed(frame, 18, 0), 19, 0)],
    ["PPPoE discovery", (frame) => changed(frame, 13, 0x63)],
    ["cut within PPPoE's header", (frame) => frame.subarray(0, 18)],
    ["cut within Ethernet's", (frame) => frame.subarray(0, 14)],
    ["of PPPoE with another tag", (frame) => withTag(frame, 0x8100)],
    ["under three tags", (frame) => withTag(withTag(withTag(frame, 0x8100), 0x8100), 0x88a8)],
    ["ARP", (frame) => changed(changed(frame, 12, 8), 13, 6)],
  ])("leaves frames %s alone", (_, change) => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b);
    const ppp = new Uint8Array(64);
    expectForwarded(received(a, ppp), sent(b, ppp));
    expectLeft(change(received(a, ppp)));
  });

  it.each<[string, (frame: Uint8Array) => Uint8Array]>([
    ["with a wrong IPv4 checksum", (frame) => changed(frame, IP + 10, frame[IP + 10]! ^ 1)],
    ["with IPv4 options", (frame) => fixIpv4(changed(frame, IP, 0x46))],
    ["that are first fragments", (frame) => fixIpv4(changed(frame, IP + 6, 0x20))],
    ["that are later fragments", (frame) => fixIpv4(changed(frame, IP + 7, 1))],
    ["that are TCP", (frame) => fixIpv4(changed(frame, IP + 9, 6))],
    ["to another address", (frame) => fixIpv4(changed(frame, IP + 19, 99))],
    ["from another address", (frame) => fixIpv4(changed(frame, IP + 15, 99))],
    ["to another port", (frame) => changed(frame, UDP + 3, 99)],
    ["from another port", (frame) => changed(frame, UDP + 1, 99)],
    ["with another UDP length", (frame) => changed(frame, UDP + 5, frame[UDP + 5]! - 1)],
    ["shorter than IPv4 says", (frame) => frame.subarray(0, frame.length - 1)],
    ["of L2TP control", (frame) => changed(frame, L2TP, 0xc8)],
    ["with an offset", (frame) => changed(frame, L2TP, 0x42)],
    ["of another L2TP version", (frame) => changed(frame, L2TP + 1, 3)],
    ["with another L2TP length", (frame) => changed(frame, L2TP + 3, frame[L2TP + 3]! - 1)],
    ["of an unknown tunnel", (frame) => changed(frame, L2TP + 4, 0xee)],
    ["of an unknown session", (frame) => changed(frame, L2TP + 6, frame[L2TP + 6]! ^ 0x80)],
    ["to another station", (frame) => changed(frame, 5, 1)],
    ["with a tag", (frame) => withTag(frame, 0x8100)],
    ["cut within UDP", (frame) => frame.subarray(0, UDP + 4)],
  ])("leaves L2TP over IPv4 %s alone", (_, change) => {
    const a = subscriber();
    const b = tunnel();
    site.bridge(a, b);
    const ppp = new Uint8Array(64);
    expectForwarded(received(b, ppp), sent(a, ppp));
    expectLeft(change(received(b, ppp)));
  });

  it.each<[string, (frame: Uint8Array) => Uint8Array]>([
    ["with an extension header", (frame) => changed(frame, IP + 6, 0)],
    ["without a UDP checksum", (frame) => changed(changed(frame, IPV6_UDP + 6, 0), IPV6_UDP + 7, 0)],
    ["from another address", (frame) => changed(frame, IP + 23, 99)],
    ["to another address", (frame) => changed(frame, IP + 39, 99)],
    ["shorter than IPv6 says", (frame) => frame.subarray(0, frame.length - 1)],
    ["with another IPv6 length", (frame) => changed(frame, IP + 5, frame[IP + 5]! - 1)],
  ])("leaves L2TP over IPv6 %s alone", (_, change) => {
    const a = subscriber();
    const b = tunnel({ remote: IPV6_PEER });
    site.bridge(a, b);
    const ppp = new Uint8Array(64);
    expectForwarded(received(b, ppp), sent(a, ppp));
    expectLeft(change(received(b, ppp)));
  });

  it("leaves whatever it does not forward as it came", () => {
    const a = subscriber({ tags: TAGS[2]! });
    const b = tunnel();
    const c = tunnel({ remote: IPV6_PEER, lengthBit: false });
    const d = subscriber();
    site.bridge(a, b);
    site.bridge(c, d);
    const sides = [a, b, c, d];
    const mutation = fc.record({
      at: fc.integer({ min: 0, max: 120 }),
      octet: fc.integer({ min: 0, max: 255 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...sides),
        pppFrame,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 60 }),
        (side, [, ppp], mutations, cut) => {
          const frame = received(side, ppp);
          for (const { at, octet } of mutations) if (at < frame.length) frame[at] = octet;
          const shorter = frame.subarray(0, Math.max(14, frame.length - cut));
          const verdict = site.run(shorter);
          if (verdict.action === XDP_PASS) expect(verdict.frame).toEqual(shorter);
          else expect(verdict.action).toBe(XDP_REDIRECT);
        },
      ),
      { numRuns: 200 },
    );
  });
});

function changed(frame: Uint8Array, at: number, octet: number): Uint8Array {
  const copy = frame.slice();
  copy[at] = octet;
  return copy;
}

/** Makes the IPv4 header's checksum right again. */
function fixIpv4(frame: Uint8Array): Uint8Array {
  const at = 14;
  writeU16(frame, at + 10, 0);
  let sum = 0;
  for (let i = 0; i < (frame[at]! & 15) * 4; i += 2) sum += readU16(frame, at + i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  writeU16(frame, at + 10, ~sum & 0xffff);
  return frame;
}

function withTag(frame: Uint8Array, tpid: number): Uint8Array {
  const tagged = new Uint8Array(frame.length + 4);
  tagged.set(frame.subarray(0, 12));
  writeU16(tagged, 12, tpid);
  tagged.set(frame.subarray(12), 16);
  return tagged;
}
