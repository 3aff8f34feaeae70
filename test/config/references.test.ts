import { describe, expect, it } from "vitest";
import { ConfigFolder } from "./config-folder.ts";

function complaints(rest: string): string[] {
  return new ConfigFolder().complaints(`name: gw\n${rest}`).map((line) => line.replace("lacewing.yaml:", ""));
}

const listen = "listen: [{ address: 10.0.0.1 }]";

describe("a destination", () => {
  it("leads to a peer that is there", () => {
    expect(
      complaints(
        `l2tp: { ${listen}, peers: [{ name: lns1, address: 10.0.0.2 }] }\nrealms: { isp.example: { lns: lsn1 } }`,
      ),
    ).toEqual([
      '3:31: realms["isp.example"].lns: read "lsn1" (did you mean "lns1"?); allowed: a name in l2tp.peers: lns1',
    ]);
  });

  it("leads to a unit group that is there", () => {
    expect(complaints("default: { terminate: subs }")).toEqual([
      '2:23: default.terminate: read "subs"; allowed: a name in units, which is empty',
    ]);
    expect(complaints('services: { "": { terminate: subs } }')[0]).toMatch(
      /^2:30: services\[""\]\.terminate: /,
    );
  });

  it("is not a peer that only calls us", () => {
    expect(
      complaints(`l2tp: { ${listen}, peers: [{ name: lac1, role: lac }] }\ndefault: { lns: lac1 }`),
    ).toEqual([
      "3:17: default.lns: lac1 has the role lac: we do not call it; allowed: a peer with the role lns or both",
    ]);
  });

  it("is given once for a realm, in whatever case", () => {
    expect(complaints("realms: { a.example: { refuse: true }, A.example: { refuse: true } }")).toEqual([
      "2:40: realms: A.example and a.example are the same realm: case does not count",
    ]);
  });
});

describe("where the calls of a peer go", () => {
  const peers = (first: string, groups = "") =>
    complaints(
      `l2tp:\n  ${listen}\n  peers:\n    - { name: a, ${first} }\n    - { name: b, address: 10.0.0.3 }\n${groups}`,
    );

  it("is a destination like any other", () => {
    expect(peers("role: lac, destination: { lns: b }")).toEqual([]);
    expect(peers("role: lac, destination: { lns: c }")).toEqual([
      '5:49: l2tp.peers[0].destination.lns: read "c" (did you mean "b"?); allowed: a name in l2tp.peers: b',
    ]);
  });

  it("is said of peers that call us", () => {
    expect(peers("address: 10.0.0.2, destination: { lns: b }")).toEqual([
      "5:37: l2tp.peers[0].destination: it does not call us; allowed: for a peer with the role lac or both",
    ]);
  });

  it("is not where they came from", () => {
    const both = "role: both, address: 10.0.0.2, destination";
    const text = "by which its calls would go back to it; allowed: another LNS";
    expect(peers(`${both}: { lns: a }`)).toEqual([`5:69: l2tp.peers[0].destination.lns: read "a", ${text}`]);
    const group = (members: string) => `lns-groups: { g: { members: [${members}] } }`;
    expect(peers(`${both}: { lns: g }`, group("{ peer: a }"))[0]).toContain(`read "g", ${text}`);
    expect(peers(`${both}: { lns: g }`, group("{ peer: a }, { peer: b }"))).toEqual([]);
  });

  it("takes with it what the LNS is to be told of them, each AVP by a word that it can have", () => {
    expect(peers("address: 10.0.0.2, switch-avps: { calling-number: keep, proxy-lcp: regenerate }")).toEqual([
      '5:68: l2tp.peers[0].switch-avps.calling-number: read "keep"; allowed: one of relay, regenerate, drop',
      '5:85: l2tp.peers[0].switch-avps.proxy-lcp: read "regenerate"; allowed: one of relay, drop',
    ]);
  });
});

describe("a peer", () => {
  const peer = (text: string) => complaints(`l2tp:\n  ${listen}\n  peers:\n    - { name: a, ${text} }`);

  it.each([
    ["role: both", "5:7: l2tp.peers[0]: address is missing: we call a peer with the role both"],
    ["role: lac, hide-avps: true", "5:40: l2tp.peers[0]: hide-avps needs a secret or a secret-file"],
    [
      'address: "2001:db8::1", udp-checksum: false',
      "5:56: l2tp.peers[0].udp-checksum: UDP over IPv6 always has checksums; allowed: true",
    ],
    [
      "role: lac, secret: a, secret-file: lacewing.yaml",
      "5:37: l2tp.peers[0]: secret and secret-file are both there; allowed: one of them",
    ],
  ])("with %s cannot work", (text, complaint) => {
    expect(peer(text)).toContain(complaint);
  });

  it("cannot be spoken with from nowhere", () => {
    expect(complaints("l2tp: { peers: [{ name: a, role: lac }] }")).toEqual([
      "2:1: l2tp: listen is missing: peers are spoken with from a local address",
    ]);
  });

  it("has a name of its own, and can be told from the others when it calls", () => {
    expect(
      complaints(
        `l2tp:\n  ${listen}\n  peers:\n    - { name: a, role: lac, host-name: x }\n    - { name: a, role: lac }\n    - { name: b, role: both, address: 10.0.0.9, host-name: x }\n    - { name: c, role: lac, host-name: x }`,
      ),
    ).toEqual([
      "6:15: l2tp.peers[1]: a is there twice, first as l2tp.peers[0]",
      "8:15: l2tp.peers[3]: the peer with host-name x is there twice, first as l2tp.peers[0]",
    ]);
  });
});

describe("interfaces and local addresses", () => {
  it("are there once", () => {
    expect(complaints("access: [{ interface: a }, { interface: a }]")).toEqual([
      "2:41: access[1]: a is there twice, first as access[0]",
    ]);
    expect(
      complaints(
        "l2tp: { listen: [{ address: 10.0.0.1 }, { address: 10.0.0.1, port: 1701 }, { address: 10.0.0.1, interface: v }] }",
      ),
    ).toEqual(["2:52: l2tp.listen[1]: 10.0.0.1 port 1701 is there twice, first as l2tp.listen[0]"]);
  });
});

describe("a unit group", () => {
  const unit = (text: string) =>
    complaints(`units: { a: { address: 10.0.0.1, ${text} } }`).map((line) => line.replace(/^[\d:]+ /, ""));

  it.each([
    [
      "name: sub",
      'units.a.name: read "sub"; allowed: a name with %d, because every session has its own device',
    ],
    [
      "name: sub%d, mode: shared",
      'units.a.name: read "sub%d"; allowed: a name without %d, because all sessions share one device',
    ],
    [
      "name: subscribers%d",
      'units.a.name: read "subscribers%d"; allowed: at most 15 characters, %d counting as 6',
    ],
    [
      "name: subscri%dber",
      'units.a.name: read "subscri%dber"; allowed: at most 15 characters, %d counting as 6',
    ],
    [
      "name: s%d, ipv6: true, mtu: 1279",
      "units.a.mtu: read 1279; allowed: at least 1280 with ipv6 (RFC 8200 §5)",
    ],
  ])("with %s cannot work", (text, complaint) => {
    expect(unit(text)).toEqual([complaint]);
  });

  it("shares no device and no address with another one in its network namespace", () => {
    const group = (name: string, pool: string, netns = "") =>
      `  ${name}: { name: s%d, address: 10.0.0.1, pool: ${pool}${netns} }`;
    expect(
      complaints(
        [
          "units:",
          group("a", "[10.1.0.0/16, 10.3.0.0/16]"),
          group("b", "10.1.255.0-10.2.0.9"),
          group("c", "10.1.0.0/16", ", netns: core"),
        ].join("\n"),
      ),
    ).toEqual([
      '4:14: units.b.name: read "s%d", which units.a has too',
      '4:44: units.b.pool: read "10.1.255.0-10.2.0.9", which overlaps with 10.1.0.0/16 of units.a.pool[0]',
    ]);
  });
});
