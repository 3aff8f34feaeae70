import { describe, expect, it } from "vitest";
import { ConfigFolder } from "./config-folder.ts";

/** What is said about a configuration of a name and `rest`, which starts in line 2. */
function complaints(rest: string): string[] {
  return new ConfigFolder().complaints(`name: gw\n${rest}`);
}

describe("an unknown key", () => {
  it("is named with its place, what was probably meant and what is allowed", () => {
    expect(complaints("log: { levl: debug }")).toEqual([
      'lacewing.yaml:2:8: log: unknown key "levl" (did you mean "level"?); allowed: level',
    ]);
  });

  it("is only named when nothing is near", () => {
    expect(complaints("log: { colour: true }")).toEqual([
      'lacewing.yaml:2:8: log: unknown key "colour"; allowed: level',
    ]);
  });
});

describe("a wrong value", () => {
  it.each([
    [
      "log: { level: wran }",
      '2:15: log.level: read "wran" (did you mean "warn"?); allowed: one of debug, info, warn, error',
    ],
    ["log: 7", "2:6: log: read 7; allowed: a mapping with the keys level"],
    ["log:", "2:5: log: read nothing; allowed: a mapping with the keys level"],
    [
      "data-plane: { workers: 0x100 }",
      "2:24: data-plane.workers: read 0x100; allowed: a whole number from 1 to 64",
    ],
    [
      "data-plane: { workers: 1.5 }",
      "2:24: data-plane.workers: read 1.5; allowed: a whole number from 1 to 64, or auto",
    ],
    [
      "data-plane: { workers: two }",
      '2:24: data-plane.workers: read "two"; allowed: a whole number from 1 to 64, or auto',
    ],
    ["access: acc0", '2:9: access: read "acc0"; allowed: a list of access interfaces'],
    [
      "access: [{ interface: a/b }]",
      '2:23: access[0].interface: read "a/b"; allowed: a device name of at most 15 characters without blanks, /, : and %',
    ],
    [
      "access: [{ interface: a, any-service-name: yes }]",
      '2:44: access[0].any-service-name: read "yes"; allowed: true or false',
    ],
    [
      "access: [{ interface: a, authentication: [chop] }]",
      '2:43: access[0].authentication[0]: read "chop" (did you mean "chap"?); allowed: one of chap, ms-chap-v2, pap',
    ],
    [
      "access: [{ interface: a, authentication: [chap, chap] }]",
      "2:42: access[0].authentication: read a list; allowed: a list of 1 to 3 of chap, ms-chap-v2 and pap, each once",
    ],
    [
      "l2tp: { listen: [{ address: 010.0.0.1 }] }",
      '2:29: l2tp.listen[0].address: read "010.0.0.1"; allowed: an IPv4 or IPv6 address',
    ],
    [
      "default: { lns: a, terminate: b }",
      "2:10: default: read a mapping; allowed: exactly one of lns: PEER-OR-GROUP, terminate: UNIT-GROUP and refuse: true",
    ],
    [
      "default: {}",
      "2:10: default: read a mapping; allowed: exactly one of lns: PEER-OR-GROUP, terminate: UNIT-GROUP and refuse: true",
    ],
    ["default: { refuse: false }", "2:20: default.refuse: read false; allowed: true"],
    ["users-file: []", "2:13: users-file: read a list; allowed: the path of a file"],
  ])("%s is told with what was read and what is allowed", (rest, complaint) => {
    expect(complaints(rest)).toContain(`lacewing.yaml:${complaint}`);
  });

  it("is told by the item of a list of ranges", () => {
    expect(
      complaints("units:\n  a:\n    name: a%d\n    address: 10.0.0.1\n    pool: [10.1.0.0/16, 10.2.0.1/16]"),
    ).toEqual([
      'lacewing.yaml:6:25: units.a.pool[1]: read "10.2.0.1/16"; allowed: a prefix (100.64.0.0/16) or a range (192.0.2.10-192.0.2.99)',
    ]);
  });

  it("that is long is cut short", () => {
    expect(complaints(`log: { level: ${"x".repeat(1000)} }`)[0]?.length).toBeLessThan(160);
  });

  it("is told when a needed key is missing, at the mapping that lacks it", () => {
    expect(complaints("access:\n  - ac-name: x")).toEqual([
      "lacewing.yaml:3:5: access[0]: interface is missing: a device name of at most 15 characters without blanks, /, : and %",
    ]);
  });

  it("is told when the file is empty", () => {
    expect(new ConfigFolder().complaints("")[0]).toMatch(
      /^lacewing\.yaml:1:1: read nothing; allowed: a mapping/,
    );
  });
});

describe("a duration", () => {
  const hello = (value: string) =>
    new ConfigFolder().load(
      `name: gw\nl2tp: { listen: [{ address: 10.0.0.1 }], peers: [{ name: a, role: lac, hello-interval: ${value} }] }`,
    ).l2tp.peers[0]?.helloIntervalMs;

  it("has a unit", () => {
    expect(["1500ms", "60s", "5m", "1h"].map(hello)).toEqual([1500, 60_000, 300_000, 3_600_000]);
  });

  it.each(["60", "500ms", "2h", "-1s", "1.5s", "60 s"])("is not %s", (value) => {
    expect(() => hello(value)).toThrow(/a duration such as 500ms, 60s, 5m or 1h, from 1s to 1h/);
  });
});

describe("what is wrong as YAML", () => {
  it("is told for a key that is there twice, with everything else that is wrong", () => {
    expect(complaints("log: { level: loud }\nname: gw2\nacess: []")).toEqual([
      'lacewing.yaml:2:15: log.level: read "loud"; allowed: one of debug, info, warn, error',
      'lacewing.yaml:3:1: the key "name" is there twice, first in line 1',
      'lacewing.yaml:4:1: unknown key "acess" (did you mean "access"?); allowed: name, log, control, journal, data-plane, access, l2tp, lns-groups, realms, services, lines, default, units, users-file',
    ]);
  });

  it.each([
    ["log: [", "BAD_INDENT"],
    ['log: "', "MISSING_CHAR"],
    ["a: b: c", "BLOCK_AS_IMPLICIT_KEY"],
    ["\tlog: {}", "TAB_AS_INDENT"],
    ["---\nname: b", "MULTIPLE_DOCS"],
    ["log: !loud {}", "TAG_RESOLVE_FAILED"],
  ])("is told with its place: %s", (rest, code) => {
    const lines = complaints(rest);
    expect(
      lines.some((line) => /^lacewing\.yaml:\d+:\d+: /.test(line) && line.endsWith(`(YAML: ${code})`)),
    ).toBe(true);
  });

  it("is told for what we do not take: aliases, keys that are no text, a key that is an object's prototype", () => {
    expect(complaints("realms: &a {}\nservices: *a")).toEqual([
      "lacewing.yaml:3:11: an alias; values must be written out, and a text that starts with * needs quotes",
    ]);
    expect(complaints("? [a]\n: b")).toEqual(["lacewing.yaml:2:3: a key that is not text"]);
    expect(complaints("realms: { __proto__: { refuse: true } }")).toEqual([
      'lacewing.yaml:2:11: the key "__proto__" is not allowed',
    ]);
  });
});

describe("the users file", () => {
  const users = (text: string, config = "") => {
    const folder = new ConfigFolder();
    folder.write("users.yaml", text);
    return folder.complaints(`name: gw\nusers-file: users.yaml\n${config}`);
  };

  it.each([
    "- { name: a, password: [swordfish] }",
    "- { name: a, password: *swordfish }",
    "- { name: a, password: !swordfish x }",
    "- { name: a, password: '' }\n- { name: b, password: swordfish: x }",
    "- alice:swordfish",
    "- { alice: swordfish }",
    "- { alice, swordfish }",
    "swordfish",
    "- { name: a, pasword: swordfish }",
    `- { name: a, password: ${"swordfish".repeat(30)} }`,
  ])("never has its passwords told: %s", (text) => {
    const lines = users(text);
    expect(lines[0]).toMatch(/^users\.yaml:\d+:\d+: /);
    expect(lines.join("\n")).not.toContain("swordfish");
  });

  it("must quote a password that looks like a number", () => {
    expect(users("- { name: a, password: 0815 }")).toEqual([
      "users.yaml:1:24: [0].password: read a number; allowed: text of 1 to 255 octets, in quotes if it looks like a number",
    ]);
  });

  it("has each name and address once, and unit groups that are there", () => {
    const text = [
      "- { name: a, password: p, address: 10.0.0.2 }",
      "- { name: a, password: p, address: 10.0.0.2, unit: subs }",
      "- { name: b, password: p, address: 10.0.0.1 }",
    ].join("\n");
    expect(users(text, "units: { sub: { name: s%d, address: 10.0.0.1 } }")).toEqual([
      'users.yaml:2:11: [1].name: read "a", which user [0] has too',
      'users.yaml:2:36: [1].address: read "10.0.0.2", which user [0] has too',
      'users.yaml:2:52: [1].unit: read "subs" (did you mean "sub"?); allowed: a name in units: sub',
      'users.yaml:3:36: [2].address: read "10.0.0.1", which is our own in the unit group sub',
    ]);
  });
});
