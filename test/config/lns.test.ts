import { describe, expect, it } from "vitest";
import { ConfigFolder } from "./config-folder.ts";

const PEERS = `l2tp:
  listen: [{ address: 10.0.0.1 }]
  peers:
    - { name: lns1, address: 10.0.0.11 }
    - { name: lns2, address: 10.0.0.12 }
    - { name: lac1, role: lac, host-name: lac1 }
`;

/** What is said about `rest`, which starts in line 8. */
function complaints(rest: string): string[] {
  const text = `name: gw\n${PEERS}${rest}`;
  return new ConfigFolder().complaints(text).map((line) => line.replace("lacewing.yaml:", ""));
}

describe("a group of LNSes", () => {
  it("has defaults for everything but its members, and destinations name it as they name a peer", () => {
    const config = new ConfigFolder().load(`name: gw
${PEERS}
lns-groups: { wholesale: { members: [{ peer: lns1 }, { peer: lns2, preference: 1, weight: 5 }] } }
realms: { a.example: { lns: wholesale }, b.example: { lns: lns1, session-timeout: 24h, idle-timeout: 30m } }
`);
    expect(config.lnsGroups.get("wholesale")).toEqual({
      members: [
        { peer: "lns1", preference: 0, weight: 1 },
        { peer: "lns2", preference: 1, weight: 5 },
      ],
      strategy: "weight",
      lockoutMs: 300_000,
      lockoutOnCdn: false,
    });
    expect(config.realms.get("a.example")).toEqual({ kind: "lns", lns: "wholesale" });
    expect(config.realms.get("b.example")).toEqual({
      kind: "lns",
      lns: "lns1",
      sessionTimeoutMs: 86_400_000,
      idleTimeoutMs: 1_800_000,
    });
  });

  it.each([
    [
      "{ members: [{ peer: lsn1 }] }",
      '8:38: lns-groups.g.members[0].peer: read "lsn1" (did you mean "lns1"?); allowed: a name in l2tp.peers: lns1, lns2',
    ],
    [
      "{ members: [{ peer: lac1 }] }",
      "8:38: lns-groups.g.members[0].peer: lac1 has the role lac: we do not call it; allowed: a peer with the role lns or both",
    ],
    [
      "{ members: [{ peer: lns1 }, { peer: lns1 }] }",
      "8:54: lns-groups.g.members[1].peer: lns1 is there twice",
    ],
    ["{ members: [] }", "8:29: lns-groups.g.members: read a list; allowed: a list of at least one member"],
    ["{ strategy: weight }", "8:15: lns-groups.g: members is missing: a list of members, each with a peer"],
    [
      "{ members: [{ peer: lns1 }], strategy: session }",
      '8:57: lns-groups.g.strategy: read "session" (did you mean "sessions"?); allowed: one of weight, sessions',
    ],
    [
      "{ members: [{ peer: lns1, wieght: 2 }] }",
      '8:44: lns-groups.g.members[0]: unknown key "wieght" (did you mean "weight"?); allowed: peer, preference, weight',
    ],
  ])("%s is told with what is wrong", (group, complaint) => {
    expect(complaints(`lns-groups: { g: ${group} }`)).toEqual([complaint]);
  });

  it("has a name that no peer has", () => {
    expect(complaints("lns-groups: { lns1: { members: [{ peer: lns2 }] } }")).toEqual([
      "8:15: lns-groups.lns1: an L2TP peer has the same name; allowed: a name of its own, since destinations name either",
    ]);
  });

  it("is looked for where a destination leads to something that is not there", () => {
    expect(
      complaints("lns-groups: { wholesale: { members: [{ peer: lns2 }] } }\ndefault: { lns: wholesael }"),
    ).toEqual([
      '9:17: default.lns: read "wholesael" (did you mean "wholesale"?); allowed: a name in l2tp.peers or lns-groups: lns1, lns2, wholesale',
    ]);
  });
});

describe("a line", () => {
  const VLANS = "a VLAN id from 1 to 4094 (100), a range (100-199) or a list of them";

  it("says its VLANs as a number, a range or a list", () => {
    const config = new ConfigFolder().load(`name: gw
access: [{ interface: acc0 }]
lines:
  - { interface: acc0, vlans: 100, to: { refuse: true } }
  - { vlans: [1-9, 20], outer-vlans: 4000-4094, to: { refuse: true } }
`);
    expect(config.lines).toMatchObject([
      { interface: "acc0", vlans: [{ first: 100, last: 100 }] },
      {
        vlans: [
          { first: 1, last: 9 },
          { first: 20, last: 20 },
        ],
        outerVlans: [{ first: 4000, last: 4094 }],
      },
    ]);
  });

  it.each([
    ["{ vlans: 0, to: { refuse: true } }", `8:18: lines[0].vlans: read 0; allowed: ${VLANS}`],
    ["{ vlans: 20-10, to: { refuse: true } }", `8:18: lines[0].vlans: read "20-10"; allowed: ${VLANS}`],
    [
      "{ outer-vlans: [5, 4095], to: { refuse: true } }",
      `8:24: lines[0].outer-vlans: read a list; allowed: ${VLANS}`,
    ],
    [
      "{ to: { refuse: true } }",
      "8:9: lines[0]: every subscriber's line is meant; allowed: at least one of interface, vlans and outer-vlans",
    ],
    [
      "{ interface: acc0, to: { refuse: true } }",
      '8:22: lines[0].interface: read "acc0"; allowed: a name in access, which is empty',
    ],
    [
      "{ vlans: 7, to: { lns: lns3 } }",
      '8:32: lines[0].to.lns: read "lns3" (did you mean "lns1"?); allowed: a name in l2tp.peers: lns1, lns2',
    ],
    [
      "{ vlans: 7, to: { refuse: true, idle-timeout: 1h } }",
      "8:41: lines[0].to: idle-timeout means nothing with refuse: there is no session",
    ],
  ])("%s is told with what is wrong", (line, complaint) => {
    expect(complaints(`lines: [${line}]`)).toEqual([complaint]);
  });
});

describe("a peer's policy", () => {
  const peer = (keys: string): string[] =>
    new ConfigFolder()
      .complaints(
        `name: gw\nl2tp:\n  listen: [{ address: 10.0.0.1 }]\n  peers:\n    - { name: a, address: 10.0.0.9, ${keys} }`,
      )
      .map((line) => line.replace(/^lacewing.yaml:5:\d+: l2tp\.peers\[0\]/, ""));

  it("has defaults that an operator expects", () => {
    const text = `name: gw\nl2tp: { listen: [{ address: 10.0.0.1 }], peers: [{ name: a, address: 10.0.0.9 }] }`;
    expect(new ConfigFolder().load(text).l2tp.peers[0]).toMatchObject({
      sequencing: "follow",
      dscp: 0,
      maxSessions: 65_535,
      tunnelIdleTimeoutMs: 60_000,
      tieBreaker: false,
      unknownMandatoryAvp: "refuse",
      retransmissions: 5,
      connectSpeed: { from: "line" },
      accessLineAvps: true,
      proxy: "accept",
    });
  });

  it("takes never for an idle timeout", () => {
    expect(peer("tunnel-idle-timeout: never")).toEqual([]);
  });

  it.each([
    ["dscp: 64", ".dscp: read 64; allowed: a whole number from 0 to 63"],
    [
      "sequencing: always",
      ".sequencing: we are its LAC; allowed: never, follow, or required, by which we ask for them",
    ],
    [
      "role: lac, sequencing: required",
      ".sequencing: it is our LAC: Sequencing Required is its to send; allowed: never, follow, always",
    ],
    ["tie-breaker: true, max-tunnels: 2", ".max-tunnels: a tie-breaker asks for a single tunnel; allowed: 1"],
    [
      "source-address: 10.0.0.2",
      ".source-address: read 10.0.0.2; allowed: an address of l2tp.listen, where 0.0.0.0 is every one",
    ],
    [
      "connect-speed: fast",
      '.connect-speed: read "fast"; allowed: line, port, or a rate in bit/s such as 512k, 100M or 1G',
    ],
    [
      "tunnel-idle-timeout: 5",
      ".tunnel-idle-timeout: read 5; allowed: a duration such as 500ms, 60s, 5m or 1h, from 1s to 24h, or never",
    ],
    [
      'calling-number: "{mac} {circiut-id}"',
      '.calling-number: read "{mac} {circiut-id}"; allowed: 1 to 128 printable characters, with {mac}, {interface}, {vlan}, {outer-vlan}, {circuit-id}, {remote-id}, {name} for what is known of the line; {circiut-id} is none of them (did you mean "{circuit-id}"?)',
    ],
  ])("%s is told with what is wrong", (keys, complaint) => {
    expect(peer(keys)).toEqual([complaint]);
  });
});
